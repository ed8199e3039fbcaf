import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { makeDemo } from '../../config/make-demo/demo.ts';
import { startFakeRegistry } from '../support/fake-registry.ts';
import { loadStarter, repositoryRoot, startApp } from '../support/start-starter.ts';
import { requireTool } from '../support/require-tool.ts';
import { runCommand } from './support/process.ts';

// The real cosign reads what the demo's maker wrote as its own, and refuses what we refuse.
t.setTimeout(100_000);

const tags = ['--new-bundle-format=false'];
const bundles = ['--new-bundle-format=true'];
const provenance = 'https://slsa.dev/provenance/v1';
const spdx = 'https://spdx.dev/Document';
const cycloneDx = 'https://cyclonedx.org/bom';

const cases = [
  { of: 'cosign:signed-tag', form: tags, passes: true },
  { of: 'cosign:signed-bundle', form: bundles, passes: true },
  { of: 'cosign:wrong-key', form: bundles, passes: false },
  { of: 'service:attested', form: bundles, passes: true },
  { of: 'service:attested', form: bundles, type: provenance, passes: true },
  { of: 'service:attested', form: bundles, type: cycloneDx, passes: true },
  { of: 'service:attested-tags', form: tags, passes: true },
  { of: 'service:attested-tags', form: tags, type: provenance, passes: true },
  { of: 'service:attested-tags', form: tags, type: spdx, passes: true },
  { of: 'service:no-sbom', form: bundles, passes: true },
  { of: 'service:no-sbom', form: bundles, type: cycloneDx, passes: false },
] as const;

t.test('cosign verifies the demo', async (t) => {
  const program = requireTool(t, 'cosign');
  if (program === undefined) return;
  const { entries, publicKey } = makeDemo();
  const registry = await startFakeRegistry();
  t.teardown(() => registry.close());
  for (const { artifact, tag } of entries) {
    const [path = '', name] = tag?.split(':') ?? [];
    if (tag === undefined) for (const each of ['cosign', 'service']) registry.put(each, artifact);
    else registry.put(path, artifact, name);
  }
  const home = t.testdir();
  const key = join(home, 'demo.pub');
  writeFileSync(key, publicKey);
  for (const { of, form, passes, ...asked } of cases) {
    const type = 'type' in asked ? asked.type : undefined;
    const command = type === undefined ? ['verify'] : ['verify-attestation', `--type=${type}`];
    const options = [`--key=${key}`, '--insecure-ignore-tlog=true', '--allow-http-registry'];
    const { code, output } = await runCommand(
      program,
      [...command, ...options, ...form, `${registry.host}/${of}`],
      { cwd: home, env: { HOME: home, TUF_ROOT: home } },
    );
    t.equal(code === 0, passes, `${of} ${type ?? 'signature'}: ${output}`);
  }
});

t.test('cosign verifies the starter through Assay', async (t) => {
  const program = requireTool(t, 'cosign');
  if (program === undefined) return;
  const { oci } = await startApp(t, await loadStarter(t));
  const home = t.testdir();
  for (const image of ['cosign:signed-tag', 'cosign:signed-bundle', 'service:attested']) {
    const { code, output } = await runCommand(
      program,
      [
        'verify',
        `--key=${join(repositoryRoot, 'config/keys/demo.pub')}`,
        '--insecure-ignore-tlog=true',
        '--allow-http-registry',
        ...(image.endsWith('-tag') ? tags : bundles),
        `${new URL(oci).host}/demo/${image}`,
      ],
      { cwd: home, env: { HOME: home, TUF_ROOT: home } },
    );
    t.equal(code, 0, `${image}: ${output}`);
  }
});
