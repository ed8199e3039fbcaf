import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { findBase, readExportBase } from '../../../src/airgap/export-base.ts';
import type { ExportRecord } from '../../../src/airgap/export-record.ts';
import { makeExportLedger } from '../../../src/airgap/export-record.ts';
import { openReceiptKey, type Receipt } from '../../../src/airgap/receipt.ts';
import { makeSeal } from '../../../src/gate/sealed.ts';
import { digestOf } from '../../../src/oci/digest.ts';
import { systemFiles } from '../../../src/storage/file-system.ts';
import { stream } from '../../support/airgap-kit.ts';

const snapshot = digestOf(Buffer.from('snapshot of 3'));
const said = { stream, sequence: 3, snapshot, leftOut: 2 };

async function receiptOf(t: Test, receipt: Omit<Receipt, 'key'> = said): Promise<string> {
  const key = await openReceiptKey({ receiptKey: join(t.testdir(), 'key') }, systemFiles);
  return key.sign(receipt);
}

/** Of an exporter that made bundle 3 with content, and 4 without. */
async function ledgerOf(t: Test): Promise<ReturnType<typeof makeExportLedger>> {
  const ledger = makeExportLedger(t.testdir(), stream, makeSeal([Buffer.alloc(32, 1)]));
  const content: ExportRecord = {
    stream,
    sequence: 3,
    kind: 'content',
    created: '2030-01-01T00:00:00.000Z',
    snapshot,
    tags: {},
    roots: [],
    held: [],
  };
  await ledger.keep(content);
  await ledger.keep({ ...content, sequence: 4, kind: 'revocation' });
  return ledger;
}

t.test('a base is a number, a receipt as it is typed, or the file of one', async (t) => {
  t.equal(await readExportBase('12'), 12);
  const receipt = await receiptOf(t);
  t.match(await readExportBase(receipt), said);
  t.match(await readExportBase(receipt.toLowerCase().replaceAll('-', ' ')), said);
  const file = join(t.testdir(), '3.txt');
  writeFileSync(file, `${receipt}\n`);
  t.match(await readExportBase(file), said);
});

t.test('what is none of them is told from a receipt that was mistyped', async (t) => {
  const folder = t.testdir();
  for (const text of ['0', '01', '1234567890123456', join(folder, 'none')]) {
    t.equal(await readExportBase(text), undefined, text);
  }
  const receipt = await receiptOf(t);
  const mistyped = (receipt.startsWith('A') ? 'B' : 'A') + receipt.slice(1);
  const file = join(folder, 'receipt');
  for (const text of [mistyped, receipt.slice(1)]) {
    await t.rejects(readExportBase(text), { code: 'RECEIPT_INVALID', message: /^what was typed/ });
    writeFileSync(file, text);
    await t.rejects(readExportBase(file), { code: 'RECEIPT_INVALID', message: /is no receipt/ });
  }
  writeFileSync(file, `${receipt}${'\n'.repeat(5000)}`);
  await t.rejects(readExportBase(file), { code: 'RECEIPT_INVALID', message: /4096/ });
  await t.rejects(readExportBase(folder), { code: 'RECEIPT_INVALID' });
});

t.test('a receipt of the very bundle that was made here names it', async (t) => {
  const ledger = await ledgerOf(t);
  t.equal(await findBase({ ...said, key: '00' }, stream, ledger), 3);
  t.equal(await findBase(3, stream, ledger), 3);
});

t.test('a receipt of another stream, a fork, or an unknown bundle is refused', async (t) => {
  const ledger = await ledgerOf(t);
  const receipt = { ...said, key: '00' };
  const other = 'f'.repeat(32);
  await t.rejects(findBase({ ...receipt, stream: other }, stream, ledger), {
    code: 'STREAM_MISMATCH',
  });
  await t.rejects(findBase({ ...receipt, snapshot: digestOf(Buffer.from('x')) }, stream, ledger), {
    code: 'FORK',
    message: /another bundle 3 than was made here/,
  });
  for (const sequence of [4, 5]) {
    const expected = { code: 'SEQUENCE_UNKNOWN' };
    await t.rejects(findBase({ ...receipt, sequence }, stream, ledger), expected);
    await t.rejects(findBase(sequence, stream, ledger), expected);
  }
});
