import * as fc from 'fast-check';
import t from 'tap';
import { makeScopeIndex } from '../../../src/policies/scope-index.ts';
import {
  matchesGlob,
  parseScopePattern,
  type ScopePattern,
  type SegmentPattern,
} from '../../../src/policies/scope.ts';
import { holds } from '../../support/holds.ts';

function pattern(text: string): ScopePattern {
  const parsed = parseScopePattern(text);
  if ('problem' in parsed) throw new TypeError(parsed.problem);
  return parsed;
}

const matches = (text: string, scope: string): boolean =>
  makeScopeIndex([[pattern(text), 0]]).matching(scope).length > 0;

const table = [
  {
    text: 'ghcr.io/acme/app',
    yes: ['ghcr.io/acme/app'],
    no: ['ghcr.io/acme/app/x', 'ghcr.io/acme'],
  },
  { text: 'acme/**', yes: ['acme/a', 'acme/a/b/c'], no: ['acme', 'acmes/a', 'x/acme/a'] },
  { text: 'acme/*', yes: ['acme/a'], no: ['acme/a/b', 'acme'] },
  { text: 'acme/*/c', yes: ['acme/b/c'], no: ['acme/c', 'acme/a/b/c'] },
  { text: 'acme/app-*', yes: ['acme/app-1', 'acme/app-'], no: ['acme/app', 'acme/app-1/x'] },
  { text: '**', yes: ['a', 'a/b'], no: [] },
  { text: '**/nginx', yes: ['docker.io/library/nginx', 'a/nginx'], no: ['nginx', 'a/nginx/b'] },
  { text: 'a/**/b', yes: ['a/x/b', 'a/b/b', 'a/x/y/b'], no: ['a/b'] },
  { text: 'a/**/**', yes: ['a/b/c'], no: ['a/b'] },
  {
    text: 'docker.io/library/*',
    yes: ['docker.io/library/nginx'],
    no: ['Docker.io/library/nginx'],
  },
];

for (const { text, yes, no } of table) {
  t.test(`${text} matches by whole segments and case`, async (t) => {
    t.same(
      yes.filter((scope) => matches(text, scope)),
      yes,
    );
    t.same(
      no.filter((scope) => matches(text, scope)),
      [],
    );
  });
}

t.test('all patterns that match come by number, each once', async (t) => {
  const index = makeScopeIndex([
    [pattern('a/b'), 5],
    [pattern('**'), 2],
    [pattern('a/*'), 9],
    [pattern('a/**'), 2],
    [pattern('x/**'), 1],
    [pattern('a/b'), 0],
  ]);
  t.same(index.matching('a/b'), [0, 2, 5, 9]);
  t.same(index.matching('y/b'), [2]);
});

/** The meaning of a pattern, written down the slow way. */
function means(segments: readonly SegmentPattern[], words: readonly string[]): boolean {
  const [segment, ...others] = segments;
  const [word, ...rest] = words;
  if (segment === undefined || word === undefined)
    return segment === undefined && word === undefined;
  if (segment.kind === 'deep') return means(others, rest) || means(segments, rest);
  const fits =
    segment.kind === 'literal' ? segment.text === word : matchesGlob(segment.parts, word);
  return fits && means(others, rest);
}

t.test('the index says what each pattern means by itself', async (t) => {
  const word = fc.constantFrom('a', 'b', 'ab', '*', 'a*', '*b', '**');
  const patterns = fc.array(
    fc.array(word, { minLength: 2, maxLength: 5 }).map((words) => pattern(words.join('/'))),
    { maxLength: 8 },
  );
  const words = fc.array(fc.constantFrom('a', 'b', 'ab', 'c'), { minLength: 1, maxLength: 6 });
  await holds(
    t,
    'index equals meaning',
    fc.property(patterns, words, (many, scope) => {
      const index = makeScopeIndex(many.map((one, number) => [one, number] as const));
      const expected = many.flatMap((one, number) => (means(one.segments, scope) ? [number] : []));
      return index.matching(scope.join('/')).join() === expected.join();
    }),
  );
});

const covers = (wide: ScopePattern, narrow: ScopePattern): boolean =>
  makeScopeIndex([[wide, 0]]).covering(narrow).length > 0;

t.test('a pattern covers what is narrower, and not what is wider or beside', async (t) => {
  for (const [wide, narrow] of [
    ['**', '**'],
    ['**', 'a/b*'],
    ['a/**', 'a/b'],
    ['a/**', 'a/**/b'],
    ['a/*', 'a/b*'],
    ['a/b*', 'a/bc'],
    ['a/b', 'a/b'],
    ['**/b', 'a/**/b'],
  ] as const) {
    t.ok(covers(pattern(wide), pattern(narrow)), `${wide} covers ${narrow}`);
  }
  for (const [wide, narrow] of [
    ['a/*', 'a/**'],
    ['a/**', '**'],
    ['a/b*', 'a/*'],
    ['a/b', 'a/b/c'],
    ['**/**', '**'],
    ['a/b/**', 'a/b'],
  ] as const) {
    t.notOk(covers(pattern(wide), pattern(narrow)), `${wide} does not cover ${narrow}`);
  }
});

const coarseWord = fc.constantFrom('a', 'b', 'ab', '*', 'a*', '**');
const coarsePatterns = fc
  .array(coarseWord, { minLength: 2, maxLength: 4 })
  .map((words) => pattern(words.join('/')));
const scopes = fc
  .array(fc.constantFrom('a', 'b', 'ab', 'ba'), { minLength: 1, maxLength: 5 })
  .map((words) => words.join('/'));

t.test('what covers a pattern matches whatever that one matches', async (t) => {
  await holds(
    t,
    'covers is sound',
    fc.property(coarsePatterns, coarsePatterns, scopes, (wide, narrow, scope) => {
      const matches = (one: ScopePattern) => makeScopeIndex([[one, 0]]).matching(scope).length > 0;
      return !covers(wide, narrow) || !matches(narrow) || matches(wide);
    }),
  );
});
