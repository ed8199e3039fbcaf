import { join } from 'node:path';
import { writeFileSync } from 'node:fs';
import t from 'tap';
import { openReceiptKey, parseReceipt } from '../../../src/airgap/receipt.ts';
import { digestOf } from '../../../src/oci/digest.ts';
import { systemFiles } from '../../../src/storage/file-system.ts';
import { stream } from '../../support/airgap-kit.ts';

const said = {
  stream,
  sequence: 281_474_976_710_655,
  snapshot: digestOf(Buffer.from('s')),
  leftOut: 3,
};

t.test('a receipt is short, says what was imported, and who says so', async (t) => {
  const receiptKey = join(t.testdir(), 'key');
  const key = await openReceiptKey({ receiptKey }, systemFiles);
  const receipt = key.sign(said);
  t.ok(receipt.length < 400, `${receipt.length} characters`);
  t.match(receipt, /^(?:[A-Z2-7]{5}-)+[A-Z2-7]{1,5}$/);
  t.strictSame(parseReceipt(receipt), { ...said, key: key.key });
  t.strictSame(parseReceipt(` ${receipt.toLowerCase().replaceAll('-', ' ')}\n`), {
    ...said,
    key: key.key,
  });
  const again = await openReceiptKey({ receiptKey }, systemFiles);
  t.equal(again.sign(said), receipt, 'the key stays');
});

t.test('a receipt with any character mistyped is none', async (t) => {
  const key = await openReceiptKey({ receiptKey: join(t.testdir(), 'key') }, systemFiles);
  const receipt = key.sign(said).replaceAll('-', '');
  const passed = Array.from(receipt).flatMap((character, at) => {
    const other = character === 'A' ? 'B' : 'A';
    const mistyped = receipt.slice(0, at) + other + receipt.slice(at + 1);
    return parseReceipt(mistyped) === undefined ? [] : [at];
  });
  t.strictSame(passed, []);
  for (const text of [
    '',
    'A',
    receipt.slice(1),
    `${receipt}A`,
    receipt.slice(0, -1),
    '1'.repeat(248),
  ]) {
    t.equal(parseReceipt(text), undefined, text.slice(0, 10));
  }
});

t.test('a key that is damaged is said, and not replaced', async (t) => {
  const receiptKey = join(t.testdir(), 'key');
  writeFileSync(receiptKey, 'x');
  await t.rejects(openReceiptKey({ receiptKey }, systemFiles), { code: 'STORE_DAMAGED' });
});
