import type { Digest } from '../oci/digest.ts';
import type { TagRollback } from './bundle.ts';
import type { ExportRecord, TagRecord } from './export-record.ts';
import { type PlannedImage, tagName } from './plan.ts';

const maxBefore = 100;

/**
 * Every tag that the stream ever had, as it is after this bundle. One that points elsewhere has a
 * version more; one that is not exported this time keeps its own, for when it comes back. The last
 * that an image list has wins where it has a tag twice.
 */
export function nextTags(
  images: readonly Pick<PlannedImage, 'repository' | 'tag' | 'root'>[],
  before: ExportRecord['tags'] = {},
): ExportRecord['tags'] {
  const tags = new Map<string, TagRecord>(Object.entries(before));
  for (const { repository, tag, root } of images) {
    if (tag === undefined) continue;
    const name = tagName(repository, tag);
    tags.set(name, move(before[name], root.digest));
  }
  return Object.fromEntries(tags);
}

function move(known: TagRecord | undefined, digest: Digest): TagRecord {
  if (known === undefined) return { digest, version: 1, before: [] };
  if (known.digest === digest) return known;
  const before = [known.digest, ...known.before.filter((each) => each !== known.digest)];
  return { digest, version: known.version + 1, before: before.slice(0, maxBefore) };
}

/** What a policy says that a tag may go back to. */
export type AllowedBack = Pick<TagRollback, 'to' | 'owner' | 'until'>;

/**
 * Of each tag that points where it pointed before some other content, the policy's word that it may,
 * where it has one.
 */
export function rollbacksOf(
  images: readonly Pick<PlannedImage, 'repository' | 'tag' | 'root'>[],
  tags: ExportRecord['tags'],
  allowedFor: (image: Pick<PlannedImage, 'repository' | 'root'>) => readonly AllowedBack[],
): readonly TagRollback[] {
  return images.flatMap((image) => {
    const { repository, tag, root } = image;
    if (tag === undefined) return [];
    const known = tags[tagName(repository, tag)];
    if (known?.before.includes(root.digest) !== true) return [];
    return allowedFor(image)
      .filter(({ to }) => to === root.digest)
      .map((allowed) => ({ repository, tag, ...allowed }));
  });
}
