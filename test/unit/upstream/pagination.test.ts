import * as fc from 'fast-check';
import t from 'tap';
import { eachPage, nextPage, parseNextLink } from '../../../src/upstream/pagination.ts';
import { UpstreamError } from '../../../src/upstream/upstream-error.ts';
import { holds } from '../../support/holds.ts';

const url = new URL('https://registry.example/v2/a/b/tags/list?n=10');
const prefix = '/v2/a/b/tags/list';
const answerWith = (link?: string | string[]) => ({
  url,
  headers: link === undefined ? {} : { link },
});

const parsed: readonly (readonly [string, string | undefined])[] = [
  ['<x>; rel="next"', 'x'],
  ['<x>; rel=next', 'x'],
  ['<x>;rel="NEXT"', 'x'],
  ['<x>; rel="prev next"', 'x'],
  ['<x>; title="a, b"; rel="next"', 'x'],
  ['<y>; rel="prev", <x>; rel="next"', 'x'],
  ['<x>; rel="prev"', undefined],
  ['<x>; rel="nextish"', undefined],
  ['<x>', undefined],
  ['', undefined],
  ['<x?a=1,2>; rel="next"', 'x?a=1,2'],
];
for (const [header, target] of parsed) {
  t.test(`Link ${header} has the next page ${target}`, async (t) => {
    t.equal(parseNextLink(header), target);
  });
}

for (const header of [
  'x; rel="next"',
  '<x; rel="next"',
  '<x> rel="next"',
  '<x>; rel="next',
  '<x>; rel="next", <y>; rel="next"',
  `<${'x'.repeat(8200)}>; rel="next"`,
]) {
  t.test(`Link ${header.slice(0, 40)} is refused`, async (t) => {
    t.throws(() => parseNextLink(header), { code: 'UPSTREAM_MISBEHAVED' });
  });
}

t.test('a page without a Link is the last one', async (t) => {
  t.equal(nextPage(answerWith(), prefix), undefined);
});

t.test('the next page may be relative', async (t) => {
  const expected = 'https://registry.example/v2/a/b/tags/list?n=10&last=x';
  for (const target of [expected, '/v2/a/b/tags/list?n=10&last=x', '?n=10&last=x']) {
    t.equal(nextPage(answerWith(`<${target}>; rel="next"`), prefix)?.href, expected);
  }
});

t.test('a Link in a header of its own is read', async (t) => {
  const links = ['<?last=a>; rel="prev"', '<?last=b>; rel="next"'];
  t.equal(nextPage(answerWith(links), prefix)?.search, '?last=b');
});

const astray = [
  'https://evil.example/v2/a/b/tags/list?n=10',
  'http://registry.example/v2/a/b/tags/list',
  'https://registry.example:444/v2/a/b/tags/list',
  '//127.0.0.1/v2/a/b/tags/list',
  'https://u:p@registry.example/v2/a/b/tags/list',
  '/v2/a/c/tags/list',
  '/v2/a/b/manifests/x',
  '/v2/a/b/tags/list/../../../../c/tags/list',
  '/v2/a/b/tags/list/%2e%2e/%2e%2e/x',
  '/v2/a/b/tags/list/..%2f..%2fx',
  '\\\\evil.example/v2/a/b/tags/list',
  '/v2/a/b/tags/list?x= y',
  'https://[',
];
for (const target of astray) {
  t.test(`a next page ${target} leads astray`, async (t) => {
    t.throws(() => nextPage(answerWith(`<${target}>; rel="next"`), prefix), {
      code: 'UPSTREAM_LEADS_ASTRAY',
    });
  });
}

/** Serves pages by a function from URL to the Link's target. */
async function walk(next: (url: URL) => string | undefined, maxPages = 5): Promise<string[]> {
  const asked: string[] = [];
  await eachPage(url, prefix, { maxPages, what: 'tags' }, (page) => {
    asked.push(page.search);
    const target = next(page);
    return Promise.resolve({
      url: page,
      headers: target === undefined ? {} : { link: `<${target}>; rel="next"` },
    });
  });
  return asked;
}

t.test('pages are asked until the last one', async (t) => {
  const pages: Readonly<Record<string, string>> = { '?n=10': '?p=2', '?p=2': '?p=3' };
  t.strictSame(await walk(({ search }) => pages[search]), ['?n=10', '?p=2', '?p=3']);
});

t.test('pages that lead in a circle are an error', async (t) => {
  const pages: Readonly<Record<string, string>> = { '?n=10': '?p=2', '?p=2': '?n=10' };
  await t.rejects(
    walk(({ search }) => pages[search]),
    { code: 'UPSTREAM_MISBEHAVED' },
  );
});

t.test('one page too many is an error, not the end', async (t) => {
  let page = 0;
  const endless = () => `?p=${(page += 1)}`;
  await t.rejects(walk(endless), { code: 'UPSTREAM_TOO_LARGE' });
  t.equal(page, 5);
});

t.test('whoever has enough stops', async (t) => {
  let asked = 0;
  await eachPage(url, prefix, { maxPages: 5, what: 'tags' }, () => {
    asked += 1;
    return Promise.resolve('enough');
  });
  t.equal(asked, 1);
});

t.test('properties', async (t) => {
  const junk = fc.string({
    unit: fc.constantFrom('<', '>', ';', ',', '"', '=', ' ', 'rel', 'next', '/', 'x', '\\'),
  });
  await holds(
    t,
    'any header is read or refused',
    fc.property(junk, (header) => {
      try {
        nextPage(answerWith(header), prefix);
        return true;
      } catch (error) {
        return error instanceof UpstreamError;
      }
    }),
  );
});
