import { parseTag, type Tag } from '../oci/reference.ts';
import { findOut } from './cold-work.ts';
import { type Exchange, sendWhole } from './exchange.ts';
import { maxTagsPerPage } from './limits.ts';
import { nextPageLink } from './next-page.ts';
import type { NamedRepository } from './names.ts';
import { type Query, singleValue } from './query.ts';
import { RequestError } from './request-error.ts';

/** distribution-spec, Listing Tags. */
export async function answerTags(
  exchange: Exchange,
  named: NamedRepository,
  query: Query,
): Promise<void> {
  const { gate } = exchange.services;
  const count = readCount(query);
  const last = readLast(query);
  // For n=0 one is asked for all the same: whether there is such a repository must be known.
  const wanted = { limit: Math.max(1, count), ...(last !== undefined && { last }) };
  const page = await findOut(exchange, () =>
    gate.listTags(named.repository, wanted, exchange.signal),
  );
  const tags = page.tags.slice(0, count);
  const lastTag = tags.at(-1);
  const more = lastTag !== undefined && (page.more || page.tags.length > count);
  const headers = {
    'Content-Type': 'application/json',
    'OCI-Namespace': named.repository.upstream,
    ...(more && {
      Link: nextPageLink(named, 'tags/list', [
        ['n', String(count)],
        ['last', lastTag],
      ]),
    }),
  };
  sendWhole(exchange, 200, headers, JSON.stringify({ name: named.givenName, tags }));
}

function readCount(query: Query): number {
  const text = singleValue(query, 'n');
  if (text === undefined) return maxTagsPerPage;
  if (!/^\d{1,15}$/.test(text)) {
    throw new RequestError(400, 'UNSUPPORTED', 'n is no count of tags');
  }
  return Math.min(Number(text), maxTagsPerPage);
}

function readLast(query: Query): Tag | undefined {
  const text = singleValue(query, 'last');
  if (text === undefined || text === '') return undefined;
  const last = parseTag(text);
  if (last === undefined) throw new RequestError(400, 'UNSUPPORTED', 'last is no tag');
  return last;
}
