import t from 'tap';
import { runStalledReaders } from '../support/stalled-readers.ts';

t.test('fifty stalled readers of a fill cost little memory, and nobody else a thing', async (t) => {
  await runStalledReaders(t, { readers: 50, stallMs: 0 });
});
