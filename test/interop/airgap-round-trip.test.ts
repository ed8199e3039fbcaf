import { copyFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import type { ExportReport } from '../../src/compose/airgap-exporting.ts';
import type { ImportReport } from '../../src/compose/airgap-import.ts';
import { checkServed } from './support/check-served.ts';
import { openClients } from './support/kit.ts';
import { readIfThere } from './support/layout-folder.ts';
import { type NetworkNamespace, openNetworkNamespace } from './support/network-namespace.ts';
import { makeNotationHome } from './support/notation-home.ts';
import { mustRun, runCommand } from './support/process.ts';
import { type Proxy, startAt } from './support/proxy.ts';
import { makeTemporaryFolder } from './support/temporary-folder.ts';
import {
  type Carried,
  chartTitle,
  keylessSigner,
  openCosigns,
  openTwoSites,
  runJson,
  type TwoSites,
} from './support/two-sites.ts';

// What real signers signed in real registries is exported there, and imported, served, pulled and
// verified once more by real clients where there is no network.
t.setTimeout(400_000);

const folder = await makeTemporaryFolder(t);
const namespace = await openNetworkNamespace(t, folder);
const sites = namespace && (await openTwoSites(t, folder));
if (namespace !== undefined && sites !== undefined) {
  t.test('a bundle goes from a site with a network to one without', async (t) => {
    await exportAndImport(t, sites, namespace);
    const node = namespace.enclose(process.execPath);
    await testZone(t, sites, namespace, await startAt(t, sites.zone, node));
  });
}

async function exportAndImport(
  t: Test,
  { carried, connected, zone, tools }: TwoSites,
  { enclose }: NetworkNamespace,
): Promise<void> {
  const bundle = join(folder, 'bundle');
  const references = carried.map(({ registry, repository, tag }) => ({
    reference: `${registry.key}/${repository}:${tag}`,
  }));

  await t.test('the site with a network exports all of it', async (t) => {
    const keys = join(folder, 'keys');
    await runJson(['airgap', 'init', '--out', keys]);
    copyFileSync(join(keys, '1.root.json'), join(zone, '..', '1.root.json'));
    const list = join(folder, 'images.yaml');
    // JSON is YAML.
    writeFileSync(list, JSON.stringify({ images: references }));
    const words = ['--config', connected, '--images', list, '--keys', keys, '--out', bundle];
    const report = await runJson<ExportReport>(['airgap', 'export', ...words]);
    const images = references.map((image) => ({ ...image, outcome: 'trusted' }));
    t.match(report, { outcome: 'written', images });
  });

  await t.test('the site without a network has no way to the other one', async (t) => {
    const routes = await mustRun(enclose('/bin/cat'), ['/proc/net/route']);
    t.equal(routes.trim().split('\n').length, 1, 'only what the columns are');
    for (const { registry, repository, tag } of carried) {
      const reference = `${registry.address}/${repository}:${tag}`;
      const words = ['digest', '--insecure', reference];
      const env = { HOME: folder };
      const { code } = await runCommand(enclose(tools.crane), words, { env });
      t.not(code, 0, reference);
    }
  });

  await t.test('it imports all of it by a policy of its own', async (t) => {
    const words = ['airgap', 'import', '--config', zone, bundle];
    const report = await runJson<ImportReport>(words, enclose(process.execPath));
    const images = carried.map(({ artifact }) => ({
      digest: artifact.descriptor.digest,
      outcome: 'trusted',
    }));
    t.match(report, { outcome: 'published', generation: 1, images });
  });
}

async function testZone(
  t: Test,
  sites: TwoSites,
  { enclose }: NetworkNamespace,
  proxy: Proxy,
): Promise<void> {
  const { carried, tools, signer, services } = sites;
  const keys = [...new Set(carried.map(({ registry }) => registry.key))];
  const nameOf = ({ registry, repository, artifact }: Carried): string =>
    `${proxy.address}/${registry.key}/${repository}@${artifact.descriptor.digest}`;
  const signedBy = (signed: Carried['signed']): readonly Carried[] =>
    carried.filter((one) => one.signed === signed);

  for (const client of await openClients(t, { folder, proxy, keys, enclose })) {
    await t.test(`${client.name} pulls there what was pushed here`, async (t) => {
      for (const one of carried.filter(({ kind }) => kind === 'image')) {
        const { registry, repository, tag } = one;
        await checkServed(t, client, one, await client.pull(registry.key, repository, tag));
      }
    });
  }

  await t.test('oras pull writes the file of a chart', async (t) => {
    const charts = carried.filter(({ kind }) => kind === 'chart');
    for (const chart of charts) {
      const into = join(folder, 'files');
      const words = ['pull', '--no-tty', '--plain-http', '-o', into, nameOf(chart)];
      await mustRun(enclose(tools.oras), words, { env: { HOME: folder } });
      const [, layer] = chart.artifact.blobs;
      t.same(await readIfThere(join(into, chartTitle)), layer?.bytes);
    }
    t.equal(charts.length, 1);
  });

  await t.test('notation verifies there what it signed here', async (t) => {
    const notation = makeNotationHome(enclose(tools.notation), join(folder, 'verifying'));
    for (const one of signedBy('notation')) {
      const { code, output } = await notation.verify(nameOf(one), [signer]);
      t.equal(code, 0, output);
      t.match(output, one.artifact.descriptor.digest);
    }
    t.equal(signedBy('notation').length, 3);
    for (const one of signedBy('tags')) {
      t.not((await notation.verify(nameOf(one), [signer])).code, 0, 'which it did not sign');
    }
  });

  const { homes, keyless } = await openCosigns(
    folder,
    { cosign: enclose(tools.cosign), cosign2: enclose(tools.cosign2) },
    services,
  );

  for (const scheme of ['tags', 'bundles'] as const) {
    await t.test(`cosign verifies there its ${scheme}, and an SBOM in them`, async (t) => {
      for (const one of signedBy(scheme)) {
        const signed = await homes[scheme].verify(nameOf(one), scheme);
        t.equal(signed.code, 0, signed.output);
        const attested = await homes[scheme].verifyAttestation(nameOf(one), 'spdxjson', scheme);
        t.equal(attested.code, 0, attested.output);
      }
      t.equal(signedBy(scheme).length, 1);
    });
  }

  await t.test('cosign verifies there who signed without a key, from files', async (t) => {
    const stranger = { ...keylessSigner, issuer: 'https://accounts.acme.test' };
    for (const one of signedBy('keyless')) {
      const { code, output } = await keyless.verify(nameOf(one), 'bundles', keylessSigner);
      t.equal(code, 0, output);
      t.not((await keyless.verify(nameOf(one), 'bundles', stranger)).code, 0, 'by nobody else');
    }
    t.equal(signedBy('keyless').length, 1);
  });
}
