import t from 'tap';
import { readStatementHead } from '../../../../src/formats/sigstore/statement-head.ts';

const good = {
  _type: 'https://in-toto.io/Statement/v1',
  subject: [{ name: 'a', digest: { sha256: '00', sha1: '11' } }, {}],
  predicateType: 'https://slsa.dev/provenance/v1',
};
const read = (statement: unknown) => readStatementHead(Buffer.from(JSON.stringify(statement)));

t.test('a statement is read up to its predicate', async (t) => {
  const head = read({ ...good, predicate: { a: 1 } });
  t.strictSame(head, {
    predicateType: good.predicateType,
    subjects: [
      new Map([
        ['sha256', '00'],
        ['sha1', '11'],
      ]),
      new Map(),
    ],
  });
});

const digestsOf = (count: number): Record<string, string> =>
  Object.fromEntries(Array.from({ length: count }, (_, index) => [`hash${index}`, '00']));
const subjectsOf = (count: number): unknown[] => Array.from({ length: count }, () => ({}));

t.test('as many subjects and hashes as may be are read', async (t) => {
  t.match(read({ ...good, subject: subjectsOf(1024) }), { subjects: { length: 1024 } });
  t.notOk('problem' in read({ ...good, subject: [{ digest: digestsOf(32) }] }));
});

const broken: Readonly<Record<string, readonly [unknown, RegExp]>> = {
  'no object': [null, /no object/],
  'no type': [{ ...good, _type: undefined }, /_type/],
  'a type that is no text': [{ ...good, _type: ['https://in-toto.io/Statement/v1'] }, /_type/],
  'no predicate type': [{ ...good, predicateType: undefined }, /predicateType is missing/],
  'an empty predicate type': [{ ...good, predicateType: '' }, /predicateType is missing/],
  'a predicate type that is no text': [{ ...good, predicateType: 1 }, /predicateType is missing/],
  'a predicate type that is too long': [{ ...good, predicateType: 'a'.repeat(1025) }, /too long/],
  'no subject': [{ ...good, subject: undefined }, /no subject/],
  'an empty list of subjects': [{ ...good, subject: [] }, /no subject/],
  'a subject that is a list of none': [{ ...good, subject: {} }, /no subject/],
  '1025 subjects': [{ ...good, subject: subjectsOf(1025) }, /more than 1024 subjects/],
  'a subject that is no object': [{ ...good, subject: [1] }, /subject\[0\] has no map/],
  'hashes that are a list': [{ ...good, subject: [{ digest: [] }] }, /subject\[0\] has no map/],
  '33 hashes': [{ ...good, subject: [{}, { digest: digestsOf(33) }] }, /subject\[1\] .* 32 hashes/],
  'a hash that is no text': [
    { ...good, subject: [{ digest: { sha256: 1 } }] },
    /subject\[0\] has a "sha256" that is no text/,
  ],
};

for (const [what, [statement, problem]] of Object.entries(broken)) {
  t.test(`a statement with ${what} has a problem`, async (t) => {
    t.match(read(statement), { problem });
  });
}

t.test('what is no JSON has a problem too', async (t) => {
  t.match(readStatementHead(Buffer.from('{')), { problem: /no JSON/ });
});
