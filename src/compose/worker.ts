import type { Readiness } from '../admin/health.ts';
import { takeOver } from '../config/hand-over.ts';
import { messageOf } from '../kernel/tagged-error.ts';
import { makePinoLog, type PinoLog } from '../observe/pino-log.ts';
import { type App, composeApp } from './app.ts';
import { askForLeases, type LeaseQuestion } from './host-leases.ts';
import { type HostNotifications, makeHostNotifications } from './host-notifications.ts';
import { makeQuestions, type Questions } from './questions.ts';
import { shutDown } from './shutdown.ts';
import { StartupError } from './startup-error.ts';
import type { FromWorker, ToWorker, WorkerQuestion, WorkerStart } from './worker-messages.ts';

/** The way to the primary; its messages come by `hear`. */
export interface PrimaryLink {
  /** Resolves once it is sent, or can't be. */
  send(message: FromWorker): Promise<void>;
  /** Calls the listener for each message from now on. */
  hear(listener: (message: ToWorker) => void): void;
}

/** What the primary decides: how long answers may take, and when idle connections are closed. */
const closeTiming = { drainDelayMs: 0, maxStreamsMs: 2 ** 31 - 1, idleSweepMs: 250 } as const;
/** Verifying alone is better than waiting longer to hear whether another does so. */
const leaseAnswerMs = 1_000;

/** How far it has come. */
interface Life {
  readonly link: PrimaryLink;
  readonly cut: AbortController;
  readonly closing: PromiseWithResolvers<void>;
  readonly notifications: HostNotifications;
  readonly questions: Questions<LeaseQuestion, number>;
  app: App | undefined;
  /** It was told to load policy and trust anew before it had an app to do it. */
  isReloadDue: boolean;
}

/**
 * Serves pulls until the primary has it end; resolves with the exit code when all is sent and
 * closed. What keeps it from starting is told to the primary; what is a fault of ours is thrown.
 */
export async function runWorker(link: PrimaryLink): Promise<number> {
  const started = Promise.withResolvers<WorkerStart>();
  const life: Life = {
    link,
    cut: new AbortController(),
    closing: Promise.withResolvers(),
    notifications: makeHostNotifications(
      (channel, message) => void link.send({ kind: 'told', channel, message }),
    ),
    questions: makeQuestions(
      (id, question) => void link.send({ kind: 'question', id, question }),
      leaseAnswerMs,
    ),
    app: undefined,
    isReloadDue: false,
  };
  link.hear((message) => {
    if (message.kind === 'start') started.resolve(message);
    else obey(message, life);
  });
  await link.send({ kind: 'hello' });
  const start = await started.promise;
  const log = makePinoLog({ level: 'info', worker: start.worker, isShared: true });
  try {
    return await serve(start, life, log);
  } catch (error) {
    if (error instanceof StartupError) {
      await link.send({ kind: 'failed', code: error.code, messages: error.messages });
      return 1;
    }
    log.error({ error }, 'the worker ends by a fault of its own');
    throw error;
  } finally {
    await log.flush();
  }
}

async function serve(
  { worker, config: handed, replica, admin }: WorkerStart,
  life: Life,
  log: PinoLog,
): Promise<number> {
  const { link, notifications, questions } = life;
  const leases = askForLeases((question) => questions.ask(question));
  const host = { isKeeper: false, worker, replica, notifications, leases, listeners: [admin] };
  const app = await composeApp(takeOver(handed), { log, host });
  try {
    const port = await app.listenOci();
    life.app = app;
    if (life.isReloadDue) void app.reload();
    await link.send({ kind: 'listening', port });
  } catch (error) {
    await app.close();
    throw error;
  }
  await life.closing.promise;
  await shutDown(app, closeTiming, life.cut.signal);
  await link.send({ kind: 'ended', metrics: await app.metrics.snapshot() });
  return 0;
}

function obey(message: Exclude<ToWorker, { readonly kind: 'start' }>, life: Life): void {
  switch (message.kind) {
    case 'are-you-alive':
      void life.link.send({ kind: 'alive', inForce: life.app?.inForce() });
      return;
    case 'reload':
      life.isReloadDue = true;
      void life.app?.reload();
      return;
    case 'cut':
      life.cut.abort();
      return;
    case 'close':
      life.closing.resolve();
      return;
    case 'told':
      life.notifications.deliver(message.channel, message.message);
      return;
    case 'answer':
      life.questions.answered(message.id, message.answer);
      return;
    case 'question':
      void answer(message.id, message.question, life);
  }
}

async function answer(id: number, question: WorkerQuestion, { app, link }: Life): Promise<void> {
  if (app === undefined) return;
  const found = question === 'metrics' ? await app.metrics.snapshot() : await readiness(app);
  await link.send({ kind: 'answer', id, answer: found });
}

async function readiness({ probes }: Pick<App, 'probes'>): Promise<Readiness> {
  for (const probe of probes) {
    const { ok, says } = await probe.check().catch(failed);
    if (!ok) return { ok, says: `${probe.name}: ${says}` };
  }
  return { ok: probes.length > 0, says: 'yes' };
}

function failed(error: unknown): Readiness {
  return { ok: false, says: messageOf(error) };
}
