import t from 'tap';
import { runStalledReaders } from '../support/stalled-readers.ts';

t.setTimeout(300_000);

t.test('two hundred readers that stall for a minute cost little memory', async (t) => {
  t.setTimeout(300_000);
  await runStalledReaders(t, { readers: 200, stallMs: 55_000 });
});
