import type { Digest } from '../oci/digest.ts';
import { AirgapError, type AirgapErrorCode } from './airgap-error.ts';
import type { BundleDocument, VolumeList } from './bundle.ts';
import { manifestsOf } from './bundle-manifests.ts';
import type { VerifiedMetadata } from './metadata-reader.ts';
import {
  type OpenedBundle,
  openBundle,
  readDocument,
  readIndex,
  readVolumes,
} from './open-bundle.ts';
import { type VolumeFinding, verifyVolumes } from './verify-volumes.ts';

export interface VerifyBundleOptions {
  readonly places: readonly string[];
  /** Undefined: integrity alone. */
  readonly root: Uint8Array | undefined;
  readonly now: Date;
  /** Bytes of volumes that were read, of all that should be there. */
  readonly onProgress: (doneBytes: number, totalBytes: number) => void;
}

/** One thing that is wrong. */
export interface BundleFinding {
  readonly code: AirgapErrorCode;
  readonly message: string;
  /** From 1; of damage to a volume. */
  readonly volume?: number;
  /** From 1; of damage to one chunk. */
  readonly chunk?: number;
}

export interface BundleVerification {
  /** `pinned`: the root that was given vouches for it. `itself`: nothing says whose it is. */
  readonly vouchedBy: 'pinned' | 'itself';
  /** Undefined where the metadata are not to be believed. */
  readonly bundle: VerifiedSummary | undefined;
  /** None: all that was looked at is whole. */
  readonly findings: readonly BundleFinding[];
}

export interface VerifiedSummary {
  readonly stream: string;
  readonly sequence: number;
  /** Its targets, volumes and lines of its index. */
  readonly targets: number;
  readonly volumes: number;
  readonly blobs: number;
  /** Of the volumes that are there. */
  readonly readBytes: number;
}

/** Findings past that are counted alone. */
const maxFindings = 10_000;

/**
 * Looks at all of a bundle: metadata, targets, the index against `bundle.json`, and every chunk of
 * every volume. What is wrong is a finding, and the rest is looked at; throws `AirgapError` for
 * what could not be found out (READ_FAILED), and the signal's reason.
 */
export async function verifyBundle(
  options: VerifyBundleOptions,
  signal: AbortSignal,
): Promise<BundleVerification> {
  const findings: BundleFinding[] = [];
  const note = (finding: BundleFinding): void => {
    if (findings.length < maxFindings) findings.push(finding);
  };
  const attempt = makeAttempt(note);
  const vouchedBy = options.root === undefined ? 'itself' : 'pinned';
  const opened = await attempt(() => openBundle(options.places, options.root, options.now));
  if (opened === undefined) return { vouchedBy, bundle: undefined, findings };
  noteExpired(opened.metadata, note);
  const bundle = await lookAt(opened, options, { note, attempt }, signal);
  return { vouchedBy, bundle, findings };
}

interface Notes {
  readonly note: (finding: BundleFinding) => void;
  readonly attempt: Attempt;
}

type Attempt = <T>(work: () => Promise<T>) => Promise<T | undefined>;

/** A failure of the bundle's is a finding; one of the disk's is thrown. */
function makeAttempt(note: Notes['note']): Attempt {
  return async (work) => {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof AirgapError) || error.code === 'READ_FAILED') throw error;
      note({ code: error.code, message: error.message });
      return undefined;
    }
  };
}

async function lookAt(
  { metadata }: OpenedBundle,
  { places, onProgress }: VerifyBundleOptions,
  { note, attempt }: Notes,
  signal: AbortSignal,
): Promise<VerifiedSummary> {
  const { stream, sequence, targets } = metadata;
  for (const path of targets.keys()) {
    signal.throwIfAborted();
    await attempt(() => hashTarget(metadata, path));
  }
  const document = await attempt(() => readDocument(metadata));
  if (document !== undefined) noteTrust(document, metadata, note);
  const list = await attempt(() => readVolumes(metadata));
  const blobs =
    document && list && (await attempt(() => checkIndex(metadata, document, list, note, signal)));
  const noteVolume = (finding: VolumeFinding): void => note(finding);
  const readBytes =
    list === undefined
      ? 0
      : await verifyVolumes(list, { owner: metadata, places, noteVolume, onProgress }, signal);
  const volumes = list?.volumes.length ?? 0;
  return { stream, sequence, targets: targets.size, volumes, blobs: blobs ?? 0, readBytes };
}

async function hashTarget(metadata: VerifiedMetadata, path: string): Promise<void> {
  for await (const _ of metadata.openTarget(path));
}

function noteExpired({ expired, roles }: VerifiedMetadata, note: Notes['note']): void {
  for (const role of expired) {
    const { version, expires } = roles[role];
    const message = `the ${role} metadata, version ${version}, expired at ${expires.toISOString()}`;
    note({ code: 'METADATA_EXPIRED', message });
  }
}

/** What `bundle.json` lists as trust material is what the metadata vouch for. */
function noteTrust(
  { trust }: BundleDocument,
  { targets }: VerifiedMetadata,
  note: Notes['note'],
): void {
  const listed = new Set(trust.map(({ path }) => path));
  for (const path of listed) {
    if (targets.has(path)) continue;
    note({
      code: 'TARGET_MISSING',
      message: `bundle.json lists ${path}, and there is no such target`,
    });
  }
  for (const path of targets.keys()) {
    if (!path.startsWith('trust/') || listed.has(path)) continue;
    const message = `${path} is a target, and bundle.json does not list it`;
    note({ code: 'DOCUMENT_MALFORMED', message });
  }
}

/** Every manifest of `bundle.json` is in the index, in its size. Resolves with the lines' count. */
async function checkIndex(
  metadata: VerifiedMetadata,
  document: BundleDocument,
  list: VolumeList,
  note: Notes['note'],
  signal: AbortSignal,
): Promise<number> {
  const wanted = new Map<Digest, number>();
  for (const { digest, size } of manifestsOf(document)) wanted.set(digest, size);
  let count = 0;
  for await (const { digest, size, extents } of readIndex(metadata, list)) {
    signal.throwIfAborted();
    count += 1;
    if (extents === undefined && document.base === undefined) {
      const message = `blobs.idx takes ${digest} to be there, and the bundle has no base`;
      note({ code: 'INDEX_MALFORMED', message });
    }
    if (wanted.get(digest) === size) wanted.delete(digest);
  }
  for (const [digest, size] of wanted) {
    const message = `bundle.json speaks of ${digest} of ${size} bytes, and blobs.idx does not`;
    note({ code: 'BLOB_MISSING', message });
  }
  return count;
}
