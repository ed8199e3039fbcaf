import t from 'tap';
import { runStalledReaders } from '../support/stalled-readers.ts';

// All readers together hold up to 16 MiB of large buffers, which few readers would be charged with.
t.test(
  'a hundred stalled readers of a fill cost little memory, and nobody else a thing',
  async (t) => {
    await runStalledReaders(t, { readers: 100, stallMs: 0 });
  },
);
