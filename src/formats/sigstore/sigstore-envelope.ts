import type { Certificate } from '../../crypto/x509.ts';
import type { NonEmpty } from '../../kernel/non-empty.ts';
import type { UntrustedEnvelope } from '../signature-format.ts';
import type { DsseReading, ReadApart } from './read-apart.ts';

/**
 * Reads an envelope of one format; large ones in another thread. Throws or rejects with
 * `EnvelopeError`, and with what kept the thread from reading it.
 */
export type ReadSigstoreEnvelope = (
  untrusted: UntrustedEnvelope,
  sources: { readonly readApart: ReadApart; readonly signal: AbortSignal },
) => SigstoreEnvelope | Promise<SigstoreEnvelope>;

/** What a Sigstore bundle and cosign's annotations say alike, read but not believed. */
export interface SigstoreEnvelope {
  readonly content: SignedContent;
  /** Over the content: DER of r and s for ECDSA. */
  readonly signature: Uint8Array;
  readonly verifier: ClaimedVerifier;
  readonly logEntries: readonly ClaimedLogEntry[];
  /** TimeStampResp (RFC 3161), each. */
  readonly timestamps: readonly Uint8Array[];
  /** What the timestamps are over: the signature, or for cosign's `.att` the whole layer. */
  readonly timestamped: Uint8Array;
}

export type SignedContent =
  /** cosign's payload, a JSON that names the manifest. The signature is over these bytes. */
  | { readonly kind: 'simple-signing'; readonly payload: Uint8Array }
  /** An in-toto statement in a DSSE envelope. The signature is over its pre-authentication encoding. */
  | ({
      readonly kind: 'dsse';
      readonly payloadType: string;
      readonly payload: Uint8Array;
      /** The envelope as it lay in the registry; undefined where it was part of a bundle. */
      readonly envelope?: Uint8Array;
    } & DsseReading)
  /** The artifact itself, of which the bundle states the hash. */
  | {
      readonly kind: 'artifact';
      readonly hash: 'sha256' | 'sha384' | 'sha512';
      readonly digest: Uint8Array;
    };

/** Who the signature claims to be by: nothing here is trusted for being here. */
export type ClaimedVerifier =
  /** The leaf first. */
  | { readonly kind: 'certificate'; readonly chain: NonEmpty<Certificate> }
  | { readonly kind: 'public-key'; readonly hint?: string };

/** An entry of a transparency log, as the signature brings it along. */
export interface ClaimedLogEntry {
  /** The log's id, as its trusted root has it. */
  readonly logId: Uint8Array;
  /** The entry's place over all shards, from 0. */
  readonly logIndex: number;
  /** What the bundle says that the body is, such as `hashedrekord` and `0.0.1`. */
  readonly kind: string;
  readonly version: string;
  readonly body: Uint8Array;
  /** Rekor v1: seconds since 1970, believed only with a promise that verifies. */
  readonly integratedTimeSeconds?: number;
  /** Rekor v1: the signed entry timestamp. */
  readonly promise?: Uint8Array;
  readonly proof?: ClaimedInclusionProof;
}

export interface ClaimedInclusionProof {
  readonly index: number;
  readonly treeSize: number;
  readonly rootHash: Uint8Array;
  readonly hashes: readonly Uint8Array[];
  /** A signed note: see `crypto/checkpoint.ts`. */
  readonly checkpoint: string;
}
