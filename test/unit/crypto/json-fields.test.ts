import t from 'tap';
import { fieldsOf, type JsonFields, readJsonFields } from '../../../src/crypto/json-fields.ts';

const malformed = (why: string): Error => new RangeError(why);
const read = (value: unknown): JsonFields => readJsonFields(JSON.stringify(value), malformed);

t.test('fields are read by their kind', async (t) => {
  const fields = read({
    text: 'a',
    bytes: 'AAA=',
    counts: { text: '42', number: 42, zero: '0' },
    list: [{ a: 1 }, { a: 2 }],
    names: ['x', ''],
    none: null,
  });
  t.strictSame(fields.text('text'), 'a');
  t.strictSame(Buffer.from(fields.bytes('bytes')), Buffer.alloc(2));
  const counts = fields.object('counts');
  t.same([counts.count('text'), counts.count('number'), counts.count('zero')], [42, 42, 0]);
  t.strictSame(
    fields.objects('list', 2).map(({ path }) => path),
    ['list[0]', 'list[1]'],
  );
  t.strictSame(fields.objects('absent', 2), []);
  t.strictSame(fields.texts('names', 2), ['x', '']);
  t.strictSame(fields.has('none'), false, 'null is none');
  t.strictSame(fields.raw('none'), undefined);
  t.strictSame(counts.names.length, 3);
});

const refused: Readonly<Record<string, [take: (fields: JsonFields) => unknown, why: string]>> = {
  'text that is missing': [(fields) => fields.text('x'), 'x is missing'],
  'text that is empty': [(fields) => fields.text('empty'), 'empty is empty'],
  'text that is none': [(fields) => fields.text('list'), 'list is no text'],
  'bytes that are no base64': [(fields) => fields.bytes('text'), 'text is no base64'],
  'a count that is missing': [(fields) => fields.count('x'), 'x is no count below 2^53'],
  'a count that is negative': [(fields) => fields.count('less'), 'less is no count below 2^53'],
  'a count with a zero before it': [
    (fields) => fields.count('zero'),
    'zero is no count below 2^53',
  ],
  'a count that is too large': [(fields) => fields.count('large'), 'large is no count below 2^53'],
  'a count that is half': [(fields) => fields.count('half'), 'half is no count below 2^53'],
  'an object that is missing': [(fields) => fields.object('x'), 'x is missing'],
  'an object that is a list': [(fields) => fields.object('list'), 'list is no object'],
  'a list that is text': [(fields) => fields.objects('text', 1), 'text is no list'],
  'a list that is too long': [(fields) => fields.texts('list', 1), 'list has more than 1 items'],
  'an item that is no object': [(fields) => fields.objects('list', 2), 'list[0] is no object'],
  'an item that is no text': [(fields) => fields.texts('list', 2), 'list[0] is no text'],
  'a field within': [(fields) => fields.object('within').text('x'), 'within.x is missing'],
  'a field of the prototype': [(fields) => fields.text('toString'), 'toString is missing'],
};

const given = {
  text: '?',
  empty: '',
  list: [1, 2],
  less: -1,
  zero: '01',
  large: '9007199254740992',
  half: 0.5,
  within: {},
};

for (const [what, [take, message]] of Object.entries(refused)) {
  t.test(`${what} is refused by its name`, async (t) => {
    t.throws(() => take(read(given)), { name: 'RangeError', message });
  });
}

t.test('fields that nobody expects are refused where they may not be', async (t) => {
  t.doesNotThrow(() => read({ a: 1 }).expectOnly('a', 'b'));
  t.throws(() => read({ a: 1, c: null }).expectOnly('a', 'b'), { message: '"c" is not known' });
});

t.test('what is no object, or no JSON, is refused', async (t) => {
  t.throws(() => read([]), { message: 'it is no object' });
  t.throws(() => read(null), { message: 'it is missing' });
  t.throws(() => readJsonFields('{"a":1,"a":2}', malformed), {
    name: 'RangeError',
    message: /twice/,
  });
  t.throws(() => fieldsOf('x', 'a.b', malformed), { message: 'a.b is no object' });
});
