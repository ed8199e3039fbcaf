import t, { type Test } from 'tap';
import type { WorkerListener } from '../../../src/compose/fork-worker.ts';
import { StartupError } from '../../../src/compose/startup-error.ts';
import type { FromWorker, ToWorker } from '../../../src/compose/worker-messages.ts';
import { makeWorkers } from '../../../src/compose/workers.ts';
import { WorkersError } from '../../../src/compose/workers-error.ts';
import { makeMetrics } from '../../../src/observe/metrics.ts';
import { sumMetrics } from '../../../src/observe/sum-metrics.ts';
import { eventually } from '../../support/content-kit.ts';
import { makeFakeClock } from '../../support/fake-clock.ts';

/** A worker's process that does what the test has it do. */
interface Fake extends WorkerListener {
  readonly sent: ToWorker[];
  readonly kinds: () => readonly string[];
  isKilled: boolean;
  say(message: FromWorker): void;
  exit(code: number | null, signal?: string): void;
}

const given = { config: { handed: {} }, replica: 'one', admin: { host: '127.0.0.1', port: 5001 } };
const limits = {
  maxCrashes: 3,
  withinMs: 60_000,
  firstDelayMs: 100,
  maxDelayMs: 5_000,
  maxStartDelayMs: 30_000,
  killAfterMs: 5_000,
  maxSilentRounds: 3,
  maxSilentRoundsAtStart: 5,
  maxStrayRounds: 3,
  strayAgainRounds: 12,
};

function makeKit(count = 2) {
  const forked: Fake[] = [];
  const lines: { message: string; fields: object }[] = [];
  const words: object[] = [];
  const waits: { ms: number; over: () => void }[] = [];
  const metrics = makeMetrics();
  const note = (fields: object, message: string): void => void lines.push({ fields, message });
  const workers = makeWorkers({
    count,
    limits,
    fork(listener) {
      const sent: ToWorker[] = [];
      const fake: Fake = {
        ...listener,
        sent,
        kinds: () => sent.map(({ kind }) => kind),
        isKilled: false,
        say: (message) => listener.onMessage(message),
        exit: (code, signal) => listener.onExit(code, signal ?? null),
      };
      forked.push(fake);
      return {
        pid: 1000 + forked.length,
        send: (message) => void sent.push(message),
        kill() {
          fake.isKilled = true;
          queueMicrotask(() => fake.exit(null, 'SIGKILL'));
        },
      };
    },
    onWord: (word) => void words.push(word),
    onEnd: () => undefined,
    clock: makeFakeClock(),
    wait: (ms, signal) =>
      new Promise((resolve, reject) => {
        signal.addEventListener('abort', () => reject(new Error('aborted')));
        waits.push({ ms, over: () => resolve(undefined) });
      }),
    metrics,
    log: { debug() {}, info: note, warn: note, error: note },
  });
  const listen = (fake: Fake | undefined): void => {
    fake?.say({ kind: 'hello' });
    fake?.say({ kind: 'listening', port: 5000 });
  };
  /** All of them listen. */
  const startAll = async (): Promise<number> => {
    const started = workers.start(given);
    forked.forEach(listen);
    return started;
  };
  const shown = async (pattern: RegExp) => pattern.exec(await metrics.render())?.[1];
  const look = (): void => void workers.look('policy');
  return { workers, look, forked, lines, words, waits, metrics, listen, startAll, shown };
}

const exits = /^(assay_worker_exits_total.*)$/m;
const listening = /^assay_workers\{state="listening"\} (\d+)$/m;

/** Answers the question that was asked last. */
function answer(fake: Fake, answer: Extract<FromWorker, { kind: 'answer' }>['answer']): void {
  const asked = fake.sent.findLast((message) => message.kind === 'question');
  if (asked?.kind === 'question') fake.say({ kind: 'answer', id: asked.id, answer });
}

t.test('a start', async (t: Test) => {
  t.test(
    'each is told what to start with once it hears, and has started when all listen',
    async (t) => {
      const { workers, forked, listen, shown } = makeKit();
      const started = workers.start(given);
      t.same(
        forked.map(({ kinds }) => kinds()),
        [[], []],
      );
      let port = 0;
      void started.then((found) => (port = found));
      listen(forked[0]);
      await new Promise(setImmediate);
      t.equal(port, 0, 'not yet');
      listen(forked[1]);
      t.equal(await started, 5000);
      t.match(forked[0]?.sent, [{ kind: 'start', worker: 1, ...given }]);
      t.match(forked[1]?.sent, [{ kind: 'start', worker: 2, ...given }]);
      t.equal(await shown(listening), '2');
    },
  );

  t.test('what keeps several from starting is told once, and none is left', async (t) => {
    const { workers, forked } = makeKit(3);
    const started = workers.start(given);
    const messages = ['listen: 127.0.0.1:5000 can not be used'];
    for (const fake of forked) {
      fake.say({ kind: 'hello' });
      fake.say({ kind: 'failed', code: 'ADDRESS_UNUSABLE', messages });
    }
    forked[0]?.exit(1);
    const error = await started.catch((thrown: unknown) => thrown);
    t.ok(error instanceof StartupError);
    t.match(error, { code: 'ADDRESS_UNUSABLE', messages });
    t.same(
      forked.slice(1).map(({ isKilled }) => isKilled),
      [true, true],
    );
  });

  t.test('workers that crash before they say anything end the start', async (t) => {
    const { workers, forked, waits } = makeKit(1);
    const started = workers.start(given);
    for (const index of [0, 1]) {
      forked[index]?.exit(null, 'SIGSEGV');
      await eventually(() => waits.length > index);
      waits[index]?.over();
      await eventually(() => forked.length > index + 1);
    }
    forked[2]?.exit(null, 'SIGSEGV');
    await t.rejects(
      started,
      new WorkersError(
        'WORKERS_CRASH',
        'workers ended unasked 3 times within 60 seconds, the last one by SIGSEGV',
      ),
    );
  });
});

t.test('a crash', async (t: Test) => {
  t.test('is counted, told, and the worker started again after a while', async (t) => {
    const { forked, waits, lines, startAll, listen, shown } = makeKit();
    await startAll();
    forked[1]?.exit(null, 'SIGKILL');
    t.equal(await shown(listening), '1');
    t.equal(await shown(exits), 'assay_worker_exits_total{because="SIGKILL"} 1');
    t.match(lines.at(-1), {
      message: 'a worker ended unasked',
      fields: { worker: 2, pid: 1002, because: 'SIGKILL', againInMs: 100 },
    });
    t.equal(forked.length, 2);
    t.equal(waits[0]?.ms, 100);
    waits[0]?.over();
    await eventually(() => forked.length === 3);
    listen(forked[2]);
    t.match(forked[2]?.sent, [{ kind: 'start', worker: 2 }], 'with the number of the one before');
    t.equal(await shown(listening), '2');
  });

  t.test('an exit with a code is one too, also with 0', async (t) => {
    const { forked, startAll, shown } = makeKit(2);
    await startAll();
    forked[0]?.exit(0);
    t.equal(await shown(exits), 'assay_worker_exits_total{because="code 0"} 1');
  });

  t.test('too many fail all of it, and no more are started', async (t) => {
    const { workers, forked, waits, startAll, lines } = makeKit(3);
    await startAll();
    for (const fake of forked.slice(0, 3)) fake.exit(70);
    await t.rejects(workers.failure, {
      code: 'WORKERS_CRASH',
      message: /3 times within 60 seconds, the last one by code 70/,
    });
    t.equal(waits.length, 2);
    t.match(lines.at(-1), { message: 'workers crash again and again; no more are started' });
  });

  t.test('one that can not start any more is tried again for ever', async (t) => {
    const { workers, forked, waits, startAll, listen, shown } = makeKit(2);
    await startAll();
    forked[0]?.exit(1);
    for (let count = 0; count < 20; count += 1) {
      waits[count]?.over();
      await eventually(() => forked.length > count + 2);
      const fake = forked[count + 2];
      fake?.say({ kind: 'hello' });
      fake?.say({
        kind: 'failed',
        code: 'POLICY_UNUSABLE',
        messages: ['the policy does not load'],
      });
      fake?.exit(1);
    }
    t.equal(waits.at(-1)?.ms, 30_000);
    t.equal(await shown(/exits_total\{because="start"\} (\d+)/), '20');
    waits.at(-1)?.over();
    await eventually(() => forked.length === 23);
    listen(forked.at(-1));
    t.equal(await shown(listening), '2');
    await t.resolves(Promise.race([workers.failure, Promise.resolve()]));
  });
});

t.test('a worker with another policy', async (t: Test) => {
  const says = (inForce: string): FromWorker => ({ kind: 'alive', inForce });

  t.test('than the primary is told to load anew, once it is no mere delay', async (t) => {
    const { workers, forked, lines, startAll } = makeKit();
    await startAll();
    const asked = (fake: Fake | undefined): number =>
      fake?.kinds().filter((kind) => kind === 'reload').length ?? 0;
    const found: boolean[] = [];
    for (let round = 0; round < 5; round += 1) {
      forked[0]?.say(says('policy 2'));
      forked[1]?.say(says('policy 1'));
      found.push(workers.look('policy 2'));
    }
    t.same([asked(forked[0]), asked(forked[1])], [0, 1]);
    t.same(found, [false, false, true, false, false], 'and the primary is to look, too');
    t.match(lines.at(-1), {
      message: 'a worker has another policy or trust material in force, and is to load it anew',
      fields: { worker: 2, pid: 1002 },
    });
    for (let round = 0; round < 10; round += 1) {
      forked[0]?.say(says('policy 2'));
      forked[1]?.say(says('policy 1'));
      workers.look('policy 2');
    }
    t.equal(asked(forked[1]), 2, 'again after a while');
  });

  t.test('for a moment is on its way', async (t) => {
    const { workers, forked, startAll } = makeKit(1);
    await startAll();
    for (const inForce of ['1', '1', '2', '1', '1', '2']) {
      forked[0]?.say(says(inForce));
      t.equal(workers.look('2'), false);
    }
  });
});

t.test('a worker that hangs', async (t: Test) => {
  const lookTimes = (look: () => void, count: number): void => {
    for (let round = 0; round < count; round += 1) look();
  };

  t.test('is killed once it answered nothing for some rounds, and another started', async (t) => {
    const { look, forked, waits, lines, startAll, shown } = makeKit();
    await startAll();
    for (let round = 0; round < 4; round += 1) {
      look();
      forked[0]?.say({ kind: 'alive', inForce: undefined });
    }
    t.same(
      forked.map(({ isKilled }) => isKilled),
      [false, true],
    );
    t.match(lines.at(-1), {
      message: 'a worker does not answer any more, and is killed',
      fields: { worker: 2, pid: 1002 },
    });
    await eventually(() => waits.length === 1);
    t.equal(await shown(exits), 'assay_worker_exits_total{because="hung"} 1');
    t.match(lines.at(-1), { message: 'a worker ended unasked', fields: { because: 'hung' } });
  });

  t.test('any word of it is an answer, and it is asked in each round', async (t) => {
    const { look, forked, startAll } = makeKit(1);
    await startAll();
    lookTimes(look, 3);
    t.same(forked[0]?.kinds().slice(1), ['are-you-alive', 'are-you-alive', 'are-you-alive']);
    forked[0]?.say({ kind: 'told', channel: 'deny', message: '5' });
    lookTimes(look, 3);
    t.equal(forked[0]?.isKilled, false);
    look();
    t.equal(forked[0]?.isKilled, true);
  });

  t.test('has longer to say its first word', async (t) => {
    const { workers, look, forked, waits } = makeKit(1);
    workers.start(given).catch(() => undefined);
    lookTimes(look, 5);
    t.equal(forked[0]?.isKilled, false);
    t.same(forked[0]?.sent, [], 'it hears nothing yet');
    look();
    t.equal(forked[0]?.isKilled, true);
    await eventually(() => waits.length === 1);
  });

  t.test('is killed also where all are to end, and none is started in its place', async (t) => {
    const { workers, look, forked, startAll, waits } = makeKit(1);
    await startAll();
    const closed = workers.close();
    lookTimes(look, 4);
    await closed;
    t.same([forked[0]?.isKilled, waits.length], [true, 0]);
  });
});

t.test('readiness', async (t: Test) => {
  const ready = { ok: true, says: 'yes' };

  t.test('asks all, and half of them are enough', async (t) => {
    const { workers, forked, startAll } = makeKit(2);
    await startAll();
    const check = workers.probe.check();
    answer(forked[0]!, ready);
    answer(forked[1]!, { ok: false, says: 'deny list: can not be read yet' });
    t.same(await check, {
      ok: true,
      says: '1 of 2 are ready; worker 2 deny list: can not be read yet',
    });
  });

  t.test('less than half are not', async (t) => {
    const { workers, forked, startAll } = makeKit(3);
    await startAll();
    forked[0]?.exit(70);
    const check = workers.probe.check();
    answer(forked[1]!, ready);
    answer(forked[2]!, { ok: false, says: 'state: lost a write' });
    t.match(await check, { ok: false, says: '1 of 3 are ready; worker 1 does not run' });
  });

  t.test('one that does not answer is not, and holds up nobody for long', async (t) => {
    const { workers, startAll } = makeKit(1);
    await startAll();
    t.same(await workers.probe.check(), {
      ok: false,
      says: '0 of 1 are ready; worker 1 does not answer',
    });
  });
});

t.test('what they count', async (t: Test) => {
  const snapshotOf = async (denials: number) => {
    const metrics = makeMetrics();
    metrics.count('assay_denials_total', { reason: 'unsigned' }, denials);
    return metrics.snapshot();
  };
  const denials = async (snapshots: Promise<Parameters<typeof sumMetrics>[0]>) =>
    Number(
      /^assay_denials_total\{reason="unsigned"\} (\d+)$/m.exec(
        await sumMetrics(await snapshots),
      )?.[1],
    );

  t.test('is summed, and what was seen of one that crashed stays', async (t) => {
    const { workers, forked, startAll } = makeKit();
    await startAll();
    const first = workers.snapshots();
    answer(forked[0]!, await snapshotOf(3));
    answer(forked[1]!, await snapshotOf(4));
    t.equal(await denials(first), 7);
    forked[1]?.exit(null, 'SIGKILL');
    const second = workers.snapshots();
    answer(forked[0]!, await snapshotOf(5));
    t.equal(await denials(second), 9, 'never less than before');
  });

  t.test('one that ends while it is asked counts once', async (t) => {
    const { workers, forked, startAll } = makeKit();
    await startAll();
    const first = workers.snapshots();
    answer(forked[0]!, await snapshotOf(3));
    answer(forked[1]!, await snapshotOf(4));
    await first;
    const second = workers.snapshots();
    forked[1]?.say({ kind: 'ended', metrics: await snapshotOf(6) });
    forked[1]?.exit(0);
    answer(forked[0]!, await snapshotOf(3));
    t.equal(await denials(second), 9);
  });

  t.test('one that does not answer counts what it last did', async (t) => {
    const { workers, forked, startAll } = makeKit();
    await startAll();
    const first = workers.snapshots();
    answer(forked[0]!, await snapshotOf(3));
    answer(forked[1]!, await snapshotOf(4));
    await first;
    const second = workers.snapshots();
    answer(forked[0]!, await snapshotOf(5));
    t.equal(await denials(second), 9);
  });
});

t.test('the end', async (t: Test) => {
  t.test('is asked of those that listen, and waited for; none is started again', async (t) => {
    const { workers, forked, startAll, waits, shown } = makeKit();
    await startAll();
    let isClosed = false;
    const closed = workers.close().then(() => (isClosed = true));
    t.same(
      forked.map(({ kinds }) => kinds().at(-1)),
      ['close', 'close'],
    );
    forked[0]?.exit(0);
    await new Promise(setImmediate);
    t.notOk(isClosed);
    forked[1]?.exit(0);
    await closed;
    t.same([waits.length, await shown(exits)], [0, undefined], 'no crash');
  });

  t.test('one that waits to be started again is not', async (t) => {
    const { workers, forked, startAll, waits } = makeKit(2);
    await startAll();
    forked[0]?.exit(70);
    const closed = workers.close();
    waits[0]?.over();
    forked[1]?.exit(0);
    await closed;
    await new Promise(setImmediate);
    t.equal(forked.length, 2);
  });

  t.test('one that is about to start has nothing to finish', async (t) => {
    const { workers, forked, startAll, waits } = makeKit(1);
    await startAll();
    forked[0]?.exit(70);
    waits[0]?.over();
    await eventually(() => forked.length === 2);
    await workers.close();
    t.ok(forked[1]?.isKilled);
  });

  t.test('who does not end a moment after it was cut is killed', async (t) => {
    const { workers, forked, startAll, waits } = makeKit(2);
    await startAll();
    const closed = workers.close();
    workers.cut();
    t.same(
      forked.map(({ kinds }) => kinds().at(-1)),
      ['cut', 'cut'],
    );
    forked[0]?.exit(0);
    t.equal(waits[0]?.ms, 5_000);
    waits[0]?.over();
    await closed;
    t.same(
      forked.map(({ isKilled }) => isKilled),
      [false, true],
    );
  });
});

t.test('what one says for others is handed on, and told to all but it', async (t) => {
  const { workers, forked, words, startAll } = makeKit();
  await startAll();
  const word = { kind: 'told', channel: 'deny', message: '5' } as const;
  forked[0]?.say(word);
  t.same(words, [word]);
  workers.tell(word);
  t.same(
    forked.map(({ kinds }) => kinds().at(-1)),
    ['told', 'told'],
  );
});
