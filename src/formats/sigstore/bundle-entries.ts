import { parseBase64 } from '../../crypto/base64.ts';
import type { JsonFields } from '../../crypto/json-fields.ts';
import { type BundleVersion, malformedBundle } from './bundle-version.ts';
import type { ClaimedInclusionProof, ClaimedLogEntry } from './sigstore-envelope.ts';

const maxEntries = 32;
/** A tree of 2^53 leaves has no longer way. */
const maxHashes = 64;

/** The log entries of a bundle (sigstore_rekor.proto); proto3 writes no zeros. */
export function readBundleEntries(
  material: JsonFields,
  version: BundleVersion,
): readonly ClaimedLogEntry[] {
  return material.objects('tlogEntries', maxEntries).map((entry) => readEntry(entry, version));
}

function readEntry(entry: JsonFields, version: BundleVersion): ClaimedLogEntry {
  entry.expectOnly(
    'logIndex',
    'logId',
    'kindVersion',
    'integratedTime',
    'inclusionPromise',
    'inclusionProof',
    'canonicalizedBody',
  );
  const logId = entry.object('logId');
  logId.expectOnly('keyId');
  const kindVersion = entry.object('kindVersion');
  kindVersion.expectOnly('kind', 'version');
  const promise = readPromise(entry);
  const proof = readProof(entry, version);
  if (version.demands === 'promise' && promise === undefined) {
    throw malformedBundle(`${entry.path}.inclusionPromise is missing`);
  }
  const integratedTimeSeconds = countOf(entry, 'integratedTime');
  return {
    logId: logId.bytes('keyId'),
    logIndex: countOf(entry, 'logIndex'),
    kind: kindVersion.text('kind'),
    version: kindVersion.text('version'),
    body: entry.bytes('canonicalizedBody'),
    ...(integratedTimeSeconds > 0 && { integratedTimeSeconds }),
    ...(promise && { promise }),
    ...(proof && { proof }),
  };
}

function readPromise(entry: JsonFields): Uint8Array | undefined {
  if (!entry.has('inclusionPromise')) return undefined;
  const promise = entry.object('inclusionPromise');
  promise.expectOnly('signedEntryTimestamp');
  return promise.has('signedEntryTimestamp') ? promise.bytes('signedEntryTimestamp') : undefined;
}

/** Without a checkpoint, as version 0.1 allows, it proves nothing and is as none. */
function readProof(
  entry: JsonFields,
  { demands }: BundleVersion,
): ClaimedInclusionProof | undefined {
  if (demands === 'promise' && !entry.has('inclusionProof')) return undefined;
  const proof = entry.object('inclusionProof');
  proof.expectOnly('logIndex', 'rootHash', 'treeSize', 'hashes', 'checkpoint');
  if (demands === 'promise' && !proof.has('checkpoint')) return undefined;
  const checkpoint = proof.object('checkpoint');
  checkpoint.expectOnly('envelope');
  return {
    index: countOf(proof, 'logIndex'),
    treeSize: countOf(proof, 'treeSize'),
    rootHash: proof.bytes('rootHash'),
    hashes: proof.texts('hashes', maxHashes).map((text) => {
      const hash = parseBase64(text, 'base64');
      if (hash !== undefined) return hash;
      throw malformedBundle(`${proof.path}.hashes has one that is no base64`);
    }),
    checkpoint: checkpoint.text('envelope'),
  };
}

function countOf(fields: JsonFields, name: string): number {
  return fields.has(name) ? fields.count(name) : 0;
}
