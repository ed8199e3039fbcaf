import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { closureOf } from '../support/build-image.ts';
import { requireTool } from '../support/require-tool.ts';
import { type Kit, openKit, repository, type Upstream } from './support/kit.ts';
import { runCommand } from './support/process.ts';
import { readSignatures } from './support/registry-reader.ts';
import type { RegistryKind } from './support/registries.ts';

// The OCI distribution conformance suite against the proxy, before each registry: also before
// those that have no referrers API themselves.
t.setTimeout(200_000);
const suite = requireTool(t, 'conformance');
// It asks for OCI's own media types alone: what is Docker's is rightly 404 for it.
const kit =
  suite === undefined
    ? undefined
    : await openKit(t, { tags: ['signed-jws', 'signed-cose', 'multi-arch', 'unsigned'] });

for (const upstream of kit?.upstreams ?? []) {
  if (kit !== undefined && suite !== undefined) testConformance(suite, kit, upstream);
}

function testConformance(program: string, { proxy, folder }: Kit, upstream: Upstream): void {
  const { kind, registry } = upstream;
  const { key, address } = registry;
  t.test(`the proxy before ${key} conforms to the distribution specification`, async (t) => {
    const data = await readOnlyData(upstream);
    const run = async (registryAddress: string, repo: string): Promise<string> => {
      const results = join(folder, 'conformance', repo);
      mkdirSync(results, { recursive: true });
      const env = { ...settings, ...data, OCI_REGISTRY: registryAddress, OCI_REPO1: repo };
      // Its exit code says nothing: without pushes it crashes after its report, in writing a file.
      return (await runCommand(program, [], { cwd: results, env })).stdout;
    };

    const report = await run(proxy.address, `${key}/${repository}`);
    t.match(report, /^OCI Conformance Result: Pass$/m);
    const outcomes = outcomesOf(report);
    t.has(outcomes, { FAIL: '0', Error: '0', Skip: '0' });
    t.has(outcomes, Object.fromEntries(readApis.map((api) => [api, 'Pass'])));
    t.equal(outcomes['Read Only Inputs'], 'Pass');

    const direct = outcomesOf(await run(address, repository));
    t.equal(direct['Referrers'], referrersOf[kind], 'what the registry itself has of referrers');
  });
}

const settings = {
  OCI_TLS: 'disabled',
  OCI_VERSION: '1.1',
  OCI_API_PUSH: 'false',
  OCI_API_BLOBS_DELETE: 'false',
  OCI_API_MANIFESTS_DELETE: 'false',
  OCI_API_TAGS_DELETE: 'false',
} as const;

const referrersOf = {
  referrers: 'Pass',
  distribution: 'FAIL',
  crane: 'FAIL',
  olareg: 'Pass',
} as const satisfies Record<RegistryKind, string>;

const readApis = [
  'Ping',
  'Tag listing',
  'Manifest get by digest',
  'Manifest get by tag',
  'Manifest head by digest',
  'Manifest head by tag',
  'Blob get',
  'Blob head',
  'Referrers',
] as const;

/** The lines `name....: outcome` of its report. */
function outcomesOf(report: string): Readonly<Record<string, string>> {
  const lines = report.matchAll(/^ {2}(?<name>[A-Za-z ]+)\.+: +(?<outcome>\w+)$/gm);
  return Object.fromEntries(
    [...lines].map(({ groups }) => [groups?.['name'], groups?.['outcome']]),
  );
}

/** What the gate serves of the repository, and the signatures too. */
async function readOnlyData({ registry, contents }: Upstream) {
  const served = contents.filter(({ refused }) => refused === undefined);
  const closures = served.map(({ artifact }) => closureOf(artifact));
  const signatures = await Promise.all(
    served.map(({ artifact: { descriptor } }) =>
      readSignatures(registry.origin, repository, descriptor.digest),
    ),
  );
  const digestsOf = (list: readonly { descriptor: { digest: string } }[]): readonly string[] =>
    list.map(({ descriptor }) => descriptor.digest);
  const manifests = [
    ...closures.flatMap((closure) => digestsOf(closure.manifests)),
    ...signatures.flat().map(({ manifest }) => manifest),
  ];
  const blobs = [
    ...closures.flatMap((closure) => digestsOf(closure.blobs)),
    ...signatures.flat().flatMap((signature) => signature.blobs),
  ];
  return {
    OCI_RO_DATA_TAGS: served.map(({ tag }) => tag).join(' '),
    OCI_RO_DATA_MANIFESTS: manifests.join(' '),
    OCI_RO_DATA_BLOBS: [...new Set(blobs)].join(' '),
    OCI_RO_DATA_REFERRERS: digestsOf(served.map(({ artifact }) => artifact)).join(' '),
  };
}
