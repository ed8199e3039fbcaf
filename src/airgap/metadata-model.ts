import { Metadata, MetadataKind, type Root, type Targets } from '@tufjs/models';
import type { Snapshot, Timestamp } from '@tufjs/models';
import { parseRfc3339 } from '../crypto/rfc3339.ts';
import { isObject, type JsonObject, readJson } from '../kernel/json.ts';
import { quoted } from '../kernel/quoted.ts';
import { messageOf } from '../kernel/tagged-error.ts';
import { AirgapError } from './airgap-error.ts';
import { isStream, isTrustPath } from './bundle-document-rules.ts';
import { checkRootKeys, type TufKey } from './metadata-keys.ts';
import type { BundleRole } from './metadata-state.ts';

interface SignedByRole {
  readonly root: Root;
  readonly targets: Targets;
  readonly snapshot: Snapshot;
  readonly timestamp: Timestamp;
}

/** Metadata that were read and of which nothing is verified yet. */
export interface RoleMetadata<R extends BundleRole = BundleRole> {
  readonly role: R;
  /** From 1. */
  readonly version: number;
  readonly expires: Date;
  readonly bytes: Uint8Array;
  readonly metadata: Metadata<SignedByRole[R]>;
}

/** The field of root metadata that names the stream; TUF leaves room for such. */
export const streamField = 'x-assay-stream';

/** Bytes that metadata of each role may have; what is larger is not read. */
export const maxMetadataBytes = {
  root: 512 * 1024,
  timestamp: 16 * 1024,
  snapshot: 2 * 1024 * 1024,
  targets: 64 * 1024 * 1024,
} as const satisfies Record<BundleRole, number>;

/** Each step of the models is as dear as there are targets before it. */
export const maxTargets = 4_096;
const maxSignatures = 64;
/** Of JSON: many times those of as many targets. What is read is not always signed yet. */
const maxValues = 100_000;

const kinds = {
  root: MetadataKind.Root,
  targets: MetadataKind.Targets,
  snapshot: MetadataKind.Snapshot,
  timestamp: MetadataKind.Timestamp,
} as const satisfies Record<BundleRole, MetadataKind>;

/**
 * Reads metadata of one role (TUF specification, section 4) as strictly as we write them. Throws
 * `AirgapError`, METADATA_MALFORMED.
 */
export function readRole<R extends BundleRole>(role: R, untrusted: Uint8Array): RoleMetadata<R> {
  try {
    if (untrusted.length > maxMetadataBytes[role]) {
      throw new TypeError(`it is larger than ${maxMetadataBytes[role]} bytes`);
    }
    const json = readJson(untrusted, undefined, maxValues);
    if (!isObject(json) || !isObject(json['signed'])) throw new TypeError('signed is missing');
    const { signatures } = json;
    if (!Array.isArray(signatures) || signatures.length > maxSignatures) {
      throw new TypeError(`signatures is no list of at most ${maxSignatures}`);
    }
    const expires = checkSigned(role, json['signed']);
    const metadata = toModel(role, json);
    return { role, version: metadata.signed.version, expires, bytes: untrusted, metadata };
  } catch (cause) {
    if (cause instanceof AirgapError) throw cause;
    const message = `the ${role} metadata are malformed: ${messageOf(cause)}`;
    throw new AirgapError('METADATA_MALFORMED', message, { cause });
  }
}

/** Ids of the keys of the role, by that root, that signed the metadata; each key counts once. */
export function signersOf(
  { metadata: { signed: root } }: RoleMetadata<'root'>,
  { role, metadata }: RoleMetadata,
): readonly string[] {
  return keyIdsOf(root, role).filter((id) => {
    const key = root.keys[id];
    try {
      key?.verifySignature(metadata);
      return key !== undefined;
    } catch {
      // The models have no other way to say that it is not this key's signature.
      return false;
    }
  });
}

export function thresholdOf({ metadata: { signed } }: RoleMetadata<'root'>, role: BundleRole) {
  return signed.roles[role]?.threshold ?? Infinity;
}

export function keyIdsOf(root: Root, role: BundleRole): readonly string[] {
  return root.roles[role]?.keyIDs ?? [];
}

/** The keys of a role, as they stand in the root. */
export function formerKeys(
  { metadata: { signed: root } }: RoleMetadata<'root'>,
  role: BundleRole,
): readonly TufKey[] {
  return keyIdsOf(root, role).flatMap((id) => {
    const { keyType, scheme, keyVal } = root.keys[id] ?? {};
    // As `checkRootKeys` found them.
    return [{ id, keytype: keyType, scheme, public: keyVal?.['public'] } as TufKey];
  });
}

export function streamOf({ metadata: { signed } }: RoleMetadata<'root'>): string {
  const stream = signed.unrecognizedFields[streamField];
  return typeof stream === 'string' ? stream : '';
}

function toModel<R extends BundleRole>(role: R, json: JsonObject): Metadata<SignedByRole[R]> {
  const data = json as Parameters<typeof Metadata.fromJSON>[1];
  return Metadata.fromJSON(kinds[role] as MetadataKind.Root, data) as Metadata<
    Root | Targets | Snapshot | Timestamp
  > as Metadata<SignedByRole[R]>;
}

/** What the models leave open. Returns when the metadata expire. */
function checkSigned(role: BundleRole, signed: JsonObject): Date {
  const { version, expires, spec_version: specification } = signed;
  if (!isCount(version) || version < 1) throw new TypeError('version is no number from 1');
  if (typeof specification !== 'string' || !/^1\.\d{1,4}(?:\.\d{1,4})?$/.test(specification)) {
    throw new TypeError('spec_version is not 1.x');
  }
  const end = typeof expires === 'string' ? parseRfc3339(expires) : undefined;
  if (end === undefined) throw new TypeError('expires is no time');
  checks[role](signed);
  return end;
}

const checks: Readonly<Record<BundleRole, (signed: JsonObject) => void>> = {
  root: checkRoot,
  targets: checkTargets,
  snapshot: ({ meta }) => checkMeta(meta, 'targets.json'),
  timestamp: ({ meta }) => checkMeta(meta, 'snapshot.json'),
};

function checkRoot(signed: JsonObject): void {
  const stream = signed[streamField];
  if (typeof stream !== 'string' || !isStream(stream)) {
    throw new TypeError(`${streamField} names no stream`);
  }
  if (signed['consistent_snapshot'] !== true)
    throw new TypeError('consistent_snapshot is not true');
  checkRootKeys(signed);
}

function checkTargets({ targets, delegations }: JsonObject): void {
  if (delegations !== undefined) throw new TypeError('bundles have no delegations');
  if (!isObject(targets)) throw new TypeError('targets is missing');
  const entries = Object.entries(targets);
  if (entries.length > maxTargets) throw new TypeError(`more than ${maxTargets} targets`);
  for (const [path, target] of entries) {
    if (!isTargetPath(path)) throw new TypeError(`${quoted(path)} is no target of a bundle`);
    checkFile(target, path);
  }
}

/** Exactly the one role below, with all that says which file it is. */
function checkMeta(meta: JsonObject[string] | undefined, name: string): void {
  if (!isObject(meta) || Object.keys(meta).join() !== name) {
    throw new TypeError(`meta is not of ${name} alone`);
  }
  checkFile(meta[name], name);
  const file = meta[name];
  if (!isObject(file) || !isCount(file['version']) || file['version'] < 1) {
    throw new TypeError(`${name} has no version`);
  }
}

function checkFile(file: JsonObject[string] | undefined, name: string): void {
  const hashes = isObject(file) ? file['hashes'] : undefined;
  const hash = isObject(hashes) ? hashes['sha256'] : undefined;
  if (typeof hash !== 'string' || !/^[a-f0-9]{64}$/.test(hash)) {
    throw new TypeError(`${quoted(name)} has no SHA-256`);
  }
  if (!isObject(file) || !isCount(file['length'])) {
    throw new TypeError(`${quoted(name)} has no length`);
  }
}

const fixedTargets = ['bundle.json', 'blobs.idx', 'volumes.json'];

/** Whether it may be a target: its path leads to a file below `targets/`. */
export function isTargetPath(path: string): boolean {
  return fixedTargets.includes(path) || isTrustPath(path);
}

function isCount(value: JsonObject[string] | undefined): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}
