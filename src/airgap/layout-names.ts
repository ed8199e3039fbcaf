import { quoted } from '../kernel/quoted.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import { parseDigest } from '../oci/digest.ts';
import type { Index } from '../oci/manifest.ts';
import { mediaTypes } from '../oci/media-types.ts';
import { parseTag, type Tag } from '../oci/reference.ts';
import {
  inLibrary,
  parseRepositoryPath,
  type Repository,
  type RepositoryPath,
  scopeOf,
} from '../oci/repository.ts';
import { AirgapError } from './airgap-error.ts';

const refName = 'org.opencontainers.image.ref.name';
/** By which containerd, podman and Docker name what they save. */
const imageName = 'io.containerd.image.name';
const digestTag = /^sha(?:256|512)-[a-f0-9]{64,128}(?:\.(?:sig|att|sbom))?$/;

/** Of what a layout does not name in full. */
export interface NamesWish {
  readonly upstream: string;
  /** Undefined: of paths without a registry alone. */
  readonly path: RepositoryPath | undefined;
}

export interface NamedEntry {
  readonly descriptor: Descriptor;
  readonly repository: Repository;
  /** Undefined: by digest. */
  readonly tag: Tag | undefined;
}

/** What the index.json of a layout lists. */
export interface NamedLayout {
  readonly images: readonly NamedEntry[];
  /** Under tags that are made of digests, as cosign's: of the whole layout where they name no path. */
  readonly tagged: readonly { readonly descriptor: Descriptor; readonly name: string }[];
  readonly unnamed: readonly Descriptor[];
}

/**
 * Names what an index.json lists: `HOST/PATH:TAG` stands for itself; a `PATH:TAG` and a plain `TAG`
 * are of the repository that is wished, or as `io.containerd.image.name` says. A plain `TAG` beside
 * a `PATH:TAG` of the same digest is a short form of that. Throws `AirgapError`: REPOSITORY_UNCLEAR
 * where nothing says which repository is meant, LAYOUT_NAMES where two images have one name.
 */
export function nameLayout({ manifests }: Index, wish: NamesWish | undefined): NamedLayout {
  const images = new Map<string, NamedEntry>();
  const tagged: { descriptor: Descriptor; name: string }[] = [];
  const unnamed: Descriptor[] = [];
  const inFull = namesInFull(manifests);
  for (const { annotations = {}, ...descriptor } of manifests) {
    const name = annotations[refName];
    const known = annotations[imageName];
    if (name === undefined && known === undefined) unnamed.push(descriptor);
    else if (name !== undefined && digestTag.test(afterColon(name)))
      tagged.push({ descriptor, name });
    else if (name === undefined || !inFull.has(`${name} ${descriptor.digest}`))
      addImage(images, descriptor, readName(name, known, wish));
  }
  return { images: [...images.values()], tagged, unnamed };
}

/** `TAG DIGEST` of all that have a path before their tag. */
function namesInFull(manifests: Index['manifests']): ReadonlySet<string> {
  return new Set(
    manifests.flatMap(({ digest, annotations }) => {
      const name = annotations?.[refName];
      return name?.includes(':') === true ? [`${afterColon(name)} ${digest}`] : [];
    }),
  );
}

type Named = Pick<NamedEntry, 'repository' | 'tag'>;

function addImage(images: Map<string, NamedEntry>, descriptor: Descriptor, named: Named): void {
  const key = `${scopeOf(named.repository)}:${named.tag ?? descriptor.digest}`;
  const twin = images.get(key)?.descriptor.digest ?? descriptor.digest;
  if (twin !== descriptor.digest) {
    throw new AirgapError('LAYOUT_NAMES', `${key} is two images of the layout`);
  }
  images.set(key, { descriptor, ...named });
}

/** All of it where there is no colon. */
function afterColon(name: string): string {
  return name.slice(name.lastIndexOf(':') + 1);
}

function readName(
  name: string | undefined,
  known: string | undefined,
  wish: NamesWish | undefined,
): Named {
  const own = name === undefined ? undefined : (readFullName(name) ?? readWished(name, wish));
  const found = own ?? (known === undefined ? undefined : readKnown(known, name));
  if (found === undefined) throw unclear(name ?? known ?? '');
  return found;
}

/** `HOST/PATH:TAG`, where the host can be told from a path as in clients' references. */
function readFullName(text: string): Named | undefined {
  const slash = text.indexOf('/');
  const upstream = text.slice(0, Math.max(slash, 0));
  if (!/[.:]/.test(upstream) && upstream !== 'localhost') return undefined;
  return readIn(upstream, text.slice(slash + 1));
}

/** Of an upstream without a dot where the rest is the entry's own name, as our export writes it. */
function readKnown(known: string, name: string | undefined): Named | undefined {
  const full = readFullName(known);
  if (full !== undefined || name === undefined || !known.endsWith(`/${name}`)) return full;
  return readIn(known.slice(0, -name.length - 1), name);
}

function readWished(text: string, wish: NamesWish | undefined): Named | undefined {
  if (wish === undefined) return undefined;
  const { upstream, path } = wish;
  if (text.includes(':') || text.includes('@')) return readIn(upstream, text);
  const tag = parseTag(text);
  if (path === undefined || tag === undefined) return undefined;
  return { repository: { upstream, path }, tag };
}

/** `PATH:TAG` or `PATH@DIGEST`: a name alone is neither, and clients would take it for `latest`. */
function readIn(upstream: string, text: string): Named | undefined {
  const [, name = '', tagText, digest] = /^([^:@]+)(?::([^:@]+))?(?:@(.+))?$/.exec(text) ?? [];
  const path = parseRepositoryPath(inLibrary(upstream, name));
  if (path === undefined || !isUpstream(upstream)) return undefined;
  const tag = tagText === undefined ? undefined : parseTag(tagText);
  const isTag = tagText === undefined || tag !== undefined;
  const isDigest = digest === undefined || parseDigest(digest) !== undefined;
  if (!isTag || !isDigest || (tagText ?? digest) === undefined) return undefined;
  return { repository: { upstream, path }, tag };
}

/** As the configuration and bundles take it. */
export function isUpstream(text: string): boolean {
  const [name = '', port, ...more] = text.split(':');
  const isPort = port === undefined || /^\d{1,5}$/.test(port);
  return (
    isPort && more.length === 0 && !name.includes('/') && parseRepositoryPath(name) !== undefined
  );
}

/** The index of one upstream with the same names for all, as our own reader takes them. */
export function renderNamedIndex(
  upstream: string,
  layout: NamedLayout,
  wish: NamesWish | undefined,
): Buffer {
  const own = wish?.upstream === upstream ? wish.path : undefined;
  const { images, tagged, unnamed } = layout;
  const manifests = [
    ...images
      .filter(({ repository }) => repository.upstream === upstream)
      .map(({ descriptor, repository: { path }, tag }) =>
        withName(descriptor, tag === undefined ? `${path}@${descriptor.digest}` : `${path}:${tag}`),
      ),
    // Those of a path belong to all of the layout here: digests are nobody's alone.
    ...distinct(tagged).map(({ descriptor, name }) => withName(descriptor, afterColon(name))),
    // A repository that nothing else names exists by them.
    ...unnamed.map((each) => (own === undefined ? each : withName(each, `${own}@${each.digest}`))),
  ];
  return Buffer.from(
    JSON.stringify({ schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests }),
  );
}

function withName(descriptor: Descriptor, name: string): Descriptor {
  return { ...descriptor, annotations: { [refName]: name } };
}

function distinct(tagged: NamedLayout['tagged']): NamedLayout['tagged'] {
  return [
    ...new Map(tagged.map((each) => [`${each.name} ${each.descriptor.digest}`, each])).values(),
  ];
}

function unclear(name: string): AirgapError {
  const wanted = name.includes(':') ? 'UPSTREAM' : 'UPSTREAM/PATH';
  const message = `nothing says which repository ${quoted(name)} is of: give --repository ${wanted}`;
  return new AirgapError('REPOSITORY_UNCLEAR', message);
}
