import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { changeKeys } from '../../../src/compose/airgap-init.ts';
import { openBundleSigning } from '../../../src/compose/airgap-signing.ts';
import { makeFakeClock } from '../../support/fake-clock.ts';

type Signed = Parameters<typeof openBundleSigning>[0];

const { signal } = new AbortController();

t.test('a bundle is known again by its keys and its number', async (t) => {
  const clock = makeFakeClock();
  const parent = t.testdir();
  const keys = join(parent, 'keys');
  const wish = {
    folder: keys,
    what: { kind: 'init' },
    uris: {},
    thresholds: {},
    days: 365,
  } as const;
  await changeKeys(wish, clock, signal);
  const signing = await openBundleSigning({}, keys, clock);
  const folder = join(parent, 'bundle');
  const snapshot = await signing.sign(folder, 3, [], signal);
  t.equal(await signing.snapshotOf(folder, 3), snapshot);
  await t.rejects(signing.snapshotOf(folder, 4), {
    code: 'METADATA_MISMATCH',
    message: /of bundle 3, not of 4/,
  });
});

t.test('metadata last as long as the configuration says, or else as they always did', async (t) => {
  const clock = makeFakeClock();
  const parent = t.testdir();
  const keys = join(parent, 'keys');
  const wish = {
    folder: keys,
    what: { kind: 'init' },
    uris: {},
    thresholds: {},
    days: 3650,
  } as const;
  await changeKeys(wish, clock, signal);
  const expiriesOf = async (name: string, config: Signed): Promise<readonly string[]> => {
    const folder = join(parent, name);
    await (await openBundleSigning(config, keys, clock)).sign(folder, 1, [], signal);
    return ['1.targets', '1.snapshot', 'timestamp'].map((name) => {
      const text = readFileSync(join(folder, 'metadata', `${name}.json`), 'utf8');
      return /"expires":\s*"(\d{4}-\d\d-\d\d)/.exec(text)?.[1] ?? '';
    });
  };
  t.strictSame(await expiriesOf('plain', {}), ['2031-01-01', '2030-04-01', '2030-04-01']);
  const dayMs = 86_400_000;
  const validity = { targets: { ms: 100 * dayMs }, timestamp: { ms: 14 * dayMs } };
  const airgap = {
    validity,
    revocationMaxAge: {},
    dropUntrusted: 'refuse-all',
    generations: 3,
  } as const;
  t.strictSame(await expiriesOf('told', { airgap }), ['2030-04-11', '2030-04-01', '2030-01-15']);
});

t.test('without keys nothing is signed', async (t) => {
  await t.rejects(openBundleSigning({}, undefined, makeFakeClock()), {
    code: 'KEYS_UNUSABLE',
  });
});
