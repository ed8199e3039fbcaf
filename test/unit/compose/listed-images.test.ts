import t from 'tap';
import type { ListedTags } from '../../../src/compose/image-list.ts';
import { listedImages } from '../../../src/compose/listed-images.ts';
import type { Gate } from '../../../src/gate/trusted-content.ts';
import type { Tag } from '../../../src/oci/reference.ts';
import type { RepositoryPath } from '../../../src/oci/repository.ts';
import { exactly, parsePattern } from '../../../src/policies/text-match.ts';

const repository = { upstream: 'reg', path: 'app' as RepositoryPath };
const signal = AbortSignal.timeout(30_000);
const signature = `sha256-${'a'.repeat(64)}.sig`;

function patternOf(text: string) {
  const pattern = parsePattern(text);
  if ('problem' in pattern) throw new TypeError(pattern.problem);
  return pattern;
}

/** Lists these tags, so many a page. */
function gateWith(all: readonly string[], pageTags = 2): Pick<Gate, 'listTags'> {
  return {
    listTags: async (_repository, { last }) => {
      const rest = last === undefined ? all : all.slice(all.indexOf(last) + 1);
      const page = { tags: rest.slice(0, pageTags) as Tag[], more: rest.length > pageTags };
      return page as unknown as Awaited<ReturnType<Gate['listTags']>>;
    },
  };
}

const byPattern: ListedTags = { repository, tags: [patternOf('v.*')], platforms: undefined };

t.test('tags that match are listed over all pages, and signatures are none of them', async (t) => {
  const everything: ListedTags = { repository, tags: [patternOf('.*')], platforms: undefined };
  const gate = gateWith(['a', signature, 'v1', 'v2', 'v3']);
  const matching = await listedImages([byPattern], gate, signal);
  t.match(matching, [{ text: 'reg/app:v1' }, { text: 'reg/app:v2' }, { text: 'reg/app:v3' }]);
  t.equal(matching.length, 3);
  const all = await listedImages([everything], gate, signal);
  t.notOk(all.some(({ text }) => text.includes(signature)));
});

t.test('an image that is listed twice comes once', async (t) => {
  const exact: ListedTags = { repository, tags: [exactly('v1')], platforms: undefined };
  const images = await listedImages([byPattern, exact], gateWith(['v1']), signal);
  t.equal(images.length, 1);
});

t.test('a pattern that nothing matches is told, and so is a listing that fails', async (t) => {
  const [none] = await listedImages([byPattern], gateWith(['latest']), signal);
  t.match(none, { text: 'reg/app:v.*', error: { code: 'MANIFEST_UNKNOWN' } });
  const away = { listTags: () => Promise.reject(new Error('upstream is away')) };
  const [failed] = await listedImages([byPattern], away, signal);
  t.match(failed, { error: { message: 'upstream is away' } });
});

t.test('a repository whose tags never end is not listed to its end', async (t) => {
  const gate = {
    listTags: async () =>
      ({ tags: ['v1' as Tag], more: true }) as unknown as Awaited<ReturnType<Gate['listTags']>>,
  };
  const [image] = await listedImages([byPattern], gate, signal);
  t.match(image, { error: { message: /more than \d+ tags/ } });
});
