import { cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Test } from 'tap';
import { type Artifact, buildBlob, buildManifest, fillerBytes } from '../../support/build-image.ts';
import { trustedRootJson } from '../../support/trusted-root.ts';
import { pushArtifact } from './content.ts';
import { type CosignHome, type CosignScheme, makeCosignHome } from './cosign-home.ts';
import { type KeylessCosign, type KeylessSigner, makeKeylessCosign } from './cosign-keyless.ts';
import { requireTools } from './kit.ts';
import { makeNotationHome, type NotationHome, type Signer } from './notation-home.ts';
import { predicates } from './predicates.ts';
import { mustRun } from './process.ts';
import { mainFile } from './proxy.ts';
import { makePullableImage, makePullableIndex } from './pullable-image.ts';
import { type Registry, type RegistryKind, startRegistry } from './registries.ts';
import { type SigstoreServices, startSigstoreServices } from './sigstore-services.ts';

/** What is taken from the site with a network to the one without. */
export interface Carried {
  readonly registry: Registry;
  readonly repository: string;
  readonly tag: string;
  readonly artifact: Artifact;
  /** Whether a runtime can unpack it. */
  readonly kind: 'image' | 'chart';
  readonly signed: Signed;
}

export type Signed = 'notation' | 'tags' | 'bundles' | 'keyless';

/** Registries with a network around them, signers, and a configuration for each site. */
export interface TwoSites {
  readonly folder: string;
  readonly tools: Readonly<Record<ToolName, string>>;
  readonly carried: readonly Carried[];
  /** Configurations of the one that exports and the one that imports. */
  readonly connected: string;
  readonly zone: string;
  readonly signer: Signer;
  readonly services: SigstoreServices;
}

const toolNames = ['oras', 'crane', 'skopeo', 'notation', 'cosign', 'cosign2'] as const;
export type ToolName = (typeof toolNames)[number];

export const keylessSigner: KeylessSigner = {
  subject: 'https://github.com/acme/app/.github/workflows/release.yml@refs/heads/main',
  issuer: 'https://token.actions.githubusercontent.com',
};

interface Recipe {
  readonly on: RegistryKind;
  readonly repository: string;
  readonly tag: string;
  readonly kind: Carried['kind'];
  readonly signed: Signed;
  readonly make?: (name: string) => Artifact;
}

const recipes: readonly Recipe[] = [
  { on: 'referrers', repository: 'acme/app', tag: '1.0', kind: 'image', signed: 'notation' },
  {
    on: 'distribution',
    repository: 'acme/app',
    tag: 'multi',
    kind: 'image',
    signed: 'notation',
    make: makePullableIndex,
  },
  {
    on: 'distribution',
    repository: 'acme/chart',
    tag: '0.1.0',
    kind: 'chart',
    signed: 'notation',
    make: makeChart,
  },
  { on: 'distribution', repository: 'acme/tags', tag: '1.0', kind: 'image', signed: 'tags' },
  { on: 'referrers', repository: 'acme/bundles', tag: '1.0', kind: 'image', signed: 'bundles' },
  { on: 'referrers', repository: 'acme/keyless', tag: '1.0', kind: 'image', signed: 'keyless' },
];

/** The file that `oras pull` writes of a chart. */
export const chartTitle = 'app-0.1.0.tgz';

/** As `helm push` makes them. */
function makeChart(name: string): Artifact {
  const type = 'application/vnd.cncf.helm';
  const layer = buildBlob(`${type}.chart.content.v1.tar+gzip`, fillerBytes(name, 3000));
  const annotations = { 'org.opencontainers.image.title': chartTitle };
  return buildManifest({
    config: buildBlob(`${type}.config.v1+json`, '{"name":"app","version":"0.1.0"}'),
    layers: [{ ...layer, descriptor: { ...layer.descriptor, annotations } }],
  });
}

/** Undefined where a program is missing, which has been reported then. */
export async function openTwoSites(t: Test, folder: string): Promise<TwoSites | undefined> {
  const tools = requireTools(t, toolNames);
  const kinds = ['referrers', 'distribution'] as const;
  const started = kinds.map((kind) => startRegistry(t, kind, join(folder, kind)));
  const [referrers, distribution] = await Promise.all(started);
  if (tools === undefined || referrers === undefined || distribution === undefined)
    return undefined;
  const registries: Partial<Record<RegistryKind, Registry>> = { referrers, distribution };
  const notation = makeNotationHome(tools.notation, join(folder, 'signing'));
  const signer = await notation.makeSigner('release.test');
  const services = await startSigstoreServices(t);
  const place = { folder, tools };
  const cosigns = await openCosigns(folder, tools, services);
  const carried: Carried[] = [];
  for (const { on, make = makePullableImage, ...recipe } of recipes) {
    const registry = registries[on];
    if (registry === undefined) throw new TypeError(`no registry ${on}`);
    const { repository, tag } = recipe;
    const artifact = make(`${registry.key}/${repository}:${tag}`);
    const one = { ...recipe, registry, artifact };
    await pushArtifact('oras', artifact, `${registry.address}/${repository}:${tag}`, place);
    await sign(one, { notation, signer, ...cosigns });
    carried.push(one);
  }
  const policy = makePolicy(signer, cosigns.homes.tags);
  const upstreams = Object.fromEntries(
    [referrers, distribution].map(({ key, origin }) => [
      key,
      { url: origin, plainHttp: 'allowed' },
    ]),
  );
  const connected = writeSite(join(folder, 'connected'), policy, { upstreams }, {});
  const airgap = { store: './store', root: './1.root.json' };
  const zone = writeSite(join(folder, 'zone'), policy, { airgap }, { offline: true });
  return { folder, tools, carried, connected, zone, signer, services };
}

interface Cosigns {
  readonly homes: Readonly<Record<CosignScheme, CosignHome>>;
  readonly keyless: KeylessCosign;
  readonly sbom: string;
}

/** The same folders for the same keys, whatever programs are run. */
export async function openCosigns(
  folder: string,
  { cosign, cosign2 }: Readonly<Record<'cosign' | 'cosign2', string>>,
  services: SigstoreServices,
): Promise<Cosigns> {
  const home = join(folder, 'cosign');
  // One after the other: the first makes the key.
  const tags = await makeCosignHome(cosign2, home);
  const bundles = await makeCosignHome(cosign, home);
  const programs = { tags: cosign2, bundles: cosign };
  const keyless = makeKeylessCosign(programs, join(folder, 'keyless'), services);
  const sbom = join(home, 'sbom.json');
  writeFileSync(sbom, JSON.stringify(predicates.spdxjson));
  return { homes: { tags, bundles }, keyless, sbom };
}

interface Signers extends Cosigns {
  readonly notation: NotationHome;
  readonly signer: Signer;
}

async function sign(
  { signed, registry, repository, artifact }: Carried,
  { notation, signer, homes, keyless, sbom }: Signers,
): Promise<void> {
  const reference = `${registry.address}/${repository}@${artifact.descriptor.digest}`;
  // As the other site knows it, which has no registry of that address.
  const identity = `${registry.key}/${repository}`;
  if (signed === 'notation') {
    await notation.sign(reference, { signer, envelope: 'jws', referrers: 'api-if-there' });
  } else if (signed === 'keyless') {
    await keyless.sign(reference, 'bundles', keylessSigner);
  } else {
    await homes[signed].sign(reference, signed, { identity });
    await homes[signed].attest(reference, 'spdxjson', signed, sbom);
  }
}

function makePolicy(signer: Signer, { publicKey }: CosignHome) {
  const identities = {
    release: {
      notation: {
        trustStores: ['ca:release'],
        trustedIdentities: [`x509.subject: ${signer.subject}`],
        level: 'strict',
      },
    },
    key: { sigstore: { publicKeys: ['cosign.pub'], transparencyLog: 'not-required' } },
    workflow: { sigstore: keylessSigner },
  };
  const require = (path: string, name: string) => ({
    repositories: [`*/acme/${path}`],
    require: { signedBy: name },
  });
  const attestation = {
    predicateTypes: ['https://spdx.dev/Document'],
    signedBy: 'key',
    conditions: { 'sbom.present': 'spdx' },
  };
  const rules = [
    require('app', 'release'),
    require('chart', 'release'),
    require('tags', 'key'),
    {
      repositories: ['*/acme/bundles'],
      require: { allOf: [{ signedBy: 'key' }, { attestation }] },
    },
    require('keyless', 'workflow'),
  ];
  return { text: JSON.stringify({ version: 1, identities, rules }), signer, publicKey };
}

/** A policy and trust material of its own, in a folder of its own. */
function writeSite(
  folder: string,
  { text, signer, publicKey }: ReturnType<typeof makePolicy>,
  configuration: object,
  trust: object,
): string {
  const store = join(folder, 'trust', 'x509', 'ca', 'release');
  mkdirSync(store, { recursive: true });
  cpSync(signer.certificate, join(store, 'release.crt'));
  cpSync(publicKey, join(folder, 'cosign.pub'));
  writeFileSync(join(folder, 'root.json'), trustedRootJson());
  writeFileSync(join(folder, 'policy.yaml'), text);
  const any = { host: '127.0.0.1', port: 0 };
  const whole = {
    listen: any,
    admin: any,
    trustPolicy: './policy.yaml',
    trust: { store: './trust', sigstore: { root: { file: './root.json' } }, ...trust },
    storage: { path: './data' },
    access: { anonymous: 'pull' },
    ...configuration,
  };
  const file = join(folder, 'assay.yaml');
  // JSON is YAML.
  writeFileSync(file, JSON.stringify(whole));
  return file;
}

/** Runs `assay` by a program that is Node; what it prints for programs. */
export async function runJson<T>(words: readonly string[], node = process.execPath): Promise<T> {
  return JSON.parse(await mustRun(node, [mainFile, ...words, '--json'])) as T;
}
