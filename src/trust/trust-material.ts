import type { Certificate } from '../crypto/x509.ts';
import type { FiledRevocation } from './filed-revocation.ts';
import type { NotationTrustStoreName } from '../verdict/identity-requirement.ts';
import type { LoadedSigstoreRoot } from './sigstore/load-root.ts';

/** What we hold true before any signature is read, loaded whole and never changed in place. */
export interface TrustMaterial {
  /** Trust anchors by store, such as `ca:acme`; a store that is not there is undefined. */
  notationStore(name: NotationTrustStoreName): readonly Certificate[] | undefined;
  /** SHA-256 over the anchors of one store: part of what a verdict depends on. */
  notationStoreDigest(name: NotationTrustStoreName): string;
  /** Revocation data that the operator has put into files. */
  readonly filedRevocation?: FiledRevocation;
  /** The Sigstore root of that name; undefined where there is none, or none yet. */
  sigstoreRoot(name: string): LoadedSigstoreRoot | undefined;
  /** SHA-256 of its document: part of what a verdict depends on. */
  sigstoreRootDigest(name: string): string;
}

/** Trust material together with what it was made of, for those who show it. */
export interface LoadedTrustMaterial extends TrustMaterial {
  /** Every store that holds an anchor, whether anybody names it or not. */
  readonly notationStores: ReadonlyMap<NotationTrustStoreName, readonly Certificate[]>;
}
