import { messageOf } from '../kernel/tagged-error.ts';
import { quoted } from '../kernel/quoted.ts';
import { AirgapError } from './airgap-error.ts';
import type { Sequence } from './bundle.ts';
import type { ExportLedger, ExportRecord } from './export-record.ts';
import { readSmall } from './metadata-files.ts';
import { parseReceipt, type Receipt } from './receipt.ts';

/** What a delta builds upon: a bundle by its number, or what a zone says that it has imported. */
export type ExportBase = Sequence | Receipt;

/** With room for groups and lines as people make them. */
const maxReceiptBytes = 4096;
/** No file's name, and no number. */
const typedReceipt = /^[A-Za-z2-7\s-]{200,}$/;

/**
 * A number, a receipt as it was typed, or else the file of one; undefined for what is none of them.
 * Throws `AirgapError`, RECEIPT_INVALID.
 */
export async function readExportBase(text: string): Promise<ExportBase | undefined> {
  if (/^\d+$/.test(text)) return /^[1-9]\d{0,14}$/.test(text) ? Number(text) : undefined;
  if (typedReceipt.test(text)) return receiptIn(text, 'what was typed');
  const bytes = await readSmall(text, maxReceiptBytes, 'RECEIPT_INVALID').catch(
    (cause: unknown) => {
      const message = `the receipt can not be read: ${messageOf(cause)}`;
      throw new AirgapError('RECEIPT_INVALID', message, { cause });
    },
  );
  return bytes && receiptIn(bytes.toString('latin1'), text);
}

function receiptIn(text: string, name: string): Receipt {
  const receipt = parseReceipt(text);
  if (receipt !== undefined) return receipt;
  const message = `${name} is no receipt: characters are missing, or not those that were printed`;
  throw new AirgapError('RECEIPT_INVALID', message);
}

/**
 * The number of the bundle that a delta builds upon. A receipt must be of this stream, and of the
 * very bundle that was made here under its number. Images that the zone left out count as held: it
 * keeps all of a bundle's content. Throws `AirgapError`: STREAM_MISMATCH, SEQUENCE_UNKNOWN, FORK.
 */
export async function findBase(
  base: ExportBase,
  stream: string,
  ledger: Pick<ExportLedger, 'record'>,
): Promise<Sequence> {
  if (typeof base === 'number') return (await readBase(base, ledger)).sequence;
  if (base.stream !== stream) {
    throw new AirgapError(
      'STREAM_MISMATCH',
      `the receipt is of stream ${quoted(base.stream)}, and these keys sign ${quoted(stream)}`,
    );
  }
  const { sequence, snapshot } = await readBase(base.sequence, ledger);
  if (snapshot === base.snapshot) return sequence;
  throw new AirgapError(
    'FORK',
    `the zone has another bundle ${sequence} than was made here: its metadata are` +
      ` ${base.snapshot}, and ours ${snapshot}; somebody else has the stream's keys and its number`,
  );
}

/** Throws `AirgapError`, SEQUENCE_UNKNOWN. */
export async function readBase(
  sequence: Sequence,
  ledger: Pick<ExportLedger, 'record'>,
): Promise<ExportRecord> {
  const record = await ledger.record(sequence);
  if (record.kind === 'content') return record;
  const message = `bundle ${sequence} has no content: a delta builds upon one that has`;
  throw new AirgapError('SEQUENCE_UNKNOWN', message);
}
