import t from 'tap';
import { runImportKillRounds } from '../support/import-kill-rounds.ts';

t.test('an import that is killed at any point ends in the same store', async (t) => {
  await runImportKillRounds(t, 5);
});
