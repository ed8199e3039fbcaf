import { inspect } from 'node:util';
import t from 'tap';
import { makeSecret } from '../../../src/config/redact.ts';

t.test('a secret shows itself to nobody who prints, joins or serializes it', async (t) => {
  const secret = makeSecret('hunter2');
  const shown = [
    String(secret),
    `${secret}`,
    ['a', secret].join(),
    JSON.stringify({ secret }),
    inspect({ deep: { secret } }, { depth: null, showHidden: true }),
  ];
  for (const text of shown) t.match(text, /\*\*\*/);
  for (const text of shown) t.notMatch(text, /hunter2/);
});

t.test('a secret is revealed by its name', async (t) => {
  t.equal(makeSecret('hunter2').reveal(), 'hunter2');
});
