import t from 'tap';
import { runExportKills } from '../support/export-kills.ts';

t.setTimeout(7_200_000);

t.test('two hundred exports that are killed end in bundles that verify', async (t) => {
  t.setTimeout(7_200_000);
  await runExportKills(t, Number(process.env['ASSAY_ROUNDS'] ?? 200));
});
