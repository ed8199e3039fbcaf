import t from 'tap';
import { runImportKillRounds } from '../support/import-kill-rounds.ts';

t.setTimeout(3_600_000);

t.test('an import that is killed at any of 200 points ends in the same store', async (t) => {
  t.setTimeout(3_600_000);
  await runImportKillRounds(t, Number(process.env['ASSAY_ROUNDS'] ?? 200));
});
