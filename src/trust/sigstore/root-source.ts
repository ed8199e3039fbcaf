import { createHash } from 'node:crypto';
import seeds from '@sigstore/tuf/seeds.json' with { type: 'json' };

/** Where a Sigstore root comes from. */
export type SigstoreRootSource = FileSource | TufRepository;

/** A `trusted_root.json`, as it lies there. */
export interface FileSource {
  readonly kind: 'file';
  readonly file: string;
}

/** A repository that is followed by TUF. */
export interface TufRepository {
  readonly kind: 'tuf';
  /** Of its metadata, without a slash at the end; targets are below `targets/`. */
  readonly url: string;
  /** The root.json that trust begins with. */
  readonly rootJson: Uint8Array;
  /** SHA-256 of it, lower-case hex. */
  readonly begunWith: string;
  /** The trusted root to hold before the first update; undefined: there is none till then. */
  readonly seed?: Uint8Array;
  /** Where its state is kept. */
  readonly stateFile: string;
}

const publicGoodUrl = 'https://tuf-repo-cdn.sigstore.dev';

/** Sigstore's own, with the root and trusted root that came with us. */
export function publicGood(stateFile: string): TufRepository {
  const seed = seeds[publicGoodUrl];
  const trustedRoot = Buffer.from(seed.targets['trusted_root.json'], 'base64');
  const rootJson = Buffer.from(seed['root.json'], 'base64');
  return { ...tufRepository(publicGoodUrl, rootJson, stateFile), seed: trustedRoot };
}

/** Somebody's own, with a root.json out of their hands. */
export function tufRepository(url: string, rootJson: Uint8Array, stateFile: string): TufRepository {
  const begunWith = createHash('sha256').update(rootJson).digest('hex');
  return { kind: 'tuf', url: url.replace(/\/+$/, ''), rootJson, begunWith, stateFile };
}
