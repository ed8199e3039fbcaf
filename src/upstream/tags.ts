import { isObject, readJson } from '../kernel/json.ts';
import { quoted } from '../kernel/quoted.ts';
import { parseTag, type Tag } from '../oci/reference.ts';
import type { RepositoryPath } from '../oci/repository.ts';
import type { TagPage, TagQuery } from './content-source.ts';
import type { Ask, Exchange } from './exchange.ts';
import { eachPage, nextPage } from './pagination.ts';
import type { RegistryUrls } from './registry-url.ts';
import { answerLimits } from './remote-options.ts';
import { UpstreamError } from './upstream-error.ts';

/**
 * One page of tags. Upstreams may give fewer than asked with a link to more, or ignore `n` and
 * `last`; the page is complete all the same. What an upstream that pages by tokens of its own gives
 * before `last` does not count.
 */
export async function listTags(
  path: RepositoryPath,
  query: TagQuery,
  urls: RegistryUrls,
  exchange: Exchange,
  signal: AbortSignal,
): Promise<TagPage | undefined> {
  const { limit, last } = query;
  const first = urls.tags(path, query);
  const prefix = `${urls.prefix(path)}tags/list`;
  let tags: readonly Tag[] = [];
  let isKnown = true;
  let more = false;
  const fetch = async (url: URL) => {
    const ask: Ask = { operation: 'tags', path, url };
    const answer = await exchange.read(ask, answerLimits.tagsBytes, signal);
    if (answer === undefined) {
      isKnown = false;
      return 'enough';
    }
    tags = [...tags, ...readTags(answer.bytes)];
    const next = nextPage(answer, prefix);
    more = next !== undefined;
    // Who leads on by the last tag heeds ours; of all others it may be still to come.
    const isBehind = last === undefined || tags.includes(last) || next?.searchParams.has('last');
    return isBehind && tagsBehind().length >= limit ? 'enough' : answer;
  };
  const tagsBehind = (): readonly Tag[] =>
    last === undefined ? tags : tags.slice(tags.indexOf(last) + 1);
  const limits = { maxPages: answerLimits.tagPages, what: 'tags' };
  await exchange.named(`tags of ${path}`, signal, () => eachPage(first, prefix, limits, fetch));
  if (!isKnown) return undefined;
  const rest = tagsBehind();
  return { tags: rest.slice(0, limit), more: more || rest.length > limit };
}

/** distribution-spec, Listing Tags; some registries say null for none. */
function readTags(bytes: Uint8Array): readonly Tag[] {
  const document = readJson(bytes, 32, answerLimits.tagsValues);
  const untrusted = isObject(document) ? document['tags'] : undefined;
  if (untrusted === null) return [];
  if (!Array.isArray(untrusted)) {
    throw new UpstreamError('UPSTREAM_MISBEHAVED', 'answers without a list of tags');
  }
  return untrusted.map((item: unknown) => {
    const tag = typeof item === 'string' ? parseTag(item) : undefined;
    if (tag !== undefined) return tag;
    throw new UpstreamError('UPSTREAM_MISBEHAVED', `lists ${textOf(item)} as a tag`);
  });
}

/** Objects out of JSON have no text of their own. */
function textOf(item: unknown): string {
  return typeof item === 'string' ? quoted(item) : `a ${item === null ? 'null' : typeof item}`;
}
