import type { JsonFields } from '../../crypto/json-fields.ts';
import { quoted } from '../../kernel/quoted.ts';
import { operatorOf, readUrl, readValidityPeriod } from './root-fields.ts';
import { readLogKey } from './log-key.ts';
import { malformedRoot } from './root-problem.ts';
import type { CertificateLog, TransparencyLog } from './sigstore-root.ts';

const sha256Bytes = 32;
const hintBytes = 4;

/** An entry of `tlogs`. Its checkpoint key id, where it has one, is what checkpoints name it by. */
export function readTransparencyLog(entry: JsonFields): TransparencyLog {
  const log = readLog(entry);
  const keyId = entry.has('checkpointKeyId') ? readId(entry, 'checkpointKeyId') : log.logId;
  const keyHint = Buffer.from(keyId.subarray(0, hintBytes)).toString('hex');
  return { ...log, name: new URL(log.baseUrl).host, keyHint };
}

/** An entry of `ctlogs`. */
export function readCertificateLog(entry: JsonFields): CertificateLog {
  const log = readLog(entry);
  // RFC 6962, section 3.2.
  if (log.logId.length !== sha256Bytes) throw malformedRoot(`${entry.path}.logId is no SHA-256`);
  return log;
}

function readLog(entry: JsonFields): CertificateLog {
  const hash = entry.text('hashAlgorithm');
  if (hash !== 'SHA2_256') {
    throw malformedRoot(`${entry.path}.hashAlgorithm is ${quoted(hash)}, not SHA2_256`);
  }
  const key = entry.object('publicKey');
  // What is not known here might narrow when the key counts.
  key.expectOnly('rawBytes', 'keyDetails', 'validFor');
  const validFor = readValidityPeriod(key);
  const baseUrl = readUrl(entry, 'baseUrl');
  return {
    baseUrl,
    operator: operatorOf(entry, baseUrl),
    logId: readId(entry, 'logId'),
    validFor,
    ...readLogKey(key),
  };
}

function readId(entry: JsonFields, name: string): Uint8Array {
  const id = entry.object(name).bytes('keyId');
  if (id.length < hintBytes || id.length > sha256Bytes) {
    throw malformedRoot(`${entry.path}.${name} is not of ${hintBytes} to ${sha256Bytes} bytes`);
  }
  return id;
}
