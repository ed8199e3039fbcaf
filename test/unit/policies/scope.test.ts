import t from 'tap';
import { matchesGlob, parseScopePattern, type ScopePattern } from '../../../src/policies/scope.ts';

function pattern(text: string): ScopePattern {
  const parsed = parseScopePattern(text);
  if ('problem' in parsed) throw new TypeError(parsed.problem);
  return parsed;
}

for (const text of [
  '**',
  'ghcr.io/**',
  'localhost:5000/a',
  '*/library/*',
  'a/b*c*d/**/e',
  '**/x',
]) {
  t.test(`${text} is a pattern`, async (t) => {
    t.equal(pattern(text).text, text);
  });
}

const bad = [
  ['', /empty segment/],
  ['/a', /empty segment/],
  ['a//b', /empty segment/],
  ['a/', /empty segment/],
  ['a/b**', /beside other/],
  ['a/***', /beside other/],
  ['a/b:1.0', /no repository has/],
  ['a/b@sha256', /no repository has/],
  ['https://a/b', /empty segment/],
  ['a/b?', /no repository has/],
  ['a/[bc]', /no repository has/],
  ['a/b c', /no repository has/],
  ['a/ä', /no repository has/],
  ['a', /write a\/\*\*/],
  ['*', /matches no repository/],
  [`a/${'b'.repeat(512)}`, /longer than 512/],
] as const;

for (const [text, problem] of bad) {
  t.test(`${JSON.stringify(text.slice(0, 20))} is none`, async (t) => {
    t.match(parseScopePattern(text), { problem });
  });
}

t.test('a glob matches its parts in order, anchored at both ends', async (t) => {
  const matches = (glob: string, segment: string) => matchesGlob(glob.split('*'), segment);
  for (const [glob, segment] of [
    ['*', 'x'],
    ['a*', 'a'],
    ['*a', 'ba'],
    ['a*a', 'aa'],
    ['a*b*c', 'aXbYc'],
    ['a*b*b', 'abb'],
    ['*b*b*', 'bb'],
  ] as const) {
    t.ok(matches(glob, segment), `${glob} matches ${segment}`);
  }
  for (const [glob, segment] of [
    ['a*a', 'a'],
    ['a*', 'ba'],
    ['*a', 'ab'],
    ['a*b*c', 'acb'],
    ['a*b*b', 'ab'],
    ['*bb*b', 'bb'],
    ['A*', 'a'],
  ] as const) {
    t.notOk(matches(glob, segment), `${glob} does not match ${segment}`);
  }
});

t.test('a glob with many stars stays linear', async (t) => {
  const parts = 'a*'.repeat(250).split('*');
  t.notOk(matchesGlob([...parts, 'b'], 'a'.repeat(60_000)));
});
