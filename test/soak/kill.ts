import t from 'tap';
import { runKillRounds } from '../support/kill-rounds.ts';

t.setTimeout(3_600_000);

t.test('two hundred kills in the middle of cold pulls leave nothing wrong', async (t) => {
  t.setTimeout(3_600_000);
  await runKillRounds(t, Number(process.env['ASSAY_ROUNDS'] ?? 200));
});
