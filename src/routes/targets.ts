import { makeRecent } from '../gate/recent.ts';
import type { Digest } from '../oci/digest.ts';
import type { Reference } from '../oci/reference.ts';
import { type NamedRepository, type Names, resolveName } from './names.ts';
import { parseTarget, splitTarget, type Target } from './path.ts';
import { parseQuery, type Query, singleValue } from './query.ts';

/** What a request asks for, wholly read. */
export type Asked =
  | { readonly route: 'manifests'; readonly named: NamedRepository; readonly reference: Reference }
  | { readonly route: 'blobs'; readonly named: NamedRepository; readonly reference: ByDigest }
  | (OfRepository & { readonly route: 'referrers'; readonly reference: ByDigest })
  | (OfRepository & { readonly route: 'tags'; readonly reference: undefined });

interface ByDigest {
  readonly digest: Digest;
}

interface OfRepository {
  readonly named: NamedRepository;
  readonly query: Query;
}

/** Reads request targets, those that come again and again from memory. */
export interface Targets {
  /** What the same request asked for a moment ago; undefined: it is to be read. */
  atHand(rawUrl: string, host: string | undefined): Asked | undefined;
  /** Undefined for the version check. `onRoute` is told as soon as the route is known. */
  read(
    rawUrl: string,
    host: string | undefined,
    onRoute: (route: Target['route']) => void,
  ): Asked | undefined;
}

/** In all, and of one target: who asks for what is longer does without. */
const maxCharacters = 2_000_000;
const maxTargetCharacters = 1_000;
/** What is kept of a target beside its own text. */
const overheadCharacters = 500;

/** Only what is well formed is kept: by the text of it, which means the same under the same names. */
export function makeTargets(names: Names): Targets {
  const known = makeRecent<{ readonly asked: Asked; readonly characters: number }>(
    maxCharacters,
    ({ characters }) => characters + overheadCharacters,
  );
  // Without names of hosts the header says nothing.
  const nameOf = (rawUrl: string, host: string | undefined): string =>
    names.hosts.size === 0 ? rawUrl : `${rawUrl} ${host ?? ''}`;
  const { generation } = names;
  const keyOf =
    generation === undefined
      ? nameOf
      : (rawUrl: string, host: string | undefined) => `${nameOf(rawUrl, host)} ${generation()}`;
  return {
    atHand: (rawUrl, host) => known.get(keyOf(rawUrl, host))?.asked,
    read(rawUrl, host, onRoute) {
      const { path, query: queryText } = splitTarget(rawUrl);
      const target = parseTarget(path);
      onRoute(target.route);
      if (target.route === 'version') return undefined;
      const query = parseQuery(queryText);
      const namespace = singleValue(query, 'ns');
      const named = resolveName({ name: target.name, namespace, host }, names);
      const asked = toAsked(target, named, query);
      const key = keyOf(rawUrl, host);
      const isContent = asked.route === 'manifests' || asked.route === 'blobs';
      if (isContent && key.length <= maxTargetCharacters) {
        known.set(key, { asked, characters: key.length });
      }
      return asked;
    },
  };
}

function toAsked(
  target: Exclude<Target, { readonly route: 'version' }>,
  named: NamedRepository,
  query: Query,
): Asked {
  switch (target.route) {
    case 'manifests':
      return { route: 'manifests', named, reference: target.reference };
    case 'blobs':
      return { route: 'blobs', named, reference: { digest: target.digest } };
    case 'referrers':
      return { route: 'referrers', named, reference: { digest: target.digest }, query };
    default:
      return { route: 'tags', named, reference: undefined, query };
  }
}
