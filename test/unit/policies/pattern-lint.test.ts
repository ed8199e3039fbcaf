import t from 'tap';
import { doubtsOfPattern, doubtsOfSearch } from '../../../src/policies/pattern-lint.ts';

const doubts = (text: string) => doubtsOfPattern({ kind: 'pattern', text });

const sound = [
  'https://github\\.com/acme/app/\\.github/workflows/release\\.yml@refs/tags/v.*',
  'https://github\\.com/acme/.*',
  'https://github\\.com/acme/[^/]+/\\.github/.*',
  'refs/tags/v[0-9.]+',
  'refs/tags/v.*',
  'release-(?:alpha|beta)@acme\\.example',
];

for (const text of sound) {
  t.test(`${text} is beyond doubt`, async (t) => {
    t.same(doubts(text), []);
  });
}

const doubtful = [
  ['.*', /matches everything/],
  ['(?s).*', /matches everything/],
  ['.+', /matches everything/],
  ['https://.*|.*', /matches everything/],
  ['.*@acme\\.example', /says nothing of how the text begins/],
  ['(?:https|http)://github\\.com/acme/.*', /says nothing of how the text begins/],
  [
    'https://github\\.com/acme.*',
    /also matches names that begin like https:\/\/github\\\.com\/acme/,
  ],
  ['https://github\\.com/acme/app.*', /also matches names that begin like/],
  ['https://github\\.com.*', /also matches names/],
  ['https://github\\.com/acme[^/]*/app', /also matches names/],
  ['https://github.com/acme/.*', /a dot that stands for any character/],
] as const;

for (const [text, doubt] of doubtful) {
  t.test(`${text} is in doubt`, async (t) => {
    t.match(doubts(text), [doubt]);
  });
}

t.test('a text that is compared is beyond doubt', async (t) => {
  t.same(doubtsOfPattern({ kind: 'exact', text: '.*' }), []);
});

t.test('a search in CEL is in doubt unless it names both ends', async (t) => {
  t.same(doubtsOfSearch('^v[0-9]+$'), []);
  t.same(doubtsOfSearch('(?i)^v$'), []);
  for (const text of ['v[0-9]+', '^v', 'v$']) t.match(doubtsOfSearch(text), [/looks anywhere/]);
});
