import t from 'tap';
import { toPrintable, toWarnings } from '../../../src/routes/header-text.ts';

t.test('only printable ASCII is left, within the length', async (t) => {
  t.equal(toPrintable('plain text ~!'), 'plain text ~!');
  t.equal(toPrintable('a\r\nSet-Cookie: b'), 'a?Set-Cookie: b');
  t.equal(toPrintable('é\u{1f600}\0\x7f\x1b[31m'), '?[31m');
  t.equal(toPrintable('x'.repeat(50), 10), 'xxxxxxx...');
  t.equal(toPrintable('x'.repeat(10), 10), 'x'.repeat(10));
});

t.test('a warning is code 299 with a quoted text', async (t) => {
  t.strictSame(toWarnings([]), []);
  t.strictSame(toWarnings(['ends soon']), ['299 - "ends soon"']);
  t.strictSame(toWarnings(['say "no" \\ twice', 'two']), [
    '299 - "say \\"no\\" \\\\ twice"',
    '299 - "two"',
  ]);
  t.strictSame(toWarnings(['a\r\nX: y"']), ['299 - "a?X: y\\""']);
});

t.test('all warnings together have at most 4096 bytes', async (t) => {
  const values = toWarnings(Array.from({ length: 20 }, (_, index) => `${index}${'"'.repeat(400)}`));
  const bytes = values.reduce((sum, value) => sum + value.length, 0);
  t.ok(values.length > 1 && values.length < 20);
  t.ok(bytes <= 4096, `${bytes} bytes`);
  t.match(values[0], /^299 - "0/);
});
