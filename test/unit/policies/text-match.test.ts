import t from 'tap';
import { exactly, parsePattern } from '../../../src/policies/text-match.ts';

function matches(pattern: string, text: string): boolean {
  const match = parsePattern(pattern);
  if ('problem' in match) throw new TypeError(match.problem);
  return match.matches(text);
}

const pattern = 'https://github\\.com/acme/app/\\.github/workflows/release\\.yml@refs/tags/v.*';
const good = 'https://github.com/acme/app/.github/workflows/release.yml@refs/tags/v1';

t.test('a pattern matches a text that fits as a whole', async (t) => {
  t.ok(matches(pattern, good));
  t.ok(matches('a|b', 'b'));
});

const nearMisses = [
  ['another repository of the same beginning', good.replace('acme/app', 'acme/app-evil')],
  ['another organisation of the same beginning', good.replace('acme/', 'acme-evil/')],
  ['a prefix', `evil ${good}`],
  ['a prefix that is a URL', `https://evil.example/?${good}`],
  ['a line before it', `x\n${good}`],
  ['a line after it', `${good}\nx`],
  ['a line break at its end', `${good}\n`],
  ['a carriage return at its end', `${good}\r\n`],
  ['upper case', good.toUpperCase()],
  ['another case in one letter', good.replace('acme', 'Acme')],
  ['another character in place of a dot', good.replace('github.com', 'githubXcom')],
  ['a part of it', good.slice(0, -2)],
  ['nothing', ''],
] as const;

for (const [what, text] of nearMisses) {
  t.test(`a pattern does not match ${what}`, async (t) => {
    t.notOk(matches(pattern, text));
  });
}

t.test('anchors of lines and alternatives do not let the rest through', async (t) => {
  t.notOk(matches('(?m)^abc$', 'x\nabc'));
  t.notOk(matches('abc$', 'abc\n'));
  t.notOk(matches('a|b', 'bc'));
  t.notOk(matches('a|b', 'ca'));
});

t.test('an exact text is compared, not matched', async (t) => {
  t.ok(exactly('a.*').matches('a.*'));
  t.notOk(exactly('a.*').matches('ab'));
  t.notOk(exactly('a').matches('a\n'));
});

t.test('a pattern that takes others for ever takes no time', async (t) => {
  t.notOk(matches('(a+)+b', 'a'.repeat(8000)));
  t.notOk(matches('(a|aa)*b', 'a'.repeat(8000)));
});

const bad = [
  ['a(', /missing closing/],
  ['(?=a)', /invalid or unsupported Perl syntax/],
  ['(a)\\1', /invalid escape sequence/],
  ['((a{100}){100}){100}', /invalid repeat count/],
  ['a'.repeat(1025), /longer than 1024 characters/],
] as const;

for (const [text, problem] of bad) {
  t.test(`${text.slice(0, 30)} is no pattern`, async (t) => {
    t.match(parsePattern(text), { problem });
  });
}

t.test('a text that no name is as long as matches no pattern', async (t) => {
  t.ok(matches('a*', 'a'.repeat(8192)));
  t.notOk(matches('a*', 'a'.repeat(8193)));
});
