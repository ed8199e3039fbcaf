import t from 'tap';
import { makeClosure } from '../../../src/gate/closure.ts';
import { keptMs, putAgainMs } from '../../../src/gate/keeping.ts';
import { makeSealedState } from '../../../src/gate/sealed.ts';
import { makeVerdictCache } from '../../../src/gate/verdict-cache.ts';
import { digestOf } from '../../../src/oci/digest.ts';
import { readManifest } from '../../../src/oci/manifest.ts';
import type { KeyValue } from '../../../src/storage/key-value.ts';
import { makeMemoryKeyValue } from '../../../src/storage/memory-key-value.ts';
import type { Verdict } from '../../../src/verdict/verdict.ts';
import { buildImage } from '../../support/build-image.ts';
import { makeFakeClock } from '../../support/fake-clock.ts';
import { makeCountingMetrics, makeKeptLog } from '../../support/silence.ts';

/** A state that others run: it may come back empty, and lets go what was not put for long. */

const image = buildImage();
const manifest = readManifest(image.bytes, undefined);
const { digest } = image.descriptor;

function makeState() {
  let losses = 0;
  const memory = makeMemoryKeyValue();
  const kept = new Map<string, number | undefined>();
  const store: KeyValue = {
    ...memory,
    put: (key, value, options) => {
      kept.set(key, options?.keepMs);
      return memory.put(key, value);
    },
  };
  const life = { losses: () => losses, isWhole: async () => losses === 0 };
  const observed = { metrics: makeCountingMetrics(), log: makeKeptLog(), life };
  const empty = async (): Promise<void> => {
    for (const key of await memory.keys('', 1000)) await memory.delete(key);
  };
  return {
    state: makeSealedState(store, [Buffer.alloc(32, 7)], observed),
    keys: () => memory.keys('', 1000),
    kept,
    empty,
    lose: () => void (losses += 1),
  };
}

function verdict(overrides: Partial<Verdict> = {}): Verdict {
  return {
    id: 'a',
    kind: 'trusted',
    scope: 'reg/app',
    subject: digest,
    because: 'signed',
    reports: [],
    children: [],
    checkedAt: new Date('2030-01-01T00:00:00Z'),
    expiresAt: new Date('2030-01-02T00:00:00Z'),
    ruleDigest: 'rule',
    ...overrides,
  };
}

const dayMs = 86_400_000;

t.test('parts are put again after a loss, and before the state lets them go', async (t) => {
  const { state, keys, kept, empty, lose } = makeState();
  const clock = makeFakeClock();
  const closure = makeClosure(state, clock);
  await closure.record('reg/app', digest, manifest);
  const put = await keys();
  t.ok(put.length > 0);
  t.ok(put.every((key) => kept.get(key) === keptMs));
  await empty();
  await closure.record('reg/app', digest, manifest);
  t.same(await keys(), [], 'what was put is not put at each use');
  lose();
  await closure.record('reg/app', digest, manifest);
  t.same(await keys(), put);
  await empty();
  clock.advanceMs(putAgainMs - 1);
  await closure.record('reg/app', digest, manifest);
  t.same(await keys(), []);
  clock.advanceMs(1);
  await closure.record('reg/app', digest, manifest);
  t.same(await keys(), put);
});

t.test('a verdict is put again after a loss, once, and only if it may be served', async (t) => {
  const { state, keys, kept, empty, lose } = makeState();
  const verdicts = makeVerdictCache(state, { verdicts: 10 });
  await verdicts.remember(verdict());
  const denied = digestOf(Buffer.from('denied'));
  await verdicts.remember(verdict({ id: 'b', kind: 'untrusted', subject: denied }));
  const put = await keys();
  t.same(put, [`verdict-id/a`, `verdict/reg/app@${digest}`]);
  t.equal(kept.get(put[1]!), dayMs + keptMs, 'that it was a root is known after its end');
  await empty();
  t.match(await verdicts.last('reg/app', digest), { id: 'a' });
  t.same(await keys(), []);
  lose();
  t.match(await verdicts.last('reg/app', digest), { id: 'a' });
  t.match(await verdicts.last('reg/app', denied), { id: 'b' });
  t.same(await keys(), put);
  await empty();
  await verdicts.last('reg/app', digest);
  t.same(await keys(), []);
});

t.test('of what memory and others know the newest counts', async (t) => {
  const { state } = makeState();
  const [one, other] = [1, 2].map(() => makeVerdictCache(state, { verdicts: 10 }));
  const later = { id: 'later', checkedAt: new Date('2030-01-01T01:00:00Z') };
  await other!.remember(verdict(later));
  await one!.remember(verdict());
  t.match(await other!.fromOthers('reg/app', digest), { id: 'later' }, 'memory before the past');
  const latest = {
    kind: 'untrusted',
    id: 'no',
    checkedAt: new Date('2030-01-01T02:00:00Z'),
  } as const;
  await one!.shareDenial(verdict(latest));
  t.match(await other!.fromOthers('reg/app', digest), { id: 'no' });
  t.match(await other!.last('reg/app', digest), { id: 'no' });
  t.match(await other!.byId('no'), { id: 'no' }, 'and is explained here too');
});

t.test('a denial is shared for its own life, and nothing that is unclear', async (t) => {
  const { state, keys, kept } = makeState();
  const verdicts = makeVerdictCache(state, { verdicts: 10 });
  await verdicts.shareDenial(verdict({ kind: 'inconclusive' }));
  await verdicts.shareDenial(verdict());
  t.same(await keys(), []);
  const expiresAt = new Date('2030-01-01T00:00:10Z');
  await verdicts.shareDenial(verdict({ kind: 'untrusted', expiresAt }));
  t.equal(kept.get(`untrusted/reg/app@${digest}`), 10_000);
});
