import { mkdir, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { isNonEmpty } from '../kernel/non-empty.ts';
import { messageOf } from '../kernel/tagged-error.ts';
import { unlessAbsent } from '../storage/file-system.ts';
import { AirgapError } from './airgap-error.ts';
import { writeFailure } from './file-failure.ts';
import {
  type CeremonyTools,
  completeRing,
  formerPlan,
  mapRoles,
  type NamedKeys,
  openKeysOf,
  openRing,
  rolePlan,
  signersIn,
  writeRing,
} from './key-ring.ts';
import { readKeyFolder, readRoots } from './keys.ts';
import { readSmall, writeDurable } from './metadata-files.ts';
import {
  maxMetadataBytes,
  readRole,
  type RoleMetadata,
  streamOf,
  thresholdOf,
} from './metadata-model.ts';
import { lastOfRoots } from './metadata-roots.ts';
import { addSignatures, makeRoot, signMetadata } from './metadata-signing.ts';
import type { BundleRole } from './metadata-state.ts';

export interface NewKeys {
  readonly folder: string;
  /** 32 hex digits that nobody else has. */
  readonly stream: string;
  readonly expires: Date;
  /** URIs of keys that are there; for the other roles keys are made. */
  readonly uris: NamedKeys;
  /** 1 unless told. */
  readonly thresholds: Partial<Record<BundleRole, number>>;
}

/** What became of a root: in force, or a draft that more have to sign. */
export interface CeremonyResult {
  readonly state: 'in-force' | 'draft';
  readonly file: string;
  readonly root: RoleMetadata<'root'>;
  /** Why it is a draft. */
  readonly missing: string | undefined;
}

/** Makes the keys and the first root of a stream, in a folder that has none. Throws `AirgapError`. */
export async function initKeys(
  { folder, stream, expires, uris, thresholds }: NewKeys,
  tools: CeremonyTools,
): Promise<CeremonyResult> {
  await makePrivateFolder(folder);
  if ((await readRoots(folder)).length > 0) {
    const told = `${folder} has a root already: keys are never written over`;
    throw new AirgapError('KEYS_UNUSABLE', told);
  }
  await refuseDraft(folder, 1);
  const needed = mapRoles((role) => thresholds[role] ?? 1);
  const ring = await completeRing(folder, 1, uris, needed, tools);
  const keys = await openRing(ring, tools);
  const roles = mapRoles((role) => rolePlan(keys[role], needed[role], role));
  const root = makeRoot({ stream, version: 1, expires, roles });
  const bytes = await signMetadata(root, signersIn(keys.root), tools.signal);
  await writeRing(folder, 1, ring);
  return await settle(folder, [], bytes);
}

export interface Rotation {
  readonly folder: string;
  /** Roles that get new keys; none: the root is the same but for its end. */
  readonly roles: readonly BundleRole[];
  readonly expires: Date;
  /** URIs of keys that are there, for roles of those. */
  readonly uris: NamedKeys;
  /** As before unless told. */
  readonly thresholds: Partial<Record<BundleRole, number>>;
}

/**
 * Makes the next root of a stream, with new keys for some of its roles; signs it with what root
 * keys are there, old and new. Old keys stay where they are, for a person to delete.
 */
export async function rotateKeys(
  { folder, roles: rotated, expires, uris, thresholds }: Rotation,
  tools: CeremonyTools,
): Promise<CeremonyResult> {
  const { roots, root, ring: before } = await readKeyFolder(folder);
  const version = root.version + 1;
  await refuseDraft(folder, version);
  const named = mapRoles((role) => (rotated.includes(role) ? uris[role] : before[role]));
  const needed = mapRoles((role) => thresholds[role] ?? thresholdOf(root, role));
  const ring = await completeRing(folder, version, named, needed, tools);
  const keys = await openRing(ring, tools);
  const roles = mapRoles((role) =>
    rotated.includes(role)
      ? rolePlan(keys[role], needed[role], role)
      : formerPlan(root, role, needed[role]),
  );
  const unsigned = makeRoot({ stream: streamOf(root), version, expires, roles });
  const old = await openKeysOf(before.root, tools);
  const signers = signersIn([...old, ...keys.root]);
  const bytes = await signMetadata(unsigned, signers, tools.signal);
  await writeRing(folder, version, ring);
  return await settle(folder, roots, bytes);
}

/** Adds signatures to the draft that the folder has, and puts it in force where that is enough. */
export async function signDraft(
  folder: string,
  uris: readonly string[],
  tools: CeremonyTools,
): Promise<CeremonyResult> {
  const roots = await readRoots(folder);
  const draft = await readDraft(folder, roots.length + 1);
  if (draft === undefined) {
    throw new AirgapError('KEYS_UNUSABLE', `${draftFile(folder, roots.length + 1)} is not there`);
  }
  const signers = signersIn(await openKeysOf(uris, tools));
  const { metadata } = readRole('root', draft);
  return await settle(folder, roots, await addSignatures(metadata, signers, tools.signal));
}

/** Writes the root under its name, or as a draft where signatures are missing. */
async function settle(
  folder: string,
  before: readonly Uint8Array[],
  bytes: Uint8Array,
): Promise<CeremonyResult> {
  const root = readRole('root', bytes);
  const draft = draftFile(folder, root.version);
  const missing = missingOf([...before, bytes]);
  const state = missing === undefined ? 'in-force' : 'draft';
  const file = state === 'draft' ? draft : join(folder, `${root.version}.root.json`);
  await writeDurable(file, bytes);
  if (state === 'in-force') {
    await unlessAbsent(unlink(draft)).catch((cause: unknown) => {
      throw writeFailure(draft, cause);
    });
  }
  return { state, file, root, missing };
}

function missingOf(roots: readonly Uint8Array[]): string | undefined {
  try {
    if (isNonEmpty(roots)) lastOfRoots(roots);
    return undefined;
  } catch (error) {
    if (error instanceof AirgapError && error.code === 'METADATA_SIGNATURE') return error.message;
    throw new AirgapError('KEYS_UNUSABLE', messageOf(error), { cause: error });
  }
}

/** A root of the next version that more have to sign. */
function draftFile(folder: string, version: number): string {
  return join(folder, `${version}.root.json.draft`);
}

function readDraft(folder: string, version: number): Promise<Buffer | undefined> {
  return readSmall(draftFile(folder, version), maxMetadataBytes.root, 'METADATA_MALFORMED');
}

async function refuseDraft(folder: string, version: number): Promise<void> {
  if ((await readDraft(folder, version)) === undefined) return;
  const told = `${draftFile(folder, version)} waits for signatures: sign it, or delete it`;
  throw new AirgapError('KEYS_UNUSABLE', told);
}

async function makePrivateFolder(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 }).catch((cause: unknown) => {
    throw writeFailure(folder, cause);
  });
}
