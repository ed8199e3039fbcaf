import { createHash } from 'node:crypto';
import { type JsonFields, readJsonFields } from '../../crypto/json-fields.ts';
import { quoted } from '../../kernel/quoted.ts';
import { readAuthority } from './root-authorities.ts';
import { readCertificateLog, readTransparencyLog } from './root-logs.ts';
import { malformedRoot, UnacceptedKeyError } from './root-problem.ts';
import type { CertificateLog, SigstoreRoot, TransparencyLog } from './sigstore-root.ts';

/** A hundred times what the public good's has. */
export const maxTrustedRootBytes = 1024 * 1024;

const maxEntries = 64;
const mediaTypes = new Set([
  'application/vnd.dev.sigstore.trustedroot+json;version=0.1',
  'application/vnd.dev.sigstore.trustedroot+json;version=0.2',
  'application/vnd.dev.sigstore.trustedroot.v0.1+json',
  'application/vnd.dev.sigstore.trustedroot.v0.2+json',
]);

/**
 * Reads a `trusted_root.json` (Sigstore protobuf-specs, sigstore_trustroot.proto; JSON as proto3
 * writes it), version 0.1 or 0.2. Throws `TrustError` for anything that is wrong, also an entry
 * without a start of its validity and a key that stands twice; unknown fields are passed by where
 * they could not narrow what is trusted. Entries with keys that are not accepted are left out.
 */
export function readTrustedRoot(bytes: Uint8Array): SigstoreRoot {
  if (bytes.length > maxTrustedRootBytes) {
    throw malformedRoot(`it is larger than ${maxTrustedRootBytes} bytes`);
  }
  const root = readJsonFields(bytes, malformedRoot);
  const mediaType = root.text('mediaType');
  if (!mediaTypes.has(mediaType)) throw malformedRoot(`${quoted(mediaType)} is not its mediaType`);
  const leftOut: string[] = [];
  const readAll = <T>(name: string, read: (entry: JsonFields) => T): readonly T[] =>
    root.objects(name, maxEntries).flatMap((entry) => accept(entry, read, leftOut) ?? []);
  const logs = readAll('tlogs', readTransparencyLog);
  const certificateLogs = readAll('ctlogs', readCertificateLog);
  assertDistinct(logs, 'tlogs');
  assertDistinct(certificateLogs, 'ctlogs');
  return {
    digest: createHash('sha256').update(bytes).digest('hex'),
    logs,
    certificateLogs,
    certificateAuthorities: readAll('certificateAuthorities', readAuthority),
    timestampAuthorities: readAll('timestampAuthorities', readAuthority),
    leftOut,
  };
}

/** A root that begins to use a new kind of key must not end trust in all the others. */
function accept<T>(
  entry: JsonFields,
  read: (entry: JsonFields) => T,
  leftOut: string[],
): T | undefined {
  try {
    return read(entry);
  } catch (error) {
    if (!(error instanceof UnacceptedKeyError)) throw error;
    leftOut.push(`${entry.path}: ${error.message}`);
    return undefined;
  }
}

function assertDistinct(logs: readonly (TransparencyLog | CertificateLog)[], what: string): void {
  const ids = new Set(logs.map(({ logId }) => Buffer.from(logId).toString('hex')));
  const keys = new Set(logs.map(({ publicKey }) => publicKey.fingerprint));
  if (ids.size < logs.length || keys.size < logs.length) {
    throw malformedRoot(`${what} has the same log twice`);
  }
}
