import t from 'tap';
import { digestOf } from '../../../src/oci/digest.ts';
import { allowsRange, checkConditions, etagOf } from '../../../src/routes/conditions.ts';

const digest = digestOf(Buffer.from('x'));
const etag = etagOf(digest);
const other = '"sha256:other"';

t.test('the validator is the quoted digest', async (t) => {
  t.equal(etag, `"${digest}"`);
});

const rows: readonly (readonly [Record<string, string>, string])[] = [
  [{}, 'send'],
  [{ 'if-none-match': etag }, 'not-modified'],
  [{ 'if-none-match': `W/${etag}` }, 'not-modified'],
  [{ 'if-none-match': `${other}, ${etag}` }, 'not-modified'],
  [{ 'if-none-match': '*' }, 'not-modified'],
  [{ 'if-none-match': other }, 'send'],
  [{ 'if-none-match': digest }, 'send'],
  [{ 'if-match': etag }, 'send'],
  [{ 'if-match': '*' }, 'send'],
  [{ 'if-match': other }, 'failed'],
  [{ 'if-match': `W/${etag}` }, 'failed'],
  [{ 'if-match': other, 'if-none-match': etag }, 'failed'],
  [{ 'if-match': etag, 'if-none-match': etag }, 'not-modified'],
  [{ 'if-modified-since': 'Thu, 01 Jan 2099 00:00:00 GMT' }, 'send'],
  [{ 'if-unmodified-since': 'Thu, 01 Jan 1970 00:00:00 GMT' }, 'send'],
];

for (const [headers, outcome] of rows) {
  t.test(`${JSON.stringify(headers)} is ${outcome}`, async (t) => {
    t.equal(checkConditions(headers, etag), outcome);
  });
}

t.test('a range is for the very content of If-Range alone', async (t) => {
  t.equal(allowsRange({}, etag), true);
  t.equal(allowsRange({ 'if-range': etag }, etag), true);
  t.equal(allowsRange({ 'if-range': other }, etag), false);
  t.equal(allowsRange({ 'if-range': `W/${etag}` }, etag), false, 'weak tags never fit');
  t.equal(allowsRange({ 'if-range': 'Thu, 01 Jan 2099 00:00:00 GMT' }, etag), false);
});
