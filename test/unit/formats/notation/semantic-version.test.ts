import t from 'tap';
import {
  compareSemanticVersions,
  parseSemanticVersion,
  type SemanticVersion,
} from '../../../../src/formats/notation/semantic-version.ts';

const read = (text: string): SemanticVersion => parseSemanticVersion(text) as SemanticVersion;

// Semantic Versioning 2.0.0, section 11, and what it leaves to be found out.
const ascending = [
  '0.0.0',
  '0.0.9',
  '0.0.10',
  '0.2.0',
  '1.0.0-0',
  '1.0.0-9',
  '1.0.0-10',
  '1.0.0--',
  '1.0.0-10a',
  '1.0.0-2a',
  '1.0.0-a2',
  '1.0.0-alpha',
  '1.0.0-alpha.1',
  '1.0.0-alpha.beta',
  '1.0.0-beta',
  '1.0.0-beta.2',
  '1.0.0-beta.11',
  '1.0.0-rc.1',
  '1.0.0',
  '2.0.0',
  '2.1.0',
  '2.1.1',
  '99999999999999999999.0.0',
  '100000000000000000000.0.0',
];

t.test('versions come in the order of the specification', async (t) => {
  for (const [index, lower] of ascending.entries()) {
    t.equal(compareSemanticVersions(read(lower), read(lower)), 0, lower);
    for (const higher of ascending.slice(index + 1)) {
      t.ok(compareSemanticVersions(read(lower), read(higher)) < 0, `${lower} < ${higher}`);
      t.ok(compareSemanticVersions(read(higher), read(lower)) > 0, `${higher} > ${lower}`);
    }
  }
});

t.test('build metadata counts for nothing', async (t) => {
  t.equal(compareSemanticVersions(read('1.0.0+a'), read('1.0.0+b.001')), 0);
  t.same(read('1.0.0-a+b'), { core: [1n, 0n, 0n], preRelease: ['a'] });
});

const none = [
  '',
  '1',
  '1.2',
  'v1.2.3',
  '1.2.3.4',
  '01.2.3',
  '1.02.3',
  '1.2.03',
  '1.2.3-',
  '1.2.3-01',
  '1.2.3-a..b',
  '1.2.3+',
  '1.2.3+a+b',
  ' 1.2.3',
  '1.2.3\n',
  '1.2.3-ä',
  '-1.2.3',
  `1.2.3-${'a'.repeat(256)}`,
];

for (const text of none) {
  t.test(`${JSON.stringify(text.slice(0, 20))} is no version`, async (t) => {
    t.equal(parseSemanticVersion(text), undefined);
  });
}
