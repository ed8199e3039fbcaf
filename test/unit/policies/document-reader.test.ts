import t from 'tap';
import {
  type Place,
  readFields,
  readInstant,
  readInteger,
  readItems,
  readOneOf,
  readText,
  type ReportProblem,
} from '../../../src/policies/document-reader.ts';
import { placeOf } from '../../support/policy-kit.ts';

function reading<T>(yaml: string, read: (place: Place, report: ReportProblem) => T) {
  const { place, report, messages } = placeOf(yaml);
  return { value: read(place, report), messages: messages() };
}

const keys = { required: ['a'], optional: ['b'], later: ['c'] };
const fields = (yaml: string) => reading(yaml, (place, report) => readFields(place, keys, report));

t.test('fields are known keys with their places', async (t) => {
  const { value, messages } = fields('{ a: 1, b: 2 }');
  t.same([...(value?.keys() ?? [])], ['a', 'b']);
  t.match(value?.get('b'), { path: '$.b', node: { value: 2 } });
  t.same(messages, []);
});

t.test('what is missing, unknown or of a later version is told apart', async (t) => {
  t.same(fields('{ b: 1, c: 2, d: 3 }').messages, [
    '$.c: is not supported by this version of assay',
    '$.d: is not a known key; known are a, b',
    '$: a is missing',
  ]);
  t.same(fields('[]').messages, ['$: must be a mapping']);
});

t.test('a list has items, and not too many', async (t) => {
  const items = (yaml: string) => reading(yaml, (place, report) => readItems(place, 2, report));
  t.match(items('[x, y]').value, [{ path: '$[0]' }, { path: '$[1]' }]);
  t.same(items('[]').messages, ['$: must not be empty']);
  t.same(items('[x, y, z]').messages, ['$: has more than 2 items']);
  t.same(items('x').messages, ['$: must be a list']);
});

t.test('text is text, not blank, and bounded', async (t) => {
  const text = (yaml: string) => reading(yaml, (place, report) => readText(place, report, 5));
  t.equal(text('abcde').value, 'abcde');
  t.same(text('abcdef').messages, ['$: is longer than 5 characters']);
  t.same(text('" "').messages, ['$: must not be empty']);
  for (const yaml of ['5', 'true', '', '[]']) t.same(text(yaml).messages, ['$: must be text']);
});

t.test('a whole number is at least the minimum', async (t) => {
  const integer = (yaml: string) => reading(yaml, (place, report) => readInteger(place, 1, report));
  t.equal(integer('1').value, 1);
  for (const yaml of ['0', '1.5', '"1"', '9007199254740993', '.inf', '[]']) {
    t.same(integer(yaml).messages, ['$: must be a whole number of at least 1'], yaml);
  }
});

t.test('one of several words is compared exactly', async (t) => {
  const word = (yaml: string) =>
    reading(yaml, (place, report) => readOneOf(place, ['on', 'off'], report));
  t.equal(word('off').value, 'off');
  t.same(word('Off').messages, ['$: must be on or off, not "Off"']);
  t.same(word('true').messages, ['$: must be on or off']);
  t.same(word('[]').messages, ['$: must be on or off']);
});

const instant = (yaml: string) => reading(yaml, readInstant);

for (const [text, iso] of [
  ['2026-12-31T00:00:00Z', '2026-12-31T00:00:00.000Z'],
  ['2026-12-31T00:00:00.5Z', '2026-12-31T00:00:00.500Z'],
  ['2026-12-31T00:00:00+02:00', '2026-12-30T22:00:00.000Z'],
  ['2028-02-29T00:00:00Z', '2028-02-29T00:00:00.000Z'],
] as const) {
  t.test(`${text} is an instant`, async (t) => {
    t.equal(instant(text).value?.toISOString(), iso);
  });
}

for (const text of [
  '2026-12-31',
  '2026-12-31T00:00:00',
  '2026-12-31 00:00:00Z',
  '2026-13-01T00:00:00Z',
  '2026-02-30T00:00:00Z',
  '2026-02-29T00:00:00Z',
  '2026-12-31T24:01:00Z',
  '2026-12-31T00:00:00z',
  '5',
  '{}',
]) {
  t.test(`${text} is none`, async (t) => {
    t.match(instant(text).messages, [/must be a time with zone/]);
  });
}
