import type { ReadinessProbe } from '../admin/health.ts';
import type { Clock } from '../kernel/clock.ts';
import type { Log } from '../observe/log.ts';
import type { Metrics } from '../observe/metric-list.ts';
import type { MetricsSnapshot } from '../observe/metrics.ts';
import type { Wait } from '../storage/pace.ts';
import { type EndedMetrics, makeEndedMetrics } from './ended-metrics.ts';
import type { ForkWorker } from './fork-worker.ts';
import { makeRestartPolicy, type RestartLimits, type RestartPolicy } from './restart-policy.ts';
import { StartupError } from './startup-error.ts';
import type { FromWorker, ToWorker, WorkerStart } from './worker-messages.ts';
import {
  askForMetrics,
  type HangLimits,
  isSilent,
  isStray,
  makeRun,
  readinessOf,
  type Run,
  type Slot,
  type StrayLimits,
} from './worker-slot.ts';
import { WorkersError } from './workers-error.ts';

/** The processes that serve. */
export interface Workers {
  /**
   * Starts them; resolves with the port once all listen. Throws the `StartupError` of the first one
   * that can't, and leaves none running then.
   */
  start(given: Omit<WorkerStart, 'worker'>): Promise<number>;
  /** Rejects with `WorkersError` once they have crashed too often; never resolves. */
  readonly failure: Promise<never>;
  /** Ready while half of them are. */
  readonly probe: ReadinessProbe;
  /**
   * One round: asks all for a word, and kills those that have given none for too long. Those that
   * decide by something else than `inForce` for long are told to load it anew; true where one was.
   */
  look(inForce: string): boolean;
  /** What they and those before them have counted. */
  snapshots(): Promise<readonly MetricsSnapshot[]>;
  /** To all but the one that said it. */
  tell(message: ToWorker, except?: Run): void;
  /** No restarts any more; resolves when all have sent their answers and ended. */
  close(): Promise<void>;
  /** Has them end without waiting; whoever has not a moment later is killed. */
  cut(): void;
}

export interface WorkersDependencies {
  readonly count: number;
  readonly fork: ForkWorker;
  readonly limits: RestartLimits & HangLimits & StrayLimits & { readonly killAfterMs: number };
  /** What a worker says that is meant for others. */
  readonly onWord: (word: WorkerWord, from: Run) => void;
  readonly onEnd: (run: Run) => void;
  readonly clock: Clock;
  readonly wait: Wait;
  readonly metrics: Metrics;
  readonly log: Log;
}

export type WorkerWord = Extract<FromWorker, { readonly kind: 'told' | 'question' }>;

/** What is going on with all of them. */
interface Crew extends WorkersDependencies {
  readonly slots: readonly Slot[];
  readonly policy: RestartPolicy;
  readonly ended: EndedMetrics;
  readonly started: PromiseWithResolvers<number>;
  readonly failed: PromiseWithResolvers<never>;
  readonly closing: AbortController;
  given: Omit<WorkerStart, 'worker'> | undefined;
  port: number | undefined;
  isStarted: boolean;
}

export function makeWorkers(dependencies: WorkersDependencies): Workers {
  const { count, limits, clock, wait } = dependencies;
  const crew: Crew = {
    ...dependencies,
    slots: Array.from({ length: count }, (_, index) => ({ worker: index + 1, run: undefined })),
    policy: makeRestartPolicy(limits, clock),
    ended: makeEndedMetrics(),
    started: Promise.withResolvers(),
    failed: Promise.withResolvers(),
    closing: new AbortController(),
    given: undefined,
    port: undefined,
    isStarted: false,
  };
  // Whoever waits for it is told all the same.
  crew.failed.promise.catch(() => undefined);
  const all = (): readonly Run[] => runsOf(crew);
  const kill = (): void => all().forEach(({ process }) => process.kill());
  return {
    failure: crew.failed.promise,
    async start(given) {
      crew.given = given;
      for (const slot of crew.slots) launch(slot, crew);
      show(crew);
      try {
        return await Promise.race([crew.started.promise, crew.failed.promise]);
      } catch (error) {
        crew.closing.abort();
        kill();
        await Promise.all(all().map(({ exited }) => exited.promise));
        throw error;
      }
    },
    probe: { name: 'workers', check: () => checkReady(crew) },
    look(inForce) {
      crew.slots.forEach((slot) => killIfSilent(slot, crew));
      return crew.slots.filter((slot) => reloadIfStray(slot, inForce, crew)).length > 0;
    },
    async snapshots() {
      await Promise.all(all().map(askForMetrics));
      // One that has ended meanwhile is among those that ended, and no more here.
      const living = all().flatMap(({ metrics }) => (metrics === undefined ? [] : [metrics]));
      return [...living, ...crew.ended.all()];
    },
    tell(message, except) {
      for (const run of all()) if (run !== except) run.process.send(message);
    },
    async close() {
      crew.closing.abort();
      for (const { process, isListening } of all()) {
        // What has not begun to serve has nothing to end in order.
        if (isListening) process.send({ kind: 'close' });
        else process.kill();
      }
      await Promise.all(all().map(({ exited }) => exited.promise));
    },
    cut() {
      for (const { process } of all()) process.send({ kind: 'cut' });
      void wait(limits.killAfterMs, new AbortController().signal).then(kill);
    },
  };
}

function runsOf({ slots }: Pick<Crew, 'slots'>): readonly Run[] {
  return slots.flatMap(({ run }) => run ?? []);
}

function launch(slot: Slot, crew: Crew): void {
  const { fork, given } = crew;
  if (given === undefined) throw new TypeError('the workers are not told what to start with');
  const { worker } = slot;
  const process = fork({
    onMessage: (message) => {
      hear(message, run, slot, crew);
      if (message.kind === 'hello') process.send({ kind: 'start', worker, ...given });
    },
    onExit: (code, signal) =>
      end(run, slot, run.isHung ? 'hung' : (signal ?? `code ${code}`), crew),
  });
  const run = makeRun(process);
  slot.run = run;
}

function hear(message: FromWorker, run: Run, slot: Slot, crew: Crew): void {
  const { worker } = slot;
  run.isHeard = true;
  run.silentRounds = 0;
  if (message.kind === 'alive') run.inForce = message.inForce;
  else if (message.kind === 'answer') run.questions.answered(message.id, message.answer);
  else if (message.kind === 'ended') run.metrics = message.metrics;
  else if (message.kind === 'listening') {
    run.isListening = true;
    crew.port ??= message.port;
    crew.policy.listens();
    crew.log.info({ worker, pid: run.process.pid }, 'a worker listens');
    show(crew);
  } else if (message.kind === 'failed') {
    run.problem = message;
    // Of those that find the same, the first one tells it.
    if (!crew.isStarted) crew.started.reject(new StartupError(message.code, message.messages));
  } else if (message.kind === 'told' || message.kind === 'question') crew.onWord(message, run);
}

/** What it has accepted is closed by its end: whoever waits for it asks again, and is answered. */
function killIfSilent({ worker, run }: Slot, { limits, log }: Crew): void {
  if (run === undefined || run.isHung || !isSilent(run, limits)) return;
  run.isHung = true;
  const { pid } = run.process;
  log.error({ worker, pid }, 'a worker does not answer any more, and is killed');
  run.process.kill();
}

function reloadIfStray({ worker, run }: Slot, inForce: string, { limits, log }: Crew): boolean {
  if (run === undefined || !isStray(run, inForce, limits)) return false;
  const { pid } = run.process;
  const message = 'a worker has another policy or trust material in force, and is to load it anew';
  log.error({ worker, pid, has: run.inForce, inForce }, message);
  run.process.send({ kind: 'reload' });
  return true;
}

function end(run: Run, slot: Slot, how: string, crew: Crew): void {
  slot.run = undefined;
  if (run.metrics !== undefined) crew.ended.add(run.metrics);
  crew.onEnd(run);
  run.exited.resolve();
  show(crew);
  if (crew.closing.signal.aborted) return;
  const { worker } = slot;
  const { metrics, log, policy } = crew;
  const { pid } = run.process;
  metrics.count('assay_worker_exits_total', { because: run.problem === undefined ? how : 'start' });
  const next = run.problem === undefined ? policy.crashed() : policy.couldNotStart();
  const because = run.problem?.messages ?? how;
  if (next === 'give-up') {
    const { maxCrashes, withinMs } = crew.limits;
    const often = `${maxCrashes} times within ${withinMs / 1000} seconds`;
    const message = `workers ended unasked ${often}, the last one by ${how}`;
    log.error({ worker, pid, because }, 'workers crash again and again; no more are started');
    crew.failed.reject(new WorkersError('WORKERS_CRASH', message));
    return;
  }
  log.error({ worker, pid, because, againInMs: next }, 'a worker ended unasked');
  void again(slot, next, crew);
}

async function again(slot: Slot, afterMs: number, crew: Crew): Promise<void> {
  const { signal } = crew.closing;
  await crew.wait(afterMs, signal).catch(() => undefined);
  if (!signal.aborted) launch(slot, crew);
}

/** Shows how many there are; the first time that there are all, they have started. */
function show(crew: Crew): void {
  const listening = runsOf(crew).filter(({ isListening }) => isListening).length;
  crew.metrics.set('assay_workers', { state: 'wanted' }, crew.count);
  crew.metrics.set('assay_workers', { state: 'listening' }, listening);
  if (listening < crew.count || crew.port === undefined) return;
  crew.isStarted = true;
  crew.started.resolve(crew.port);
}

async function checkReady(crew: Crew) {
  const answers = await Promise.all(
    crew.slots.map(async ({ worker, run }) => {
      if (run?.isListening !== true) return { worker, ok: false, says: 'does not run' };
      const { ok, says } = (await readinessOf(run)) ?? { ok: false, says: 'does not answer' };
      return { worker, ok, says };
    }),
  );
  const ready = answers.filter(({ ok }) => ok).length;
  const [lame] = answers.filter(({ ok }) => !ok);
  const about = lame === undefined ? '' : `; worker ${lame.worker} ${lame.says}`;
  return { ok: ready * 2 >= crew.count, says: `${ready} of ${crew.count} are ready${about}` };
}
