import { join } from 'node:path';
import t from 'tap';
import { changeKeys } from '../../../src/compose/airgap-init.ts';
import { openBundleSigning } from '../../../src/compose/airgap-signing.ts';
import { makeFakeClock } from '../../support/fake-clock.ts';

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

t.test('without keys nothing is signed', async (t) => {
  await t.rejects(openBundleSigning({}, undefined, makeFakeClock()), {
    code: 'KEYS_UNUSABLE',
  });
});
