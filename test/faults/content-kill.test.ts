import t from 'tap';
import { runKillRounds } from '../support/kill-rounds.ts';

t.setTimeout(90_000);

t.test('killed in the middle of cold pulls, it goes on where it was, nothing wrong', async (t) => {
  await runKillRounds(t, 6);
});
