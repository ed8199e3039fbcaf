import t from 'tap';
import { checkOrder } from '../../../src/airgap/import-order.ts';
import { digestOf } from '../../../src/oci/digest.ts';
import { documentOf, stream } from '../../support/airgap-kit.ts';

const snapshotOf = (name: string) => digestOf(Buffer.from(name));
const known = { stream, sequence: 5, snapshot: snapshotOf('5'), contentSequence: 5 };
const bundle = (
  changes: Parameters<typeof documentOf>[0],
  snapshot = 'own',
  recovered = false,
) => ({
  document: documentOf({ base: undefined, ...changes }),
  snapshot: snapshotOf(snapshot),
  recovered,
});
const previous = (sequence: number, name = String(sequence)) => ({
  previous: { sequence, snapshot: snapshotOf(name) },
});

t.test('a bundle follows what is here, its base being held', async (t) => {
  t.equal(checkOrder(bundle({ sequence: 1, previous: undefined }), undefined), 'new');
  t.equal(
    checkOrder(bundle({ sequence: 9, ...previous(8) }), undefined),
    'new',
    'a full one, late',
  );
  t.equal(checkOrder(bundle({ sequence: 6, ...previous(5) }), known), 'new');
  t.equal(checkOrder(bundle({ sequence: 6, base: 5, ...previous(5) }), known), 'new');
  t.equal(
    checkOrder(bundle({ sequence: 9, base: 3, ...previous(8) }), known),
    'new',
    'overlapping',
  );
  t.equal(checkOrder(bundle({ sequence: 5 }, '5'), known), 'same');
});

t.test('of another stream, of two with one number, and with a gap it is refused', async (t) => {
  const refusals = [
    { what: bundle({ stream: 'f'.repeat(32), sequence: 6 }), code: 'STREAM_MISMATCH' },
    { what: bundle({ sequence: 5 }), code: 'FORK' },
    { what: bundle({ sequence: 6, ...previous(5, 'another 5') }), code: 'FORK' },
    { what: bundle({ sequence: 8, base: 7, ...previous(7) }), code: 'GAP' },
  ];
  for (const { what, code } of refusals) t.throws(() => checkOrder(what, known), { code }, code);
  const alone = bundle({ sequence: 8, base: 7, ...previous(7) });
  t.throws(() => checkOrder(alone, known), { message: /bundles 6 to 7 first, or .*--since 5/ });
  t.throws(() => checkOrder(alone, undefined), {
    message: /bundles 1 to 7 first, or a full bundle/,
  });
});

t.test('revocations need no content before them, and are no content', async (t) => {
  const urgent = bundle({ kind: 'revocation', images: [], sequence: 9, base: 8, ...previous(8) });
  t.equal(checkOrder(urgent, known), 'new');
  const after = bundle({ sequence: 10, base: 9, ...previous(9) });
  const since = { ...known, sequence: 9, snapshot: snapshotOf('9') };
  t.throws(() => checkOrder(after, since), { code: 'GAP' }, 'the content of 9 never came');
});

t.test('after keys were rotated numbers from before do not count', async (t) => {
  t.equal(checkOrder(bundle({ sequence: 5 }, 'own', true), known), 'new');
});
