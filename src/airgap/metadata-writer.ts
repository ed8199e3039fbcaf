import { createHash } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Clock } from '../kernel/clock.ts';
import type { NonEmpty } from '../kernel/non-empty.ts';
import { quoted } from '../kernel/quoted.ts';
import { messageOf } from '../kernel/tagged-error.ts';
import { type Digest, digestOf, encodedOf } from '../oci/digest.ts';
import type { Signer } from '../signers/signer.ts';
import { type FileSystem, systemFiles, unlessAbsent } from '../storage/file-system.ts';
import { syncFolder } from '../storage/store-folder.ts';
import { AirgapError } from './airgap-error.ts';
import type { Sequence } from './bundle.ts';
import { readFailure, writeFailure } from './file-failure.ts';
import { metadataFolder, targetFile, writeDurable } from './metadata-files.ts';
import { isTargetPath, maxTargets, readRole, type RoleMetadata } from './metadata-model.ts';
import { assertSigned, lastOfRoots } from './metadata-roots.ts';
import {
  makeSnapshot,
  makeTargets,
  makeTimestamp,
  signMetadata,
  type TargetPlan,
  type Unsigned,
} from './metadata-signing.ts';

/** What signs bundles, and what vouches for those who do. */
export interface BundleKeys {
  /** Every root of the stream, from the first to the one in force, byte for byte. */
  readonly roots: NonEmpty<Uint8Array>;
  readonly signers: Readonly<Record<SigningRole, readonly Signer[]>>;
}

/** Roles whose metadata each bundle has anew. */
export const signingRoles = ['targets', 'snapshot', 'timestamp'] as const;
export type SigningRole = (typeof signingRoles)[number];

export interface WriteMetadataOptions {
  /** The bundle's folder, in which `metadata/` and `targets/` are made. */
  readonly folder: string;
  readonly keys: BundleKeys;
  readonly sequence: Sequence;
  readonly targets: readonly NewTarget[];
  /** After that nobody imports it any more. */
  readonly expires: Readonly<Record<SigningRole, Date>>;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly files?: FileSystem;
}

/** A file is moved into the bundle: it must be in the same file system. */
export type NewTarget = { readonly path: string } & (
  { readonly bytes: Uint8Array } | { readonly file: string }
);

/**
 * Puts the targets into their places, signs targets, snapshot and timestamp, and gives the last one
 * its name when all else would survive a power cut: with it the bundle is finished. What is written
 * is held against the root first. Resolves with the snapshot's SHA-256. Throws `AirgapError`:
 * BUNDLE_FINISHED, KEYS_UNUSABLE, NO_SPACE, WRITE_FAILED; and what signers throw.
 */
export async function writeMetadata(options: WriteMetadataOptions): Promise<Digest> {
  const { folder, keys, sequence, expires, files = systemFiles } = options;
  const metadata = metadataFolder(folder);
  await assertUnfinished(metadata, files);
  await makeFolder(metadata);
  const seal = makeSealer(options);
  const write = async (name: string, bytes: Uint8Array): Promise<void> => {
    await writeDurable(join(metadata, name), bytes, files);
  };
  const targets = await placeTargets(options, files);
  for (const root of keys.roots) await write(`${readRole('root', root).version}.root.json`, root);
  const versionOf = (role: SigningRole) => ({ version: sequence, expires: expires[role] });
  const targetsJson = await seal('targets', makeTargets(versionOf('targets'), targets));
  await write(`${sequence}.targets.json`, targetsJson);
  const snapshotJson = await seal('snapshot', makeSnapshot(versionOf('snapshot'), targetsJson));
  await write(`${sequence}.snapshot.json`, snapshotJson);
  const timestamp = makeTimestamp(versionOf('timestamp'), snapshotJson);
  await write('timestamp.json', await seal('timestamp', timestamp));
  return digestOf(snapshotJson);
}

type Seal = (role: SigningRole, unsigned: Unsigned) => Promise<Buffer>;

/** Signs, and looks at what comes of it as an import would. */
function makeSealer({ keys, signal, clock }: WriteMetadataOptions): Seal {
  const root = unusable(() => lastOfRoots(keys.roots));
  const now = clock.now();
  const assertLasts = ({ role, expires }: RoleMetadata): void => {
    if (expires > now) return;
    const told = `the ${role} metadata would have ended at ${expires.toISOString()}`;
    throw new AirgapError('KEYS_UNUSABLE', told);
  };
  assertLasts(root);
  return async (role, unsigned) => {
    const bytes = await signMetadata(unsigned, keys.signers[role], signal);
    unusable(() => {
      const read = readRole(role, bytes);
      assertSigned(root, read);
      assertLasts(read);
    });
    return bytes;
  };
}

/** What is wrong with metadata of our own is wrong with the keys, or what they are to sign. */
function unusable<T>(work: () => T): T {
  try {
    return work();
  } catch (cause) {
    throw new AirgapError('KEYS_UNUSABLE', messageOf(cause), { cause });
  }
}

async function assertUnfinished(metadata: string, files: FileSystem): Promise<void> {
  const file = join(metadata, 'timestamp.json');
  const found = await unlessAbsent(files.stat(file)).catch((cause: unknown) => {
    throw readFailure(file, cause);
  });
  if (found === undefined) return;
  throw new AirgapError('BUNDLE_FINISHED', `${file} is there: the bundle is finished`);
}

async function placeTargets(
  { folder, targets }: WriteMetadataOptions,
  files: FileSystem,
): Promise<readonly TargetPlan[]> {
  const paths = targets.map(({ path }) => path);
  const wrong = paths.find((path, index) => !isTargetPath(path) || paths.indexOf(path) !== index);
  if (wrong !== undefined) throw new TypeError(`${quoted(wrong)} is no target, or stands twice`);
  if (paths.length > maxTargets) {
    throw new AirgapError('WRITE_FAILED', `a bundle has at most ${maxTargets} targets`);
  }
  const placed: TargetPlan[] = [];
  for (const target of targets) placed.push(await placeTarget(folder, target, files));
  return placed;
}

async function placeTarget(
  folder: string,
  target: NewTarget,
  files: FileSystem,
): Promise<TargetPlan> {
  const { path } = target;
  const { sha256, length } =
    'bytes' in target ? measure(target.bytes) : await measureFile(target.file, files);
  const into = targetFile(folder, path, sha256);
  await makeFolder(dirname(into));
  if ('bytes' in target) await writeDurable(into, target.bytes, files);
  else await moveDurable(target.file, into, files);
  return { path, sha256, length };
}

async function moveDurable(from: string, into: string, files: FileSystem): Promise<void> {
  try {
    await files.rename(from, into);
    await syncFolder(dirname(into), files);
  } catch (cause) {
    throw writeFailure(into, cause);
  }
}

function measure(bytes: Uint8Array): { readonly sha256: string; readonly length: number } {
  return { sha256: encodedOf(digestOf(bytes)), length: bytes.length };
}

/** Hashes the file and makes it last through a power cut. */
async function measureFile(file: string, files: FileSystem): Promise<ReturnType<typeof measure>> {
  const hash = createHash('sha256');
  let length = 0;
  try {
    const handle = await files.open(file, 'r');
    try {
      await handle.sync();
      const stream = handle.createReadStream({ autoClose: false, highWaterMark: 1024 * 1024 });
      for await (const piece of stream) {
        hash.update(piece as Uint8Array);
        length += (piece as Uint8Array).byteLength;
      }
    } finally {
      await handle.close();
    }
  } catch (cause) {
    throw readFailure(file, cause);
  }
  return { sha256: hash.digest('hex'), length };
}

async function makeFolder(path: string): Promise<void> {
  await mkdir(path, { recursive: true }).catch((cause: unknown) => {
    throw writeFailure(path, cause);
  });
}
