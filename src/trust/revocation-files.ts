import { createHash } from 'node:crypto';
import type { Dirent } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type Crl, maxCrlBytes, readCrl } from '../crypto/crl.ts';
import { maxOcspBytes, type OcspResponse, readOcspResponse } from '../crypto/ocsp-response.ts';
import { isPem, readPem } from '../crypto/pem.ts';
import { readFileBounded } from '../files/read-file.ts';
import { messageOf } from '../kernel/tagged-error.ts';
import type { Filed, FiledRevocation } from './filed-revocation.ts';
import { TrustError } from './trust-error.ts';

const maxFiles = 1000;
/** Of all files together: they are held in memory. */
const maxTotalBytes = 128 * 1024 * 1024;
const sequenceTag = 0x30;

/**
 * Loads every `*.crl` and `*.ocsp` of a folder (DER or PEM), whole or not at all: throws
 * `TrustError` with every problem. Names that begin with a dot are left out; links to files are
 * followed, as mounted volumes have them. Old data loads too; it is no use, and says so when asked.
 */
export async function loadRevocationFiles(folder: string): Promise<FiledRevocation> {
  const responses: Filed<OcspResponse>[] = [];
  const lists: Filed<Crl>[] = [];
  const problems: string[] = [];
  const hash = createHash('sha256');
  let left = maxTotalBytes;
  for (const { name } of await listFiles(folder)) {
    const file = join(folder, name);
    try {
      const isList = name.endsWith('.crl');
      if (!isList && !name.endsWith('.ocsp')) throw new Error('is no .crl or .ocsp file');
      // In PEM it takes a third more.
      const maxBytes = Math.min(left, 2 * (isList ? maxCrlBytes : maxOcspBytes));
      const bytes = await readFileBounded(file, maxBytes);
      left -= bytes.length;
      hash.update(createHash('sha256').update(bytes).digest());
      for (const der of splitFile(bytes, isList ? 'X509 CRL' : 'OCSP RESPONSE')) {
        if (isList) lists.push({ file, value: readCrl(der) });
        else responses.push({ file, value: readOcspResponse(der) });
      }
    } catch (error) {
      problems.push(`${file}: ${messageOf(error)}`);
    }
  }
  if (problems.length > 0) throw new TrustError('REVOCATION_FILES_UNUSABLE', problems.join('\n'));
  return { digest: hash.digest('hex'), responses, lists };
}

async function listFiles(folder: string): Promise<readonly Dirent[]> {
  let entries: readonly Dirent[];
  try {
    entries = await readdir(folder, { withFileTypes: true });
  } catch (cause) {
    throw new TrustError('REVOCATION_FILES_UNUSABLE', messageOf(cause), { cause });
  }
  const shown = entries.filter((entry) => !entry.name.startsWith('.'));
  if (shown.length > maxFiles) {
    const message = `${folder} has more than ${maxFiles} entries`;
    throw new TrustError('REVOCATION_FILES_UNUSABLE', message);
  }
  return shown.toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

function splitFile(bytes: Buffer, expected: string): readonly Uint8Array[] {
  if (bytes[0] === sequenceTag) return [bytes];
  const text = bytes.toString('latin1');
  if (!isPem(text)) throw new Error('is neither PEM nor DER');
  return readPem(text).map(({ label, der }) => {
    if (label !== expected) throw new Error(`holds a ${label}, and must hold ${expected} only`);
    return der;
  });
}
