import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { signatureOf, startAppKit } from '../support/app-kit.ts';
import { buildImage } from '../support/build-image.ts';
import { startFakeRegistry } from '../support/fake-registry.ts';
import { requireTool } from '../support/require-tool.ts';
import { runCommand } from './support/process.ts';

// What the tools that read deploy/ say of it: promtool and systemd-analyze.
const deploy = join(import.meta.dirname, '..', '..', 'deploy');
const prometheus = join(deploy, 'prometheus');

t.test('promtool takes the scrape configuration and the alert rules', async (t) => {
  const promtool = requireTool(t, 'promtool');
  if (promtool === undefined) return;
  const words = ['check', 'config', 'prometheus.yaml'];
  const { code, output } = await runCommand(promtool, words, { cwd: prometheus });
  t.equal(code, 0, output);
  t.match(output, /SUCCESS: \d+ rules found/);
});

for (const file of ['alerts.test.yaml', 'alerts-days.test.yaml']) {
  t.test(`promtool finds that alerts fire when ${file} says so`, async (t) => {
    const promtool = requireTool(t, 'promtool');
    if (promtool === undefined) return;
    const words = ['test', 'rules', file];
    const { code, output } = await runCommand(promtool, words, { cwd: prometheus });
    t.equal(code, 0, output);
  });
}

t.test('promtool has nothing to say against the metrics of a live server', async (t) => {
  const promtool = requireTool(t, 'promtool');
  if (promtool === undefined) return;
  const registry = await startFakeRegistry();
  t.teardown(() => registry.close());
  const [signed, unsigned] = [buildImage({ name: 'signed' }), buildImage({ name: 'unsigned' })];
  registry.put('app', signed, '1.0');
  registry.put('app', signatureOf(signed.descriptor));
  registry.put('app', unsigned, 'unsigned');
  const app = await startAppKit(t, { upstreams: { reg: registry.url } });
  t.equal((await app.ask('reg/app/manifests/1.0')).status, 200);
  t.equal((await app.ask('reg/app/manifests/unsigned')).status, 403);
  const file = join(t.testdirName, 'metrics.txt');
  await writeFile(file, await app.metrics());
  t.match(await readFile(file, 'utf8'), /^assay_denials_total\{reason="unsigned"\} 1$/m);
  const words = ['-c', '"$0" check metrics <"$1"', promtool, file];
  const { code, output } = await runCommand('sh', words);
  t.equal(code, 0, output);
  t.equal(output, '');
});

t.test('systemd takes the unit, and finds it well confined', async (t) => {
  const analyze = requireTool(t, 'systemd-analyze');
  if (analyze === undefined) return;
  // It asks whether the program is there, which on this machine it is not.
  const unit = (await readFile(join(deploy, 'systemd', 'assay.service'), 'utf8'))
    .replace(/^ExecStart=\S+/m, `ExecStart=${process.execPath}`)
    .replace(/^WorkingDirectory=.*$/m, 'WorkingDirectory=/');
  const file = join(t.testdir({ 'assay.service': unit }), 'assay.service');
  const verified = await runCommand(analyze, ['verify', '--man=no', file]);
  t.equal(verified.code, 0, verified.output);
  t.notMatch(verified.output, 'Unknown');
  const words = ['security', '--offline=true', '--threshold=20', '--no-pager', file];
  const { code, output } = await runCommand(analyze, words);
  t.equal(code, 0, output);
});
