import t from 'tap';
import { DeniedError, NotFoundError, UnavailableError } from '../../../src/gate/gate-error.ts';
import { makeMisses, type Misses } from '../../../src/gate/misses.ts';
import { makeSingleFlight } from '../../../src/gate/single-flight.ts';
import type { Digest } from '../../../src/oci/digest.ts';
import type { RepositoryPath } from '../../../src/oci/repository.ts';
import type { ContentSource } from '../../../src/upstream/content-source.ts';
import { UpstreamError } from '../../../src/upstream/upstream-error.ts';
import { makeFakeClock } from '../../support/fake-clock.ts';
import { makeVerdict, tagOf } from '../../support/fake-gate.ts';
import { never } from '../../support/gate-kit.ts';
import { makeMemorySource, type MemorySource } from '../../support/memory-source.ts';
import { type CountingMetrics, makeCountingMetrics } from '../../support/silence.ts';

const path = 'app' as RepositoryPath;
const overLimit = { code: 'OVER_LIMIT', limit: 'client-misses' };
const notFound = (): NotFoundError => new NotFoundError('MANIFEST_UNKNOWN', 'it is not there');

let names = 0;
const newName = (): string => `manifests reg/app:v${(names += 1)}`;
const by = (client: string, waiting = never()) => ({ client, name: newName(), waiting });

interface Kit {
  readonly misses: Misses;
  readonly metrics: CountingMetrics;
  readonly origin: MemorySource;
  /** The same, paid for. */
  readonly source: ContentSource;
  /** Asks for a tag on behalf of a client, and ends as the test wants it to. */
  ask(
    client: string,
    end: () => unknown,
    options?: { readonly signal?: AbortSignal; readonly name?: string },
  ): Promise<unknown>;
}

function makeKit(burst = 2): Kit {
  const metrics = makeCountingMetrics();
  const limits = { burst, perMinute: 1, maxWaiting: 10, waitMs: 60_000 };
  const misses = makeMisses(limits, { clock: makeFakeClock(), metrics });
  const origin = makeMemorySource();
  const source = misses.paidFor(origin);
  return {
    misses,
    metrics,
    origin,
    source,
    ask: (client, end, { signal = never(), name = newName() } = {}) =>
      misses.payFor({ client, name, waiting: signal }, async () => {
        await source.resolveTag(path, tagOf('v1'), never());
        return end();
      }),
  };
}

const fail = (error: Error) => (): never => {
  throw error;
};

const charged: Readonly<Record<string, Error>> = {
  'what does not exist': notFound(),
  'what an upstream refuses to tell us about': new UnavailableError('BAD_UPSTREAM', 'refused', {
    cause: new UpstreamError('UPSTREAM_UNAUTHORIZED', 'refused'),
  }),
};
for (const [what, error] of Object.entries(charged)) {
  t.test(`asking in vain for ${what} is paid for, by who asks alone`, async (t) => {
    const { ask, origin, metrics } = makeKit();
    for (let time = 0; time < 2; time += 1) await t.rejects(ask('mallory', fail(error)), error);
    await t.rejects(ask('mallory', fail(error)), overLimit);
    t.equal(origin.calls.length, 2, 'and upstream is not asked again');
    t.equal(metrics.counted('assay_failed_misses_total'), 2);
    t.equal(await ask('alice', () => 'served'), 'served');
  });
}

const free: Readonly<Record<string, () => unknown>> = {
  'what is served': () => 'served',
  'what could not be found out': fail(new UnavailableError('UNAVAILABLE', 'down')),
  'a mistake of ours': fail(new TypeError('oops')),
};
for (const [what, end] of Object.entries(free)) {
  t.test(`asking for ${what} costs nothing`, async (t) => {
    const { ask, origin, metrics } = makeKit();
    for (let time = 0; time < 10; time += 1) await ask('alice', end).catch(() => undefined);
    t.equal(origin.calls.length, 10);
    t.equal(metrics.counted('assay_failed_misses_total'), 0);
  });
}

t.test('an answer that needed no upstream costs nothing, whatever it is', async (t) => {
  const { misses, ask } = makeKit();
  for (let time = 0; time < 10; time += 1) {
    await t.rejects(
      misses.payFor(by('alice'), async () => fail(notFound())()),
      notFound(),
    );
  }
  t.equal(await ask('alice', () => 'served'), 'served');
});

t.test('several questions for one request are one', async (t) => {
  const { misses, source, origin } = makeKit(1);
  const work = async (): Promise<string> => {
    const asking = [1, 2, 3].map(() => source.resolveTag(path, tagOf('v1'), never()));
    await Promise.all(asking);
    await source.statBlob(path, `sha256:${'0'.repeat(64)}` as Digest, never());
    return 'served';
  };
  t.equal(await misses.payFor(by('alice'), work), 'served');
  t.equal(origin.calls.length, 4);
});

t.test('every question about a name is paid for, reading what is known is not', async (t) => {
  const digest = `sha256:${'0'.repeat(64)}` as Digest;
  const questions: Readonly<Record<string, (source: ContentSource) => Promise<unknown>>> = {
    resolveTag: (source) => source.resolveTag(path, tagOf('v1'), never()),
    fetchManifest: (source) => source.fetchManifest(path, { digest }, never()),
    statBlob: (source) => source.statBlob(path, digest, never()),
    listTags: (source) => source.listTags(path, { limit: 1 }, never()),
    listReferrers: (source) => source.listReferrers(path, digest, never()),
  };
  for (const [name, ask] of Object.entries(questions)) {
    const { misses, source } = makeKit(1);
    const inVain = (): Promise<never> =>
      misses.payFor(by('mallory'), async () => {
        await ask(source).catch(() => undefined);
        throw notFound();
      });
    await t.rejects(inVain(), notFound(), name);
    const again = misses.payFor(by('mallory'), () => ask(source));
    await t.rejects(again, overLimit, name);
    await misses.payFor(by('mallory'), async () => source.openBlob(path, digest, never()));
  }
});

t.test('who goes away while upstream is asked has asked in vain', async (t) => {
  const { ask, misses, source } = makeKit(1);
  const leaving = new AbortController();
  const gone = new Error('gone');
  await t.rejects(
    misses.payFor(by('mallory', leaving.signal), async () => {
      await source.resolveTag(path, tagOf('v1'), never());
      leaving.abort(gone);
      throw gone;
    }),
    gone,
  );
  await t.rejects(
    ask('mallory', () => 'served'),
    overLimit,
  );
});

t.test('what is waived is not paid for', async (t) => {
  const { ask, misses } = makeKit(1);
  const waived = (): never => {
    misses.waive();
    throw notFound();
  };
  for (let time = 0; time < 5; time += 1) await t.rejects(ask('alice', waived), notFound());
});

t.test('what goes on after a request, in the background, is free', async (t) => {
  const { misses, source, ask } = makeKit(1);
  const { promise: over, resolve: end } = Promise.withResolvers<void>();
  let background: Promise<unknown> | undefined;
  await misses.payFor(by('alice'), async () => {
    background = over.then(() => source.resolveTag(path, tagOf('v1'), never()));
  });
  await t.rejects(ask('alice', fail(notFound())), notFound());
  end();
  await t.resolves(background ?? Promise.reject(new Error('nothing began')));
});

t.test(
  'nobody who joins a flight waits for, or fails by, what its client has used up',
  async (t) => {
    const { misses, ask, source } = makeKit(1);
    const flights = makeSingleFlight({ maxFlights: 10, deadlineMs: 10_000, toll: misses.toll });
    const fly = (client: string): Promise<unknown> =>
      misses.payFor(by(client), () =>
        flights.run('v1', () => source.listTags(path, { limit: 1 }, never()), never()),
      );
    await t.rejects(ask('mallory', fail(notFound())), notFound());
    const both = await Promise.allSettled([fly('mallory'), fly('alice')]);
    t.match(both[0], { status: 'rejected', reason: overLimit });
    t.match(both[1], { status: 'fulfilled' });
  },
);

t.test('what is asked for in vain again and again leaves what is for new names', async (t) => {
  const { ask, origin } = makeKit(2);
  const denied = new DeniedError(makeVerdict(), 'unsigned');
  for (const [name, error] of Object.entries({ denied, absent: notFound() })) {
    await t.rejects(ask(name, fail(error), { name }), error);
    for (let time = 0; time < 2; time += 1) {
      await t.rejects(ask(name, fail(error), { name }), error);
    }
    const before = origin.calls.length;
    await t.rejects(ask(name, fail(error), { name }), overLimit, 'as many again, and no more');
    t.equal(origin.calls.length, before, 'then nobody is asked');
    await t.rejects(ask(name, fail(error)), error, 'one of the two for new names is still there');
    await t.rejects(ask(name, fail(error)), overLimit);
  }
});

t.test('what was in vain and is served now is as good as new', async (t) => {
  const { ask } = makeKit(1);
  const name = 'manifests reg/app:v1';
  await t.rejects(ask('mallory', fail(notFound()), { name }), notFound());
  t.equal(await ask('mallory', () => 'served', { name }), 'served');
  await t.rejects(
    ask('mallory', () => 'served', { name }),
    overLimit,
    'as any new one would be',
  );
});

t.test('who asks upstreams nothing has no bucket that pushes out that of others', async (t) => {
  const { ask, misses } = makeKit(1);
  await t.rejects(ask('mallory', fail(notFound())), notFound());
  for (let client = 0; client < 20_001; client += 1) {
    await misses.payFor(by(`bystander ${client}`), async () => undefined);
  }
  await t.rejects(
    ask('mallory', () => 'served'),
    overLimit,
  );
});
