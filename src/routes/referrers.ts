import { NotFoundError } from '../gate/gate-error.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import type { Digest } from '../oci/digest.ts';
import { mediaTypes } from '../oci/media-types.ts';
import { findOut } from './cold-work.ts';
import { type Exchange, sendWhole } from './exchange.ts';
import { maxReferrersBytes, maxReferrersPerPage } from './limits.ts';
import { nextPageLink } from './next-page.ts';
import type { NamedRepository } from './names.ts';
import { type Query, singleValue } from './query.ts';

/** distribution-spec, Listing Referrers: an index, also where there are none, and never 404. */
export async function answerReferrers(
  exchange: Exchange,
  named: NamedRepository,
  digest: Digest,
  query: Query,
): Promise<void> {
  const all = await listReferrers(exchange, named, digest);
  const artifactTypes = (query.get('artifactType') ?? []).filter((type) => type !== '');
  const matching = all.filter((descriptor) => isOneOf(descriptor, artifactTypes));
  const page = takePage(matching, singleValue(query, 'last'));
  const parameters = [
    ...artifactTypes.map((type) => ['artifactType', type] as const),
    ...(page.next === undefined ? [] : [['last', page.next] as const]),
  ];
  const headers = {
    'Content-Type': mediaTypes.ociIndex,
    'OCI-Namespace': named.repository.upstream,
    ...(artifactTypes.length > 0 && { 'OCI-Filters-Applied': 'artifactType' }),
    ...(page.next !== undefined && {
      Link: nextPageLink(named, `referrers/${digest}`, parameters),
    }),
  };
  const body = `{"schemaVersion":2,"mediaType":"${mediaTypes.ociIndex}","manifests":[${page.items.join(',')}]}`;
  sendWhole(exchange, 200, headers, body);
}

async function listReferrers(
  exchange: Exchange,
  { repository }: NamedRepository,
  digest: Digest,
): Promise<readonly Descriptor[]> {
  try {
    const { gate } = exchange.services;
    const admitted = await findOut(exchange, () =>
      gate.admitReferrers(repository, digest, exchange.signal),
    );
    return admitted.descriptors;
  } catch (error) {
    if (error instanceof NotFoundError) return [];
    throw error;
  }
}

function isOneOf({ artifactType }: Descriptor, artifactTypes: readonly string[]): boolean {
  if (artifactTypes.length === 0) return true;
  return artifactType !== undefined && artifactTypes.includes(artifactType);
}

interface Page {
  /** Descriptors as JSON. */
  readonly items: readonly string[];
  /** The digest after which the next page begins, if there is one. */
  readonly next: string | undefined;
}

/** Pages go by digest, so that one holds whatever joins or leaves the list between two requests. */
function takePage(descriptors: readonly Descriptor[], last: string | undefined): Page {
  const sorted = descriptors
    .filter(({ digest }) => last === undefined || digest > last)
    .toSorted((a, b) => (a.digest < b.digest ? -1 : 1));
  const items: string[] = [];
  let bytes = 0;
  let lastTaken: string | undefined;
  for (const descriptor of sorted) {
    const item = JSON.stringify(descriptor);
    bytes += Buffer.byteLength(item) + 1;
    // One always goes, so that a page never leads to itself.
    const full = items.length >= maxReferrersPerPage || bytes > maxReferrersBytes - 200;
    if (full && items.length > 0) return { items, next: lastTaken };
    items.push(item);
    lastTaken = descriptor.digest;
  }
  return { items, next: undefined };
}
