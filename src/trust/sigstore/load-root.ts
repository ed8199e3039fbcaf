import { stat } from 'node:fs/promises';
import { readFileBounded } from '../../files/read-file.ts';
import { messageOf } from '../../kernel/tagged-error.ts';
import { TrustError } from '../trust-error.ts';
import type { FileSource, SigstoreRootSource, TufRepository } from './root-source.ts';
import type { SigstoreRoot } from './sigstore-root.ts';
import { maxTrustedRootBytes, readTrustedRoot } from './trusted-root.ts';
import { expiryOf, readTufState } from './tuf-state.ts';

/** A Sigstore root as loaded, and how fresh it is. */
export interface LoadedSigstoreRoot {
  readonly root: SigstoreRoot;
  /** A path, or the URL of a TUF repository. */
  readonly from: string;
  /** `seed`: as it came with this version, before the first update. */
  readonly kind: 'file' | 'tuf' | 'seed';
  /** When it was last known to be the newest: of a file its last change; of a seed unknown. */
  readonly asOf?: Date;
  /** From when on it is not trusted any more; a plain file has no end of its own. */
  readonly expiresAt?: Date;
}

export interface LoadRootOptions {
  /** Whether it is refreshed over the network, or stays as it is: see `expiryOf`. */
  readonly mode: 'refreshed' | 'offline';
}

/**
 * The root of a source as it is on this machine; opens no socket. Undefined where a TUF repository
 * was never reached and came with no seed. Throws `TrustError` for one that can't be read.
 */
export async function loadSigstoreRoot(
  source: SigstoreRootSource,
  options: LoadRootOptions,
): Promise<LoadedSigstoreRoot | undefined> {
  return source.kind === 'file' ? loadFile(source) : loadRepository(source, options);
}

async function loadFile({ file }: FileSource): Promise<LoadedSigstoreRoot> {
  try {
    const { mtime } = await stat(file);
    const root = readTrustedRoot(await readFileBounded(file, maxTrustedRootBytes));
    return { root, from: file, kind: 'file', asOf: mtime };
  } catch (cause) {
    const isMalformed = cause instanceof TrustError;
    const code = isMalformed ? 'SIGSTORE_ROOT_MALFORMED' : 'SIGSTORE_ROOT_UNAVAILABLE';
    throw new TrustError(code, `${file}: ${messageOf(cause)}`, { cause });
  }
}

async function loadRepository(
  repository: TufRepository,
  { mode }: LoadRootOptions,
): Promise<LoadedSigstoreRoot | undefined> {
  const { url, begunWith, seed, rootJson, stateFile } = repository;
  const state = await readTufState(stateFile).catch(passByDamage);
  if (state?.url === url && state.begunWith === begunWith) {
    return {
      root: readTrustedRoot(state.trustedRoot),
      from: url,
      kind: 'tuf',
      asOf: state.verifiedAt,
      expiresAt: expiryOf(state.metadata, mode),
    };
  }
  if (seed === undefined) return undefined;
  const expiresAt = expiryOf({ root: Buffer.from(rootJson).toString('utf8') }, mode);
  return { root: readTrustedRoot(seed), from: url, kind: 'seed', expiresAt };
}

/** A damaged state is as none: the next update makes it anew. */
export function passByDamage(error: unknown): undefined {
  if (error instanceof TrustError && error.code === 'SIGSTORE_ROOT_MALFORMED') return undefined;
  throw error;
}
