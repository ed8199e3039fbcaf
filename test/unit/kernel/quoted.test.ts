import t from 'tap';
import { quoted, quotedUrl } from '../../../src/kernel/quoted.ts';

t.test('what is printable is quoted as it is', (t) => {
  t.equal(quoted('sha256:abc'), '"sha256:abc"');
  t.end();
});

t.test('what could break a line, a header or a terminal becomes an escape', (t) => {
  const text = quoted('a\r\nX: y\u001b[31m\u202e😀"\\');
  t.match(text, /^[\x20-\x7e]+$/);
  t.equal(JSON.parse(text), 'a\r\nX: y\u001b[31m\u202e😀"\\');
  t.end();
});

t.test('long text is cut, and the cut shows', (t) => {
  t.equal(quoted('a'.repeat(100), 10), `"${'a'.repeat(10)}\\u2026"`);
  t.end();
});

t.test('of a URL what may be secret is left out, whether it can be read or not', (t) => {
  t.equal(quotedUrl('https://a.example/b/c'), '"https://a.example/b/c"');
  t.equal(quotedUrl('https://a.example/b?sig=x\n&y=z#f'), '"https://a.example/b?..."');
  t.equal(quotedUrl('https://bot:secret@a.example/'), '"https://...@a.example/"');
  t.equal(quotedUrl('//bot:se@cret@[a/@b'), '"//...@[a/@b"');
  t.equal(quotedUrl('\r\n'), '"\\r\\n"');
  t.end();
});
