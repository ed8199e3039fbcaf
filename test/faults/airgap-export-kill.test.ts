import t from 'tap';
import { runExportKills } from '../support/export-kills.ts';

t.setTimeout(120_000);

t.test('an export that is killed goes on with the same command, nothing wrong', async (t) => {
  await runExportKills(t, 2, 2);
});
