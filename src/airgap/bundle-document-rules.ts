import { quoted } from '../kernel/quoted.ts';
import { scopeOf } from '../oci/repository.ts';
import type { BundleDocument, BundleImage } from './bundle.ts';

const streamPattern = /^[a-f0-9]{32}$/;
/** Below the store's `trust/`, with names that mean the same on every file system. */
const trustPathPattern = /^trust(?:\/[A-Za-z0-9_][A-Za-z0-9._-]{0,99}){1,8}$/;
const maxTextLength = 1_000;

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
    const problem = checkTagVersion(image);
    if (problem !== undefined) return `${quoted(name)} ${problem}`;
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
  const wrong = trust.find(({ path }) => !isTrustPath(path));
  if (wrong !== undefined) return `${quoted(wrong.path)} is no path for trust material`;
  // Two names that some file systems take for one would be one file.
  const paths = new Set(trust.map(({ path }) => path.toLowerCase()));
  return paths.size === trust.length ? undefined : 'two files of trust material have one path';
}
