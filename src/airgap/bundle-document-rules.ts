import { quoted } from '../kernel/quoted.ts';
import type { Digest } from '../oci/digest.ts';
import { scopeOf } from '../oci/repository.ts';
import type { BundleDocument, BundleImage } from './bundle.ts';

const streamPattern = /^[a-f0-9]{32}$/;
/** Below the store's `trust/`, with names that mean the same on every file system. */
const trustPathPattern = /^trust(?:\/[A-Za-z0-9_][A-Za-z0-9._-]{0,99}){1,8}$/;
/** People see them on terminals. */
const linePattern = /^[^\p{C}\p{Zl}\p{Zp}]+$/u;
/** A denial's reason with its owner has two times what people may write, and some. */
const maxTextLength = 1_100;
/** What a receipt has room for. */
const maxSequence = 2 ** 48 - 1;
/** By which evidence is found: the referrers tag schema's, and cosign's. */
const evidenceTagPattern =
  /^sha(?:256-[a-f0-9]{64}|512-(?:[a-f0-9]{64}|[a-f0-9]{128}))(?:\.(?:sig|att|sbom))?$/;
/** Stands beside the folders of upstreams where a bundle is imported. */
export const documentName = 'bundle.json';

/** Whether the text may name a stream, as `airgap init` makes it. */
export function isStream(text: string): boolean {
  return streamPattern.test(text);
}

/** Whether a path may name a target with trust material. */
export function isTrustPath(path: string): boolean {
  return trustPathPattern.test(path);
}

/** What no single field of a bundle's document can tell; undefined where nothing is wrong. */
export function checkDocument(document: BundleDocument): string | undefined {
  return checkPlace(document) ?? checkImages(document) ?? checkRest(document);
}

/** Where it stands in its stream. */
function checkPlace({ stream, sequence, base, previous }: BundleDocument): string | undefined {
  if (!isStream(stream)) return 'its stream is not 32 hex digits';
  if (sequence > maxSequence) return 'its sequence does not fit into a receipt';
  if (sequence < 1) return 'its sequence is below 1';
  if (base !== undefined && (base < 1 || base >= sequence)) return 'its base is not before it';
  // Numbers of exports that were never finished are left out.
  if (previous === undefined)
    return base === undefined ? undefined : 'it has a base and no previous';
  return previous.sequence >= 1 && previous.sequence < sequence
    ? undefined
    : 'its previous bundle is not before it';
}

function checkImages({ kind, images, rollbacks }: BundleDocument): string | undefined {
  if (kind === 'revocation' && images.length + rollbacks.length > 0) {
    return 'a bundle of revocations alone has images';
  }
  const seen = new Set<string>();
  for (const image of images) {
    const name = nameOf(image);
    if (seen.has(name)) return `${quoted(name)} stands twice`;
    seen.add(name);
    const problem = checkImage(image);
    if (problem !== undefined) return `${quoted(name)} ${problem}`;
  }
  return checkTags(images);
}

function checkImage(image: BundleImage): string | undefined {
  if (image.repository.upstream === documentName)
    return 'is of an upstream that none may be called';
  const odd = image.evidence.find(({ tag }) => tag !== undefined && !evidenceTagPattern.test(tag));
  // Versions of tags are of images: evidence must not move one of these.
  return odd?.tag === undefined
    ? checkTagVersion(image)
    : `has evidence under ${quoted(odd.tag)}, which names no digest`;
}

/** No tag of a repository leads to two manifests. */
function checkTags(images: readonly BundleImage[]): string | undefined {
  const known = new Map<string, Digest>();
  for (const { repository, tag, root, evidence } of images) {
    const { upstream, path: own } = repository;
    const tagged = evidence.map(({ manifest, tag: under, path = own }) => {
      return { path, tag: under, digest: manifest.digest };
    });
    for (const each of [{ path: own, tag, digest: root.digest }, ...tagged]) {
      if (each.tag === undefined) continue;
      const name = `${upstream}/${each.path}:${each.tag}`;
      if ((known.get(name) ?? each.digest) !== each.digest)
        return `${quoted(name)} is two manifests`;
      known.set(name, each.digest);
    }
  }
  return undefined;
}

function nameOf({ repository, tag, root }: BundleImage): string {
  return tag === undefined
    ? `${scopeOf(repository)}@${root.digest}`
    : `${scopeOf(repository)}:${tag}`;
}

function checkTagVersion({ tag, tagVersion }: BundleImage): string | undefined {
  if ((tag === undefined) !== (tagVersion === undefined)) return 'has a tag or its version alone';
  return tagVersion !== undefined && tagVersion < 1 ? 'has a tag version below 1' : undefined;
}

function checkRest({ exporter, denials, rollbacks, trust }: BundleDocument): string | undefined {
  const texts = [
    exporter,
    ...denials.map(({ because }) => because),
    ...rollbacks.map(({ owner }) => owner),
  ];
  if (texts.some((text) => text.length > maxTextLength)) {
    return `it has a text of more than ${maxTextLength} characters`;
  }
  if (texts.some((text) => !linePattern.test(text))) return 'it has a text that is no line';
  const wrong = trust.find(({ path }) => !isTrustPath(path));
  if (wrong !== undefined) return `${quoted(wrong.path)} is no path for trust material`;
  // Two names that some file systems take for one would be one file.
  const paths = new Set(trust.map(({ path }) => path.toLowerCase()));
  if (paths.size < trust.length) return 'two files of trust material have one path';
  const inFile = [...paths].find((path) => foldersOf(path).some((folder) => paths.has(folder)));
  return inFile === undefined ? undefined : `${quoted(inFile)} lies in another file`;
}

function foldersOf(path: string): readonly string[] {
  const parts = path.split('/');
  return parts.map((_, index) => parts.slice(0, index).join('/'));
}
