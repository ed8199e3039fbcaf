import {
  Key,
  Metadata,
  MetaFile,
  Root,
  Signature,
  Snapshot,
  TargetFile,
  Targets,
  Timestamp,
} from '@tufjs/models';
import { digestOf, encodedOf } from '../oci/digest.ts';
import type { Signer } from '../signers/signer.ts';
import type { TufKey } from './metadata-keys.ts';
import { toTufKey } from './metadata-keys.ts';
import { streamField } from './metadata-model.ts';
import { type BundleRole, bundleRoles } from './metadata-state.ts';

/** The version of the TUF specification that we write by. */
const specVersion = '1.0.31';

export interface RootPlan {
  readonly stream: string;
  readonly version: number;
  readonly expires: Date;
  readonly roles: Readonly<Record<BundleRole, RolePlan>>;
}

/** Whose signatures a role needs, and of how many. */
export interface RolePlan {
  readonly keys: readonly TufKey[];
  readonly threshold: number;
}

export interface TargetPlan {
  readonly path: string;
  readonly length: number;
  /** Lower-case hex. */
  readonly sha256: string;
}

interface Version {
  readonly version: number;
  readonly expires: Date;
}

/** Metadata that are to be signed. */
export type Unsigned = Root | Targets | Snapshot | Timestamp;

export function makeRoot({ stream, version, expires, roles }: RootPlan): Unsigned {
  const root = new Root({
    ...common({ version, expires }),
    unrecognizedFields: { [streamField]: stream },
  });
  for (const role of bundleRoles) {
    const { keys, threshold } = roles[role];
    for (const key of keys) root.addKey(toKey(key), role);
    const { [role]: made } = root.roles;
    if (made !== undefined) Object.assign(made, { threshold });
  }
  return root;
}

export function makeTargets(version: Version, targets: readonly TargetPlan[]): Unsigned {
  const files = targets.map(({ path, length, sha256 }) => {
    return [path, new TargetFile({ path, length, hashes: { sha256 } })] as const;
  });
  return new Targets({ ...common(version), targets: Object.fromEntries(files) });
}

export function makeSnapshot(version: Version, targets: Uint8Array): Unsigned {
  return new Snapshot({ ...common(version), meta: { 'targets.json': metaOf(version, targets) } });
}

export function makeTimestamp(version: Version, snapshot: Uint8Array): Unsigned {
  return new Timestamp({ ...common(version), snapshotMeta: metaOf(version, snapshot) });
}

/** The metadata with a signature of each of the signers. Throws what a signer throws. */
export async function signMetadata(
  unsigned: Unsigned,
  signers: readonly Signer[],
  signal: AbortSignal,
): Promise<Buffer> {
  return await addSignatures(new Metadata(unsigned), signers, signal);
}

/** The same beside the signatures that are there, in place of those by the same keys. */
export async function addSignatures(
  metadata: Metadata<Unsigned>,
  signers: readonly Signer[],
  signal: AbortSignal,
): Promise<Buffer> {
  const message = canonicalBytes(metadata.signed);
  for (const signer of signers) {
    const { id: keyID } = toTufKey(signer);
    const sig = Buffer.from(await signer.sign(message, signal)).toString('hex');
    metadata.signatures[keyID] = new Signature({ keyID, sig });
  }
  return Buffer.from(`${JSON.stringify(metadata.toJSON(), null, 1)}\n`);
}

/** What signatures are over (TUF specification, section 4.2.1); the models sign only at once. */
function canonicalBytes(unsigned: Unsigned): Buffer {
  let message: Buffer | undefined;
  new Metadata(unsigned).sign((bytes) => {
    message = bytes;
    return new Signature({ keyID: 'none', sig: '' });
  });
  if (message === undefined) throw new TypeError('nothing was to be signed');
  return message;
}

function common({ version, expires }: Version) {
  // TUF specification, section 4.3: without fractions of a second.
  return { specVersion, version, expires: expires.toISOString().replace(/[.]\d{3}Z$/, 'Z') };
}

function metaOf({ version }: Version, bytes: Uint8Array): MetaFile {
  const sha256 = encodedOf(digestOf(bytes));
  return new MetaFile({ version, length: bytes.length, hashes: { sha256 } });
}

function toKey({ id, keytype, scheme, public: text }: TufKey): Key {
  return new Key({ keyID: id, keyType: keytype, scheme, keyVal: { public: text } });
}
