import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { type ExportRecord, makeExportLedger } from '../../../src/airgap/export-record.ts';
import { makeSeal } from '../../../src/gate/sealed.ts';
import { manifestOf, stream } from '../../support/airgap-kit.ts';

const seal = makeSeal([Buffer.alloc(32, 1)]);

function recordOf(sequence: number): ExportRecord {
  const { digest } = manifestOf('root');
  return {
    stream,
    sequence,
    kind: 'content',
    created: '2030-01-01T00:00:00.000Z',
    snapshot: manifestOf(`snapshot ${sequence}`).digest,
    tags: { 'reg/app:v1': { digest, version: 1, before: [] } },
    roots: [`reg/app@${digest}`],
    held: [digest],
  };
}

t.test('what was noted is there again, under its number alone', async (t) => {
  const folder = t.testdir();
  const ledger = makeExportLedger(folder, stream, seal);
  t.equal(await ledger.lastSequence(), 0);
  t.equal(await ledger.latest(), undefined);
  await ledger.reserve(1);
  await ledger.keep(recordOf(1));
  await ledger.reserve(2);
  const again = makeExportLedger(folder, stream, seal);
  t.equal(await again.lastSequence(), 2);
  t.same(await again.latest(), recordOf(1));
  t.same(await again.record(1), recordOf(1));
  await t.rejects(again.record(2), { code: 'SEQUENCE_UNKNOWN' });
  await t.rejects(again.reserve(2), TypeError, 'a number is taken once');
});

t.test('what is under way is known until it has ended', async (t) => {
  const ledger = makeExportLedger(t.testdir(), stream, seal);
  const { snapshot: _, ...record } = recordOf(1);
  const open = { id: 'a', folder: '/x', sequence: 1, planDigest: 'b', volumes: [], record };
  await ledger.setOpen(open);
  t.same(await ledger.open(), open);
  await ledger.setOpen(undefined);
  t.equal(await ledger.open(), undefined);
});

t.test('a record in the place of another, or of another stream, does not open', async (t) => {
  const folder = t.testdir();
  const ledger = makeExportLedger(folder, stream, seal);
  await ledger.keep(recordOf(1));
  copyFileSync(join(folder, 'bundle-1'), join(folder, 'bundle-2'));
  await t.rejects(ledger.record(2), { code: 'RECORD_DAMAGED' });
  const other = makeExportLedger(folder, stream.replace('0', '1'), seal);
  await t.rejects(other.record(1), { code: 'RECORD_DAMAGED' });
  const keyless = makeExportLedger(folder, stream, makeSeal([Buffer.alloc(32, 2)]));
  await t.rejects(keyless.record(1), { code: 'RECORD_DAMAGED', message: /state.keys/ });
});
