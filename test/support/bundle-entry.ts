import { createHash, sign } from 'node:crypto';
import { pathTo, rootOf } from './sigstore-log.ts';
import { spkiOf, testKey } from './test-keys.ts';

/** How an entry is wrong; without overrides a log of that name has it as it should be. */
export interface LogOverrides {
  /** Of the log; its key follows. */
  readonly log?: string;
  readonly time?: string;
  readonly logIndex?: number;
  /** Entries before and behind it in the tree. */
  readonly before?: number;
  readonly behind?: number;
  /** What the promise is over instead. */
  readonly promised?: Readonly<Record<string, unknown>>;
  /** The key that signs the promise, by its log's name. */
  readonly promisedBy?: string;
  readonly checkpoint?: {
    /** The key that signs it, by its log's name. */
    readonly signedBy?: string;
    readonly origin?: string;
    readonly name?: string;
    readonly treeSize?: number;
    readonly rootHash?: Uint8Array;
    /** More lines below it. */
    readonly cosigners?: readonly string[];
  };
}

const sha256 = (...parts: readonly Uint8Array[]): Buffer => {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest();
};

export const logKey = (name: string) => testKey('EC-256', `log/${name}`);
export const logId = (name: string): Buffer => sha256(spkiOf(logKey(name)));
export const logHost = (name: string): string => `${name}.example.test`;

/** An entry of a bundle (sigstore_rekor.proto) with a promise and a proof: Rekor v1's. */
export function logged(
  body: Uint8Array,
  kindVersion: { readonly kind: string; readonly version: string },
  overrides: LogOverrides = {},
) {
  const { log = 'rekor', time = '2030-01-01T00:00:01Z', logIndex = 1007 } = overrides;
  const integratedTime = Math.floor(Date.parse(time) / 1000);
  const promised = {
    body: Buffer.from(body).toString('base64'),
    integratedTime,
    logID: logId(log).toString('hex'),
    logIndex,
    ...overrides.promised,
  };
  const signed = Buffer.from(JSON.stringify(promised));
  const promise = sign('sha256', signed, logKey(overrides.promisedBy ?? log));
  return {
    logIndex: String(logIndex),
    logId: { keyId: logId(log).toString('base64') },
    kindVersion,
    integratedTime: String(integratedTime),
    inclusionPromise: { signedEntryTimestamp: promise.toString('base64') },
    inclusionProof: proofOf(body, log, overrides),
    canonicalizedBody: Buffer.from(body).toString('base64'),
  };
}

export type BundleEntry = ReturnType<typeof logged>;

/** The same as Rekor v2 has it: neither promise nor time. */
export function loggedV2(
  body: Uint8Array,
  kindVersion: { readonly kind: string; readonly version: string },
  overrides: LogOverrides = {},
) {
  const {
    integratedTime: _time,
    inclusionPromise: _promise,
    ...entry
  } = logged(body, kindVersion, overrides);
  return entry;
}

function proofOf(body: Uint8Array, log: string, overrides: LogOverrides) {
  const { before = 4, behind = 6, checkpoint = {} } = overrides;
  const filler = (number: number): Buffer => Buffer.from(`entry ${number}`);
  const leaves = [
    ...Array.from({ length: before }, (_, number) => filler(number)),
    Buffer.from(body),
    ...Array.from({ length: behind }, (_, number) => filler(before + number)),
  ].map((leaf) => sha256(Uint8Array.of(0), leaf));
  const rootHash = rootOf(leaves);
  const { origin = logHost(log), name = logHost(log), signedBy = log, cosigners = [] } = checkpoint;
  const { treeSize = leaves.length } = checkpoint;
  const root = Buffer.from(checkpoint.rootHash ?? rootHash).toString('base64');
  const text = `${origin}\n${treeSize}\n${root}\n`;
  const signature = sign('sha256', Buffer.from(text), logKey(signedBy));
  const line = Buffer.concat([logId(log).subarray(0, 4), signature]).toString('base64');
  return {
    logIndex: String(before),
    rootHash: rootHash.toString('base64'),
    treeSize: String(leaves.length),
    hashes: pathTo(before, leaves).map((hash) => hash.toString('base64')),
    checkpoint: {
      envelope: `${text}\n${[...cosigners, `\u2014 ${name} ${line}`].map((each) => `${each}\n`).join('')}`,
    },
  };
}
