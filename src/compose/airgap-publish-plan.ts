import type { BundleEvidence, BundleImage } from '../airgap/bundle.ts';
import { nameOf } from '../airgap/plan.ts';
import { subjectOfEvidence } from '../gate/evidence.ts';
import { NotFoundError } from '../gate/gate-error.ts';
import type { TrustedManifest } from '../gate/trusted-content.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import type { Digest } from '../oci/digest.ts';
import { type Manifest, partsOf, readManifest } from '../oci/manifest.ts';
import type { Repository } from '../oci/repository.ts';
import type { App } from './app.ts';
import { outcomeOf } from './image-outcome.ts';

/** A manifest that is to be pushed, and what has to be there before it. */
export interface PublishedManifest {
  readonly repository: Repository;
  readonly descriptor: Descriptor;
  readonly bytes: Uint8Array;
  readonly manifest: Manifest;
  /** Its config and layers. */
  readonly blobs: readonly Descriptor[];
}

export interface PublishedEvidence extends PublishedManifest {
  readonly tag: BundleEvidence['tag'];
  /** What it speaks about; undefined: nobody can tell. */
  readonly subject: Digest | undefined;
}

/** All of an image that the gate trusts at this moment, in the order in which it can be pushed. */
export interface ImageToPush {
  readonly root: PublishedManifest;
  /** `waived`: it, or a child, is served without trust. */
  readonly outcome: ReturnType<typeof outcomeOf>;
  readonly verdict: string | undefined;
  readonly warnings: readonly string[];
  /** Images before the indexes that list them; the root is the last. */
  readonly manifests: readonly PublishedManifest[];
  /** What others speak about goes before them. */
  readonly evidence: readonly PublishedEvidence[];
}

export type PublishingApp = Pick<App, 'gate' | 'upstreams' | 'denied'>;

/**
 * Asks the gate for the image and each child of it that was imported, as clients would, and reads
 * its evidence. Throws what the gate throws.
 */
export async function planPush(
  image: BundleImage,
  app: PublishingApp,
  signal: AbortSignal,
): Promise<ImageToPush> {
  const { repository, tag, root, children } = image;
  const reference = tag === undefined ? { digest: root.digest } : { tag };
  const trusted = await app.gate.admitManifest(repository, reference, signal);
  if (trusted.descriptor.digest !== root.digest) {
    const message = `${nameOf(image)} has moved meanwhile: publish again`;
    throw new NotFoundError('MANIFEST_UNKNOWN', message);
  }
  const admitted: TrustedManifest[] = [];
  for (const { digest } of children) {
    const child = await app.gate.admitManifest(repository, { digest }, signal);
    admitted.push(child);
  }
  const top = toPublished(repository, trusted);
  const below = admitted.map((child) => toPublished(repository, child));
  const images = below.filter((each) => !isIndex(each));
  // They are listed before what is below them.
  const indexes = below.filter(isIndex).toReversed();
  return {
    root: top,
    // Where the index itself does not vouch for a child, an exemption of its own may.
    outcome: [trusted, ...admitted].every(({ admission }) => outcomeOf(admission) === 'trusted')
      ? 'trusted'
      : 'waived',
    verdict: trusted.admission.verdict?.id,
    warnings: [...new Set([trusted, ...admitted].flatMap(({ admission }) => admission.warnings))],
    manifests: [...images, ...indexes, top],
    evidence: sortEvidence(await readEvidence(image, app, signal)),
  };
}

function isIndex({ manifest }: PublishedManifest): boolean {
  return manifest.kind === 'index';
}

function toPublished(
  repository: Repository,
  { descriptor: { mediaType, digest, size }, bytes }: Pick<TrustedManifest, 'descriptor' | 'bytes'>,
): PublishedManifest {
  const manifest = readManifest(bytes, mediaType);
  const blobs = manifest.kind === 'index' ? [] : partsOf(manifest);
  return { repository, descriptor: { mediaType, digest, size }, bytes, manifest, blobs };
}

/** As it was imported, past the gate, which vouches for no evidence; what is denied is left out. */
async function readEvidence(
  { repository, evidence }: BundleImage,
  { upstreams, denied }: PublishingApp,
  signal: AbortSignal,
): Promise<readonly PublishedEvidence[]> {
  const source = upstreams.get(repository.upstream);
  const found: PublishedEvidence[] = [];
  for (const { manifest: descriptor, tag, path = repository.path } of evidence) {
    const { digest, mediaType } = descriptor;
    if (denied.onDigest(digest) !== undefined) continue;
    const content = await source?.fetchManifest(path, { digest }, signal);
    if (content === undefined) {
      throw new NotFoundError('MANIFEST_UNKNOWN', `${path}@${digest} is not in the store`);
    }
    const bytes = { descriptor: { ...descriptor, mediaType }, bytes: content.bytes };
    const each = toPublished({ upstream: repository.upstream, path }, bytes);
    found.push({ ...each, tag, subject: subjectOfEvidence(each.manifest, tag) });
  }
  return found;
}

/** Signatures of signatures behind what they sign; the order does not matter otherwise. */
function sortEvidence(evidence: readonly PublishedEvidence[]): readonly PublishedEvidence[] {
  const waiting = new Set(evidence);
  const sorted: PublishedEvidence[] = [];
  while (waiting.size > 0) {
    const open = new Set([...waiting].map(({ descriptor }) => descriptor.digest));
    const ready = [...waiting].filter(({ subject }) => subject === undefined || !open.has(subject));
    // Digests can't go round in a circle, but tags can.
    for (const each of ready.length > 0 ? ready : [...waiting]) {
      sorted.push(each);
      waiting.delete(each);
    }
  }
  return sorted;
}
