import { createHash, type KeyObject, sign } from 'node:crypto';
import { leafHash } from '../../src/crypto/merkle.ts';
import { signedEntryTimestampInput } from '../../src/crypto/signed-entry-timestamp.ts';
import { spkiOf, testKey } from './test-keys.ts';

/** A transparency log as Rekor v1 is: a Merkle tree, promises and checkpoints by one P-256 key. */
export interface SigstoreLog {
  readonly privateKey: KeyObject;
  /** SHA-256 of the key's SPKI. */
  readonly logId: Buffer;
  readonly entries: readonly LoggedEntry[];
  /** Takes the body as it is. */
  append(body: Buffer, at: Date): LoggedEntry;
}

export interface LoggedEntry {
  readonly body: Buffer;
  readonly logIndex: number;
  readonly integratedTimeSeconds: number;
  /** The signed entry timestamp. */
  readonly promise: Buffer;
  /** In the tree as it was when the entry was the last one. */
  readonly proof: LoggedProof;
}

export interface LoggedProof {
  readonly treeSize: number;
  readonly rootHash: Buffer;
  readonly hashes: readonly Buffer[];
  readonly checkpoint: string;
}

/** The log whose key has that name, as `logEntry` of `trusted-root.ts` writes it into a root. */
export function makeSigstoreLog(name = 'rekor'): SigstoreLog {
  const privateKey = testKey('EC-256', `log/${name}`);
  const logId = createHash('sha256').update(spkiOf(privateKey)).digest();
  const entries: LoggedEntry[] = [];
  const leaves: Buffer[] = [];
  return {
    privateKey,
    logId,
    entries,
    append(body, at) {
      const logIndex = leaves.push(Buffer.from(leafHash(body))) - 1;
      const integratedTimeSeconds = Math.floor(at.getTime() / 1000);
      const input = signedEntryTimestampInput({ body, integratedTimeSeconds, logId, logIndex });
      const rootHash = rootOf(leaves);
      const tree = { treeSize: leaves.length, rootHash, hashes: pathTo(logIndex, leaves) };
      const checkpoint = checkpointOf(`${name}.example.test`, tree, privateKey, logId);
      const promise = sign('sha256', input, privateKey);
      const proof = { ...tree, checkpoint };
      const entry = { body, logIndex, integratedTimeSeconds, promise, proof };
      entries.push(entry);
      return entry;
    },
  };
}

const treeId = '1193050959916656506';

/** RFC 6962, section 2.1. */
export function rootOf(leaves: readonly Buffer[]): Buffer {
  const [first] = leaves;
  if (first === undefined) throw new TypeError('a tree has a leaf');
  if (leaves.length === 1) return first;
  const split = splitOf(leaves.length);
  return nodeHash(rootOf(leaves.slice(0, split)), rootOf(leaves.slice(split)));
}

/** RFC 6962, section 2.1.1: from the leaf upwards. */
export function pathTo(index: number, leaves: readonly Buffer[]): readonly Buffer[] {
  if (leaves.length === 1) return [];
  const split = splitOf(leaves.length);
  const [left, right] = [leaves.slice(0, split), leaves.slice(split)];
  return index < split
    ? [...pathTo(index, left), rootOf(right)]
    : [...pathTo(index - split, right), rootOf(left)];
}

/** The largest power of two below the size. */
function splitOf(size: number): number {
  return 2 ** Math.floor(Math.log2(size - 1));
}

function nodeHash(left: Buffer, right: Buffer): Buffer {
  return createHash('sha256').update(Uint8Array.of(1)).update(left).update(right).digest();
}

/**
 * C2SP tlog-checkpoint as Rekor v1 signs it: its origin has the number of a tree, by which clients
 * tell the versions apart, and the hint is the beginning of the log's id.
 */
function checkpointOf(
  name: string,
  { treeSize, rootHash }: Omit<LoggedProof, 'checkpoint'>,
  privateKey: KeyObject,
  logId: Buffer,
): string {
  const text = `${name} - ${treeId}\n${treeSize}\n${rootHash.toString('base64')}\n`;
  const signature = sign('sha256', Buffer.from(text), privateKey);
  const line = Buffer.concat([logId.subarray(0, 4), signature]).toString('base64');
  return `${text}\n\u2014 ${name} ${line}\n`;
}
