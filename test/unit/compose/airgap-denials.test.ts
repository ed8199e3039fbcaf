import t from 'tap';
import type { BundleDenial } from '../../../src/airgap/bundle.ts';
import { applyDenials } from '../../../src/compose/airgap-denials.ts';
import type { Digest } from '../../../src/oci/digest.ts';
import { makeMemoryKeyValue } from '../../../src/storage/memory-key-value.ts';
import { stream } from '../../support/airgap-kit.ts';
import { makeMemoryCopy, openReplicaKit, wishOf } from '../../support/deny-kit.ts';

const bundle = { stream, sequence: 7 };

function denialsOf(count: number, because = 'stolen'): readonly BundleDenial[] {
  return Array.from({ length: count }, (_, index) => {
    const digest = `sha256:${index.toString(16).padStart(64, '0')}` as Digest;
    return { target: { kind: 'digest', digest }, because, since: new Date('2029-01-01') };
  });
}

t.test('what a bundle denies comes to the list once, and says which bundle it was', async (t) => {
  const { replica } = await openReplicaKit();
  t.equal(await applyDenials([...denialsOf(2), ...denialsOf(2)], bundle, replica), 2);
  t.equal(await applyDenials(denialsOf(3), bundle, replica), 1);
  t.match(replica.list.entries(), [
    { reason: 'stolen', owner: `air-gap stream ${stream}, bundle 7` },
    {},
    {},
  ]);
});

t.test('what ends here by itself is denied without an end', async (t) => {
  const { replica } = await openReplicaKit();
  const [denial] = denialsOf(1);
  await replica.add(wishOf(denial!.target, new Date('2040-01-01')));
  t.equal(await applyDenials(denialsOf(1), bundle, replica), 1);
});

t.test('a reason is no longer than people may write one', async (t) => {
  const { replica } = await openReplicaKit();
  await applyDenials(denialsOf(1, 'é'.repeat(1_000)), bundle, replica);
  t.equal(replica.list.entries()[0]?.reason, `${'é'.repeat(499)}…`);
});

t.test(
  'thousands are written in a few turns; what has no room leaves the list as it is',
  async (t) => {
    const copy = makeMemoryCopy();
    let writes = 0;
    const counted = {
      ...copy,
      write: async (...words: Parameters<typeof copy.write>) => {
        writes += 1;
        await copy.write(...words);
      },
    };
    const { replica } = await openReplicaKit({ store: makeMemoryKeyValue(), copy: counted });
    t.equal(await applyDenials(denialsOf(950), bundle, replica), 950);
    t.equal(writes, 10);
    await t.rejects(applyDenials(denialsOf(10_001), bundle, replica), { code: 'DENY_LIST_FULL' });
    t.equal(replica.list.entries().length, 950, 'the site can still deny');
  },
);
