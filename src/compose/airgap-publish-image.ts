import { hashed } from '../airgap/export-layout.ts';
import type { BundleImage } from '../airgap/bundle.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import { type Digest, referrersTag } from '../oci/digest.ts';
import type { Repository, RepositoryPath } from '../oci/repository.ts';
import type { PushTarget } from '../upstream/push-target.ts';
import { describeReferrer } from '../upstream/referrer-descriptor.ts';
import { eachSettled } from '../verifier/settled.ts';
import { readPlanned } from './airgap-content.ts';
import type {
  ImageToPush,
  PublishedEvidence,
  PublishedManifest,
  PublishingApp,
} from './airgap-publish-plan.ts';

/** Bytes and manifests that were sent for an image, and that were there. */
export interface PushCounts {
  readonly sentBytes: number;
  readonly mountedBytes: number;
  readonly presentBytes: number;
  readonly manifests: number;
  readonly evidence: number;
}

export interface Pushing {
  readonly target: PushTarget;
  readonly app: PublishingApp;
  readonly targetOf: (repository: Repository) => RepositoryPath;
  /** Where in the registry a blob is known to be by now. */
  readonly homes: Map<Digest, Set<RepositoryPath>>;
  readonly onBytes: (bytes: number) => void;
}

const blobsAtOnce = 3;

/**
 * Pushes an image so that nobody who pulls meanwhile finds half of it: blobs before the manifest
 * that lists them, children before their index, evidence behind what it speaks about, tags last.
 */
export async function pushImage(
  { tag }: Pick<BundleImage, 'tag'>,
  image: ImageToPush,
  pushing: Pushing,
  signal: AbortSignal,
): Promise<PushCounts> {
  const { root, manifests, evidence } = image;
  const counts = { sentBytes: 0, mountedBytes: 0, presentBytes: 0, manifests: 0, evidence: 0 };
  for (const each of [...manifests, ...evidence]) {
    await pushBlobs(each, 'tag' in each ? 'upstream' : 'gate', counts, pushing, signal);
    const pushed = await pushOne(each, undefined, pushing, signal);
    if (pushed === 'pushed') counts.manifests += 1;
  }
  await listReferrers(image, pushing, signal);
  for (const each of evidence) {
    if (each.tag !== undefined && !isReferrersTag(each)) {
      await pushOne(each, each.tag, pushing, signal);
    }
  }
  counts.evidence = evidence.length;
  if (tag !== undefined) await pushOne(root, tag, pushing, signal);
  return counts;
}

function pushOne(
  { repository, descriptor, bytes }: PublishedManifest,
  tag: BundleImage['tag'],
  { target, targetOf }: Pushing,
  signal: AbortSignal,
): Promise<'present' | 'pushed'> {
  const { digest, mediaType } = descriptor;
  const reference = tag === undefined ? { digest } : { tag };
  const path = targetOf(repository);
  return target.pushManifest(path, reference, { bytes, mediaType, digest }, signal);
}

type Sums = { -readonly [Key in keyof PushCounts]: PushCounts[Key] };

async function pushBlobs(
  { repository, blobs }: PublishedManifest,
  from: 'gate' | 'upstream',
  counts: Sums,
  pushing: Pushing,
  signal: AbortSignal,
): Promise<void> {
  const failures: unknown[] = [];
  const waiting = [...new Map(blobs.map((blob) => [blob.digest, blob])).values()];
  const next = () => {
    const blob = failures.length > 0 ? undefined : waiting.shift();
    return (
      blob &&
      (() =>
        pushBlob(repository, blob, from, counts, pushing, signal).catch((error: unknown) => {
          failures.push(error);
        }))
    );
  };
  for await (const _ of eachSettled(next, blobsAtOnce));
  if (failures.length > 0) throw failures[0];
}

async function pushBlob(
  repository: Repository,
  { digest, size }: Descriptor,
  from: 'gate' | 'upstream',
  counts: Sums,
  { target, app, targetOf, homes, onBytes }: Pushing,
  signal: AbortSignal,
): Promise<void> {
  const path = targetOf(repository);
  const known = homes.get(digest) ?? new Set();
  const isThere = known.has(path) || (await target.hasBlob(path, { digest, size }, signal));
  const [other] = known;
  const note = (): void => void homes.set(digest, new Set([...known, path]));
  if (isThere) {
    note();
    counts.presentBytes += size;
    onBytes(size);
    return;
  }
  const content = { digest, size, repository, kind: 'blob', from } as const;
  // A connection keeps pieces that it could not send yet, so none of them may be written over.
  const open = (stop: AbortSignal) => hashed(content, readPlanned(content, app, stop));
  const outcome = await target.pushBlob(path, { digest, size, open }, other, signal);
  note();
  counts[outcome === 'uploaded' ? 'sentBytes' : 'mountedBytes'] += size;
  // What is sent is told as it goes.
  if (outcome === 'mounted') onBytes(size);
}

/**
 * For registries whose referrers API does not find what names its subject; and, in any, what only
 * such a list named where it came from.
 */
async function listReferrers(
  { evidence }: ImageToPush,
  { target, targetOf }: Pushing,
  signal: AbortSignal,
): Promise<void> {
  const lists = new Map<RepositoryPath, Map<Digest, Descriptor[]>>();
  const add = (path: RepositoryPath, subject: Digest, referrers: readonly Descriptor[]): void => {
    const ofPath = lists.get(path) ?? new Map<Digest, Descriptor[]>();
    lists.set(path, ofPath.set(subject, [...(ofPath.get(subject) ?? []), ...referrers]));
  };
  const found = new Map<string, ReadonlySet<string>>();
  for (const each of evidence) {
    const path = targetOf(each.repository);
    const { manifest, descriptor, subject } = each;
    if (isReferrersTag(each) && subject !== undefined && manifest.kind === 'index') {
      add(path, subject, manifest.manifests);
    }
    const about = manifest.subject?.digest;
    if (about === undefined) continue;
    const name = `${path}@${about}`;
    const listed = found.get(name) ?? (await target.readReferrers(path, about, signal));
    found.set(name, listed);
    if (!listed.has(descriptor.digest)) add(path, about, [describeReferrer(descriptor, manifest)]);
  }
  for (const [path, subjects] of lists) {
    for (const [subject, referrers] of subjects) {
      const distinct = [...new Map(referrers.map((each) => [each.digest, each])).values()];
      await target.listUnderTag(path, subject, distinct, signal);
    }
  }
}

/** Its list is merged into what the registry has, which others may have added to. */
function isReferrersTag({ tag, subject }: PublishedEvidence): boolean {
  return subject !== undefined && tag === referrersTag(subject);
}
