import t from 'tap';
import { parseTag, type Tag } from '../../src/oci/reference.ts';
import { failureOf, openRemoteKit, path, signal } from '../support/remote-kit.ts';
import { endlessPages, htmlPage, jsonAnswer } from '../support/scripted-answers.ts';
import type { Step } from '../support/scripted-upstream.ts';

const list = `/v2/${path}/tags/list`;
const tagOf = (text: string): Tag => parseTag(text) as Tag;
const page = (tags: unknown, next?: string): Step =>
  jsonAnswer({ name: path, tags }, next === undefined ? {} : { link: `<${next}>; rel="next"` });

t.test('the page that is asked for is asked of upstream', async (t) => {
  const { upstream, source } = await openRemoteKit(t);
  upstream.on(`GET ${list}`, page(['b', 'c'], `${list}?n=2&last=c`));
  const found = await source.listTags(path, { limit: 2, last: tagOf('a') }, signal);
  t.strictSame(found, { tags: ['b', 'c'], more: true });
  t.strictSame(
    upstream.requests.map(({ target }) => target),
    [`${list}?n=2&last=a`],
  );
});

t.test('short pages are joined until the page is full', async (t) => {
  const { upstream, source } = await openRemoteKit(t);
  upstream.on(
    `GET ${list}`,
    page(['a'], `${list}?page=2`),
    page([], `${list}?page=3`),
    page(['b', 'c'], `${list}?page=4`),
  );
  t.strictSame(await source.listTags(path, { limit: 2 }, signal), { tags: ['a', 'b'], more: true });
  t.equal(upstream.requests.length, 3);
});

t.test('an upstream that ignores n and last is cut to the page', async (t) => {
  const { upstream, source } = await openRemoteKit(t);
  upstream.on(`GET ${list}`, page(['a', 'b', 'c', 'd']));
  const query = { limit: 2, last: tagOf('b') };
  t.strictSame(await source.listTags(path, query, signal), { tags: ['c', 'd'], more: false });
  t.strictSame(await source.listTags(path, { limit: 2 }, signal), { tags: ['a', 'b'], more: true });
});

t.test('an upstream that pages by tokens of its own, whatever was last, is followed', async (t) => {
  const { upstream, source } = await openRemoteKit(t);
  const ask = async (last: string | undefined) => {
    upstream.on(
      `GET ${list}`,
      page(['a', 'b'], `${list}?next_page=2`),
      page(['c', 'd'], `${list}?next_page=3`),
      page(['e']),
    );
    return source.listTags(path, { limit: 2, ...(last && { last: tagOf(last) }) }, signal);
  };
  t.strictSame(await ask(undefined), { tags: ['a', 'b'], more: true });
  t.strictSame(await ask('b'), { tags: ['c', 'd'], more: true }, 'the first page has it');
  t.strictSame(await ask('d'), { tags: ['e'], more: false }, 'a later page has it');
});

t.test('what is last may be gone by now', async (t) => {
  const { upstream, source } = await openRemoteKit(t);
  upstream.on(`GET ${list}`, page(['c', 'd'], `${list}?next_page=2`), page(['e']));
  const query = { limit: 2, last: tagOf('b') };
  t.strictSame(await source.listTags(path, query, signal), { tags: ['c', 'd'], more: true });
});

t.test('null is an empty list', async (t) => {
  const { upstream, source } = await openRemoteKit(t);
  upstream.on(`GET ${list}`, page(null));
  t.strictSame(await source.listTags(path, { limit: 2 }, signal), { tags: [], more: false });
});

const bad: Readonly<Record<string, [Step, string]>> = {
  'is HTML': [htmlPage(), 'UPSTREAM_MISBEHAVED'],
  'has no list': [jsonAnswer({}), 'UPSTREAM_MISBEHAVED'],
  'lists what is no tag': [page(['a', '../x']), 'UPSTREAM_MISBEHAVED'],
  'lists a number': [page([1]), 'UPSTREAM_MISBEHAVED'],
  'lists an object': [page([{ toString: 1 }]), 'UPSTREAM_MISBEHAVED'],
  'lists null': [page([null]), 'UPSTREAM_MISBEHAVED'],
  'lists a tag of two lines': [page(['a\r\nX-Evil: y']), 'UPSTREAM_MISBEHAVED'],
  'links to another host': [page(['a'], 'https://evil.example/v2/'), 'UPSTREAM_LEADS_ASTRAY'],
  'links to another repository': [page(['a'], '/v2/other/tags/list'), 'UPSTREAM_LEADS_ASTRAY'],
  'links to itself': [page([], `${list}?n=5`), 'UPSTREAM_MISBEHAVED'],
  'has no end': [{ endless: Buffer.alloc(65_536, 32) }, 'UPSTREAM_TOO_LARGE'],
  'is 403': [{ status: 403 }, 'UPSTREAM_UNAUTHORIZED'],
  'is 500': [{ status: 500 }, 'UPSTREAM_FAILED'],
};
for (const [what, [step, code]] of Object.entries(bad)) {
  t.test(`a list that ${what} is an error that names it`, async (t) => {
    const { upstream, source } = await openRemoteKit(t);
    upstream.on(`GET ${list}`, step);
    const error = await failureOf(t, source.listTags(path, { limit: 5 }, signal));
    t.equal(error.code, code, error.message);
    t.match(error.message, /^tags of team\/app from upstream lab: (?!tags)/);
  });
}

t.test('a page of more values than any repository has tags is not made', async (t) => {
  const { upstream, source } = await openRemoteKit(t);
  const pageOf = (count: number) => page(Array.from({ length: count }, () => 'a'));
  upstream.on(`GET ${list}`, pageOf(250_000), pageOf(240_000));
  const ask = () => source.listTags(path, { limit: 5 }, signal);
  const error = await failureOf(t, ask());
  t.match(error.message, /it has more than 250000 values/);
  t.equal((await ask())?.tags.length, 5, 'fewer are read');
});

t.test('empty pages without end are an error after ten', async (t) => {
  const { upstream, source } = await openRemoteKit(t);
  upstream.on(
    `GET ${list}`,
    endlessPages(() => ({ tags: [] }), 'application/json'),
  );
  const error = await failureOf(t, source.listTags(path, { limit: 5 }, signal));
  t.equal(error.code, 'UPSTREAM_TOO_LARGE');
  t.equal(upstream.requests.length, 10);
});
