import { type BundleInspection, inspectBundle } from '../airgap/inspect-bundle.ts';
import { type BundleVerification, verifyBundle } from '../airgap/verify-bundle.ts';
import { readFileBounded } from '../files/read-file.ts';
import type { Clock } from '../kernel/clock.ts';
import { readFailure } from './read-failure.ts';
import { StartupError } from './startup-error.ts';

export type { BundleInspection, InspectedImage } from '../airgap/inspect-bundle.ts';
export type { BundleFinding, BundleVerification } from '../airgap/verify-bundle.ts';

const maxRootBytes = 512 * 1024;

/** A bundle in one or more folders, and by whose word it is believed. */
export interface BundlePlace {
  readonly folders: readonly string[];
  /** The file of a pinned root; undefined: the bundle's own. */
  readonly root: string | undefined;
}

/** What is in a bundle. Throws `AirgapError`, and `StartupError` for a root that can't be read. */
export async function inspectAirgap(
  { folders, root }: BundlePlace,
  clock: Clock,
): Promise<BundleInspection> {
  return inspectBundle(folders, await readPinned(root), clock.now());
}

/** Whether a bundle is whole, and whose it is. Throws as `inspectAirgap` does. */
export async function verifyAirgap(
  { folders, root }: BundlePlace,
  onProgress: (doneBytes: number, totalBytes: number) => void,
  clock: Clock,
  signal: AbortSignal,
): Promise<BundleVerification> {
  const pinned = await readPinned(root);
  return verifyBundle({ places: folders, root: pinned, now: clock.now(), onProgress }, signal);
}

async function readPinned(file: string | undefined): Promise<Uint8Array | undefined> {
  if (file === undefined) return undefined;
  return readFileBounded(file, maxRootBytes).catch((cause: unknown) => {
    const message = `${file} can not be read: ${readFailure(cause)}`;
    throw new StartupError('TRUST_STORE_UNUSABLE', message, { cause });
  });
}
