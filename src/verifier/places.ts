import type { SignatureFormat } from '../formats/signature-format.ts';
import { abortable, inTime } from '../kernel/abort.ts';
import { messageOf } from '../kernel/tagged-error.ts';
import type { Annotations } from '../oci/descriptor.ts';
import { type Digest, referrersTag } from '../oci/digest.ts';
import type { Tag } from '../oci/reference.ts';
import type { RepositoryPath } from '../oci/repository.ts';
import type { ContentSource } from '../upstream/content-source.ts';
import type { SearchedPlace } from '../verdict/search.ts';
import type { Subject } from './verifier.ts';

/** A manifest that may hold signatures of the subject. Where it lies says nothing of what it is. */
export interface Lead {
  readonly path: RepositoryPath;
  readonly digest: Digest;
  /** Unsigned, from a list of referrers; they order and never drop. */
  readonly artifactType?: string | undefined;
  readonly annotations?: Annotations | undefined;
  /** It lies under a tag of the subject's own, where signatures have no `subject`. */
  readonly isTagged: boolean;
  /** Its bytes, where they came with the search. */
  readonly bytes?: Uint8Array;
}

/** What was found in all places, each manifest once. */
export interface Found {
  readonly leads: readonly Lead[];
  readonly places: readonly SearchedPlace[];
  /** Why signatures may lie where nobody could look; undefined when all places were searched. */
  readonly incomplete: string | undefined;
}

/** Where to look. */
export interface Where {
  readonly source: ContentSource;
  /** Those whose signatures could prove an identity of the rule. */
  readonly formats: readonly SignatureFormat[];
  /** The repository beside the subject's own that signatures with tags may lie in. */
  readonly signatureRepository: RepositoryPath | undefined;
  /** The longest that one place may take, in milliseconds. */
  readonly placeMs: number;
}

/**
 * Looks in all places at the same time. Some registries answer the referrers API with an empty list
 * while signatures lie under a tag, and GHCR answers an absent tag with the image itself: each place
 * is asked, and the bytes decide. One that can't be asked hides no other, and is never "none".
 */
export async function searchPlaces(
  subject: Subject,
  where: Where,
  signal: AbortSignal,
): Promise<Found> {
  const searched = await Promise.all(
    placesOf(subject, where).map((place) => search(place, subject, where, signal)),
  );
  // Under a tag first: there a manifest may do without a subject.
  const leads = new Map<string, Lead>();
  for (const lead of searched.flatMap(({ leads: some }) => some)) {
    const name = `${lead.path}@${lead.digest}`;
    if (lead.isTagged || !leads.has(name)) leads.set(name, lead);
  }
  const places = searched.map(({ place }) => place);
  const open = places.filter(({ incomplete }) => incomplete !== undefined);
  const [first] = open;
  return {
    leads: [...leads.values()],
    places,
    incomplete: first && `${first.place}: ${first.incomplete}`,
  };
}

interface Place {
  readonly path: RepositoryPath;
  /** Undefined: the referrers. */
  readonly tag: Tag | undefined;
}

/** Formats without tags keep to the referrers of the subject's own repository. */
function placesOf(
  { repository, descriptor }: Subject,
  { formats, signatureRepository }: Where,
): readonly Place[] {
  const tags = new Set(formats.flatMap((format) => format.tags?.(descriptor.digest) ?? []));
  const own = repository.path;
  const isApart = tags.size > 0 && signatureRepository !== undefined && signatureRepository !== own;
  const paths = isApart ? [own, signatureRepository] : [own];
  return paths.flatMap((path) => [
    { path, tag: undefined },
    ...[...tags].map((tag) => ({ path, tag })),
  ]);
}

interface Searched {
  readonly place: SearchedPlace;
  readonly leads: readonly Lead[];
}

async function search(
  place: Place,
  subject: Subject,
  { source, placeMs }: Where,
  signal: AbortSignal,
): Promise<Searched> {
  const name = nameOf(place, subject);
  const { path, tag } = place;
  try {
    const { leads, incomplete } = await inTime(placeMs, signal, (ending) => {
      const listed =
        tag === undefined
          ? listLeads(path, subject, source, ending)
          : resolveLead(path, tag, subject, source, ending);
      return abortable(listed, ending);
    });
    return {
      place: { place: name, found: leads.length, ...(incomplete !== undefined && { incomplete }) },
      leads,
    };
  } catch (error) {
    return { place: { place: name, found: 0, incomplete: messageOf(error) }, leads: [] };
  }
}

/** The referrers API and the tag schema are asked together. */
function nameOf({ path, tag }: Place, { repository, descriptor: { digest } }: Subject): string {
  const apart = path === repository.path ? '' : ` in ${path}`;
  if (tag !== undefined) return `tag ${tag}${apart}`;
  return `referrers, by the API and under tag ${referrersTag(digest)}${apart}`;
}

async function listLeads(
  path: RepositoryPath,
  { descriptor }: Subject,
  source: ContentSource,
  signal: AbortSignal,
): Promise<{ readonly leads: readonly Lead[]; readonly incomplete: string | undefined }> {
  const { found, incomplete } = await source.listReferrers(path, descriptor.digest, signal);
  const leads = found
    .filter(({ digest }) => digest !== descriptor.digest)
    .map(({ digest, artifactType, annotations }) => ({
      path,
      digest,
      artifactType,
      annotations,
      isTagged: false,
    }));
  return { leads, incomplete: incomplete?.message };
}

async function resolveLead(
  path: RepositoryPath,
  tag: Tag,
  { descriptor }: Subject,
  source: ContentSource,
  signal: AbortSignal,
): Promise<{ readonly leads: readonly Lead[]; readonly incomplete: undefined }> {
  const content = await source.fetchManifest(path, { tag }, signal);
  const isThere = content !== undefined && content.digest !== descriptor.digest;
  const leads = isThere
    ? [{ path, digest: content.digest, isTagged: true, bytes: content.bytes }]
    : [];
  return { leads, incomplete: undefined };
}
