import t from 'tap';
import { parseQuery, singleValue } from '../../../src/routes/query.ts';
import { RequestError } from '../../../src/routes/request-error.ts';

const refused = { name: 'RequestError', status: 400, code: 'UNSUPPORTED' };

t.test('parameters are read by name, in order, decoded', async (t) => {
  const query = parseQuery('n=10&artifactType=a%2Fb&artifactType=c/d&ns=localhost%3A5000');
  t.equal(singleValue(query, 'n'), '10');
  t.equal(singleValue(query, 'ns'), 'localhost:5000');
  t.strictSame(query.get('artifactType'), ['a/b', 'c/d']);
  t.equal(singleValue(query, 'last'), undefined);
});

t.test('a plus is a plus', async (t) => {
  t.equal(
    singleValue(parseQuery('artifactType=application/x+json'), 'artifactType'),
    'application/x+json',
  );
  t.equal(singleValue(parseQuery('artifactType=x%2Bjson'), 'artifactType'), 'x+json');
});

t.test('empty parts are nothing, and a name alone is an empty value', async (t) => {
  t.equal(parseQuery('').size, 0);
  t.equal(parseQuery('&&').size, 0);
  t.equal(singleValue(parseQuery('n'), 'n'), '');
  t.equal(singleValue(parseQuery('n=a=b'), 'n'), 'a=b');
});

t.test('what has one value is refused when it stands twice', async (t) => {
  t.throws(() => singleValue(parseQuery('ns=a&ns=a'), 'ns'), refused);
  t.throws(() => singleValue(parseQuery('n=1&%6e=2'), 'n'), refused);
});

t.test('bad percent-encoding and endless parameters are refused', async (t) => {
  for (const text of ['n=%', 'n=%zz', 'n=%ff', '%=1', 'n=%e2%82']) {
    t.throws(() => parseQuery(text), refused, text);
  }
  t.equal(parseQuery('a=1&'.repeat(32)).size, 1);
  t.throws(() => parseQuery('a=1&'.repeat(64)), refused);
  t.throws(() => parseQuery('a=1&'.repeat(1000)), RequestError);
});

t.test('a parameter of any name is only a name', async (t) => {
  const query = parseQuery('__proto__=1&constructor=2');
  t.equal(singleValue(query, '__proto__'), '1');
  t.equal(({} as Record<string, unknown>)['1'], undefined);
});
