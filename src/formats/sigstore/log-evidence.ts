import { isCheckpointSignedBy, readCheckpoint } from '../../crypto/checkpoint.ts';
import { leafHash, rootOfProof } from '../../crypto/merkle.ts';
import { isSameBytes } from '../../crypto/same-bytes.ts';
import { signedEntryTimestampInput } from '../../crypto/signed-entry-timestamp.ts';
import { verifyWithKey } from '../../crypto/sigstore-key.ts';
import { oncePer } from '../../kernel/once.ts';
import { quoted } from '../../kernel/quoted.ts';
import {
  isWithin,
  type SigstoreRoot,
  type TransparencyLog,
} from '../../trust/sigstore/sigstore-root.ts';
import type { ClaimedInclusionProof, ClaimedLogEntry } from './sigstore-envelope.ts';
import type { Witness } from './witness.ts';

export type LogEvidence =
  | { readonly kind: 'there'; readonly witness: Witness }
  /** Of a log that is not known, or was none at the time. */
  | { readonly kind: 'passed-by'; readonly because: string }
  /** A known log does not say what it is made to say. */
  | { readonly kind: 'broken'; readonly because: string };

/**
 * Whether the entry is in a log of the root, by everything that it brings along: the promise of
 * Rekor v1 (its signature over body, time, log and place), the proof that leads to a root hash
 * (RFC 6962), the checkpoint in which the log signed that. At least one of promise and proof. Throws
 * `EnvelopeError` for a malformed checkpoint.
 */
export function judgeEvidence(
  entry: ClaimedLogEntry,
  root: SigstoreRoot,
  times: readonly Date[],
): LogEvidence {
  const log = root.logs.find(({ logId }) => isSameBytes(logId, entry.logId));
  if (log === undefined) {
    const id = Buffer.from(entry.logId).toString('hex').slice(0, 16);
    return { kind: 'passed-by', because: `no log ${id} is known` };
  }
  const fault = findFault(log)(entry);
  if (fault !== undefined) {
    const because = `the entry ${entry.logIndex} of ${quoted(log.name)} ${fault}`;
    return { kind: 'broken', because };
  }
  const instant = promisedTimeOf(entry);
  const asOf = instant === undefined ? times : [instant];
  const outside = asOf.find((time) => !isWithin(log.validFor, time));
  if (outside !== undefined) {
    const because = `${quoted(log.name)} is not trusted at ${outside.toISOString()}`;
    return { kind: 'passed-by', because };
  }
  const name = `${quoted(log.name)} #${entry.logIndex}`;
  const { operator } = log;
  if (instant === undefined) return { kind: 'there', witness: { name, operator } };
  const time = { earliest: instant, latest: instant };
  return { kind: 'there', witness: { name, operator, instant, time } };
}

/** The time stands in the promise: without one nobody signed it. */
function promisedTimeOf({ promise, integratedTimeSeconds }: ClaimedLogEntry): Date | undefined {
  if (promise === undefined || integratedTimeSeconds === undefined) return undefined;
  return new Date(integratedTimeSeconds * 1000);
}

/** Once for each entry under the log's key, however many identities the signature is held against. */
const findFault = oncePer((log: TransparencyLog) =>
  oncePer((entry: ClaimedLogEntry): string | undefined => {
    const { promise, proof } = entry;
    if (promise === undefined && proof === undefined) return 'has neither promise nor proof';
    if (promise !== undefined && !isPromised(entry, promise, log)) {
      return 'has a signed entry timestamp that does not verify';
    }
    return proof && findProofFault(entry, proof, log);
  }),
);

/** Later than any date of ECMAScript would be no time at all. */
const maxSeconds = 8.64e12;

function isPromised(
  { body, integratedTimeSeconds, logId, logIndex }: ClaimedLogEntry,
  promise: Uint8Array,
  { publicKey, algorithm }: TransparencyLog,
): boolean {
  if (integratedTimeSeconds === undefined || integratedTimeSeconds > maxSeconds) return false;
  const input = signedEntryTimestampInput({ body, integratedTimeSeconds, logId, logIndex });
  return verifyWithKey(publicKey.key, algorithm, input, promise);
}

function findProofFault(
  { body }: ClaimedLogEntry,
  proof: ClaimedInclusionProof,
  log: TransparencyLog,
): string | undefined {
  const root = rootOfProof(leafHash(body), proof);
  if (root === undefined || !isSameBytes(root, proof.rootHash)) {
    return 'has an inclusion proof that does not lead to its root hash';
  }
  const checkpoint = readCheckpoint(proof.checkpoint);
  if (checkpoint.treeSize !== proof.treeSize || !isSameBytes(checkpoint.rootHash, root)) {
    return 'has a checkpoint of another tree';
  }
  const { name, keyHint, algorithm, publicKey } = log;
  const key = { name, keyHint, algorithm, publicKey: publicKey.key };
  return isCheckpointSignedBy(checkpoint, key)
    ? undefined
    : 'has a checkpoint that the log did not sign';
}
