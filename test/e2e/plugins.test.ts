import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { loadConfig } from '../../src/config/load.ts';
import { reasonOf, signatureOf, startAt, writeConfiguration } from '../support/app-kit.ts';
import { buildImage } from '../support/build-image.ts';
import { answerOf, pluginName, writePlugin, type WrittenPlugin } from '../support/plugin-kit.ts';
import { writeLayout } from '../support/write-layout.ts';

const image = buildImage();
const asking = { 'io.cncf.notary.verificationPlugin': pluginName };

/** A configuration over one image whose signature asks for the plugin. */
function configure(t: Test, plugins: readonly WrittenPlugin[]): string {
  const file = writeConfiguration(t, { upstreams: { reg: { layout: '.' } } });
  const signature = signatureOf(image.descriptor, { criticalMembers: asking });
  writeLayout(join(file, '..'), [{ artifact: image, tag: 'app:1' }, { artifact: signature }]);
  allow(file, plugins);
  return file;
}

function allow(file: string, plugins: readonly WrittenPlugin[]): void {
  const config = JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>;
  const entries = plugins.map(({ name, path, sha256 }) => [name, { path, sha256 }]);
  const trust = { store: './trust', plugins: Object.fromEntries(entries) as unknown };
  writeFileSync(file, JSON.stringify({ ...config, trust }));
}

const manifest = 'reg/app/manifests/1';

t.test('what a plugin vouches for is served while that plugin is allowed', async (t) => {
  const plugin = writePlugin(t);
  const file = configure(t, [plugin]);
  const app = await startAt(t, file);
  t.equal((await app.ask(manifest)).status, 200);
  t.equal((await app.ask(manifest)).status, 200);
  t.equal(plugin.questions().length, 1, 'it is asked once for as long as the verdict holds');
  const run = `assay_plugin_runs_total{plugin="${pluginName}",command="verify-signature",outcome="answered"} 1`;
  t.match(await app.metrics(), run);
  const same = await app.restarted();
  t.equal((await same.ask(manifest)).status, 200);
  t.equal(plugin.questions().length, 1, 'the verdict outlives a restart');
  allow(file, []);
  const without = await same.restarted();
  const denied = await without.ask(manifest);
  t.equal(denied.status, 403, 'and not the plugin that it rests upon');
  t.equal(reasonOf(denied), 'plugin-needed');
});

t.test('a no is a denial, and none at all is "could not find out"', async (t) => {
  const no = answerOf({
    verificationResults: {
      'SIGNATURE_VERIFIER.TRUSTED_IDENTITY': { success: true },
      'SIGNATURE_VERIFIER.REVOCATION_CHECK': { success: false, reason: 'taken back' },
    },
  });
  const refusing = await startAt(t, configure(t, [writePlugin(t, { verify: `echo '${no}'` })]));
  const denied = await refusing.ask(manifest);
  t.equal(denied.status, 403);
  t.equal(reasonOf(denied), 'certificate-revoked');
  await refusing.app.close();
  const crashing = await startAt(t, configure(t, [writePlugin(t, { verify: 'exit 1' })]));
  const unclear = await crashing.ask(manifest);
  t.equal(unclear.status, 503);
  t.ok(unclear.headers.get('retry-after'));
  const warnings = crashing.lines.filter(({ level }) => level === 'warn');
  t.match(warnings, [{ plugin: pluginName, error: { code: 'PLUGIN_FAILED' } }]);
});

t.test('the configuration says which, by an absolute path', async (t) => {
  const plugin = writePlugin(t);
  const file = configure(t, [plugin]);
  const { trust } = await loadConfig(file);
  const { name, path, sha256 } = plugin;
  t.same({ ...trust.plugins }, { [name]: { path, sha256, timeout: { ms: 5000 } } });
  allow(file, [{ ...plugin, sha256: sha256.toUpperCase() }]);
  await t.rejects(loadConfig(file), { message: /sha256: must be a SHA-256/ });
});
