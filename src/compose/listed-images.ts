import { mayNameEvidence } from '../gate/evidence.ts';
import { NotFoundError } from '../gate/gate-error.ts';
import type { Gate } from '../gate/trusted-content.ts';
import type { Tag } from '../oci/reference.ts';
import { type Repository, scopeOf } from '../oci/repository.ts';
import type { ListedEntry, ListedImage, ListedTags } from './image-list.ts';

/** Patterns for which no image is known, and why. */
export interface Unlisted {
  /** The repository with the patterns. */
  readonly text: string;
  /** What the gate threw, or `NotFoundError`. */
  readonly error: unknown;
}

const pageTags = 1000;
/** A repository with more is not listed to its end. */
const maxPages = 50;
/** Of one pattern's entry in the list. */
const maxMatches = 10_000;

/**
 * The images of a list in its order, each once, with those that patterns of tags find at this
 * moment. What can not be listed is told in its place.
 */
export async function listedImages(
  entries: readonly ListedEntry[],
  gate: Pick<Gate, 'listTags'>,
  signal: AbortSignal,
): Promise<readonly (ListedImage | Unlisted)[]> {
  const found = new Map<string, ListedImage | Unlisted>();
  for (const entry of entries) {
    const images = 'text' in entry ? [entry] : await findMatching(entry, gate, signal);
    for (const image of images) {
      const platforms = 'error' in image ? '' : JSON.stringify(image.platforms ?? '');
      const name = `${image.text} ${platforms}`;
      if (!found.has(name)) found.set(name, image);
    }
  }
  return [...found.values()];
}

async function findMatching(
  entry: ListedTags,
  gate: Pick<Gate, 'listTags'>,
  signal: AbortSignal,
): Promise<readonly (ListedImage | Unlisted)[]> {
  const { repository, tags: patterns, platforms } = entry;
  const scope = scopeOf(repository);
  const text = `${scope}:${patterns.map((pattern) => pattern.text).join(' or ')}`;
  try {
    const tags: Tag[] = [];
    for await (const tag of allTags(repository, gate, signal)) {
      // Signatures come along with what they sign.
      if (!patterns.some((pattern) => pattern.matches(tag)) || mayNameEvidence(tag)) continue;
      tags.push(tag);
      if (tags.length > maxMatches) throw new RangeError(`over ${maxMatches} tags match ${text}`);
    }
    if (tags.length === 0) throw new NotFoundError('MANIFEST_UNKNOWN', `no tag matches ${text}`);
    return tags.map((tag) => ({
      text: `${scope}:${tag}`,
      repository,
      reference: { tag },
      platforms,
    }));
  } catch (error) {
    return [{ text, error }];
  }
}

async function* allTags(
  repository: Repository,
  gate: Pick<Gate, 'listTags'>,
  signal: AbortSignal,
): AsyncGenerator<Tag> {
  let last: Tag | undefined;
  for (let page = 0; page < maxPages; page += 1) {
    const query = { limit: pageTags, ...(last !== undefined && { last }) };
    const { tags, more } = await gate.listTags(repository, query, signal);
    yield* tags;
    last = tags.at(-1);
    if (!more || last === undefined) return;
  }
  throw new RangeError(`${scopeOf(repository)} has more than ${maxPages * pageTags} tags`);
}
