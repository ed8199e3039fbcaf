import { join } from 'node:path';
import { readJsonFields } from '../crypto/json-fields.ts';
import { isNonEmpty, type NonEmpty } from '../kernel/non-empty.ts';
import { messageOf } from '../kernel/tagged-error.ts';
import type { Signer } from '../signers/signer.ts';
import { AirgapError } from './airgap-error.ts';
import { readSmall } from './metadata-files.ts';
import { type RoleMetadata, streamOf } from './metadata-model.ts';
import { lastOfRoots, readRoot } from './metadata-roots.ts';
import { type BundleRole, bundleRoles } from './metadata-state.ts';
import type { BundleKeys } from './metadata-writer.ts';

/** Where the keys of each role are, as URIs; those of the root may be elsewhere, and none here. */
export type KeyRing = Readonly<Record<BundleRole, readonly string[]>>;

/** Opens the key of a URI; paths are relative to the folder of keys. */
export type OpenKey = (uri: string) => Promise<Signer>;

/** The keys of a stream, ready to sign. */
export interface OpenedKeys extends BundleKeys {
  readonly stream: string;
  /** From then on it vouches for nothing. */
  readonly rootExpires: Date;
}

/** Keys and roots of a stream as a folder has them. */
export interface KeyFolder {
  readonly folder: string;
  readonly roots: NonEmpty<Uint8Array>;
  /** The newest of them. */
  readonly root: RoleMetadata<'root'>;
  readonly ring: KeyRing;
}

const maxRingBytes = 64 * 1024;
const maxKeysOfRole = 32;

/**
 * Opens the keys of a folder that `airgap init` made, but for those of the root, which sign roots
 * alone. Throws `AirgapError`, KEYS_UNUSABLE.
 */
export async function openKeys(folder: string, openKey: OpenKey): Promise<OpenedKeys> {
  const { roots, root, ring } = await readKeyFolder(folder);
  return {
    stream: streamOf(root),
    rootExpires: root.expires,
    roots,
    signers: {
      targets: await openRole(ring.targets, openKey),
      snapshot: await openRole(ring.snapshot, openKey),
      timestamp: await openRole(ring.timestamp, openKey),
    },
  };
}

export function openRole(uris: readonly string[], openKey: OpenKey): Promise<readonly Signer[]> {
  const open = async (uri: string): Promise<Signer> => {
    try {
      return await openKey(uri);
    } catch (cause) {
      throw unusable(messageOf(cause), cause);
    }
  };
  return Promise.all(uris.map(open));
}

/** Throws `AirgapError`, KEYS_UNUSABLE, also for a folder without keys. */
export async function readKeyFolder(folder: string): Promise<KeyFolder> {
  const roots = await readRoots(folder);
  if (!isNonEmpty(roots)) {
    throw unusable(`${folder} has no 1.root.json: make keys with assay airgap init --out FOLDER`);
  }
  let root: RoleMetadata<'root'>;
  try {
    root = lastOfRoots(roots);
  } catch (cause) {
    throw unusable(`the roots in ${folder} can not be used: ${messageOf(cause)}`, cause);
  }
  const ring = await readRing(folder, root.version);
  if (ring === undefined) throw unusable(`${ringFile(folder, root.version)} is not there`);
  return { folder, roots, root, ring };
}

/** From the first on, without a gap. */
export async function readRoots(folder: string): Promise<readonly Uint8Array[]> {
  const roots: Uint8Array[] = [];
  for (;;) {
    const next = await readRoot(folder, roots.length + 1);
    if (next === undefined) return roots;
    roots.push(next.bytes);
  }
}

/** The keys that go with the root of that version; undefined where there is no such file. */
export async function readRing(folder: string, version: number): Promise<KeyRing | undefined> {
  const file = ringFile(folder, version);
  const bytes = await readSmall(file, maxRingBytes, 'METADATA_MALFORMED');
  if (bytes === undefined) return undefined;
  const fields = readJsonFields(bytes, (why, cause) => unusable(`${file}: ${why}`, cause));
  fields.expectOnly(...bundleRoles);
  const [root = [], targets = [], snapshot = [], timestamp = []] = bundleRoles.map((role) =>
    fields.texts(role, maxKeysOfRole),
  );
  return { root, targets, snapshot, timestamp };
}

export function ringFile(folder: string, version: number): string {
  return join(folder, `${version}.keys.json`);
}

function unusable(message: string, cause?: unknown): AirgapError {
  return new AirgapError('KEYS_UNUSABLE', message, { cause });
}
