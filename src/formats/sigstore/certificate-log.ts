import { isSameBytes } from '../../crypto/same-bytes.ts';
import {
  isEmbeddedTimestampOf,
  readEmbeddedTimestamps,
  type SignedCertificateTimestamp,
} from '../../crypto/signed-certificate-timestamp.ts';
import type { Certificate } from '../../crypto/x509.ts';
import type { NonEmpty } from '../../kernel/non-empty.ts';
import { quoted } from '../../kernel/quoted.ts';
import {
  type CertificateLog,
  isWithin,
  type SigstoreRoot,
} from '../../trust/sigstore/sigstore-root.ts';
import { fail, pass } from '../finding.ts';
import type { Finding } from '../signature-format.ts';

/**
 * Counts the certificate transparency logs of the root that have promised to take the signer's
 * certificate in (RFC 6962, section 3.2), by distinct operators. Promises of logs that are not
 * known, or were none at the time, and those that do not verify, count nothing.
 */
export function checkCertificateLog(
  [leaf, issuer]: NonEmpty<Certificate>,
  { certificateLogs }: SigstoreRoot,
  minLogs: number,
): Finding {
  if (minLogs === 0) return pass({ logs: 'none asked for' });
  if (issuer === undefined) {
    return fail('no-trusted-signer', 'its certificate is an authority of the trusted root itself');
  }
  const timestamps = readEmbeddedTimestamps(leaf);
  const seen = timestamps.flatMap((timestamp) => {
    const log = certificateLogs.find(({ logId }) => isSameBytes(logId, timestamp.logId));
    return log !== undefined && isPromiseOf(timestamp, leaf, issuer, log)
      ? [{ log, timestamp }]
      : [];
  });
  const count = new Set(seen.map(({ log }) => log.operator)).size;
  if (count < minLogs) {
    const because = `${count} of ${minLogs} certificate transparency logs have its certificate, by ${timestamps.length} promises in it`;
    return fail('log-unproven', because);
  }
  const names = seen.map(
    ({ log, timestamp }) => `${quoted(log.baseUrl)} at ${timestamp.time.toISOString()}`,
  );
  return pass({ logs: names.join(', ') });
}

function isPromiseOf(
  timestamp: SignedCertificateTimestamp,
  leaf: Certificate,
  issuer: Certificate,
  { logId, publicKey, validFor }: CertificateLog,
): boolean {
  const key = { id: logId, publicKey: publicKey.key };
  return isWithin(validFor, timestamp.time) && isEmbeddedTimestampOf(timestamp, leaf, issuer, key);
}
