import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import type { CosignScheme } from './support/cosign-home.ts';
import {
  type CosignKit,
  type CosignTool,
  openCosignKit,
  outcomes,
  type Pushed,
  startJudge,
} from './support/cosign-kit.ts';
import { type PredicateName, predicates, predicateTypes } from './support/predicates.ts';
import type { RegistryKind } from './support/registries.ts';

// Attestations of the real cosign: a rule that asks for one is met as `cosign verify-attestation`
// says, and by no attestation of another type.
t.setTimeout(200_000);

const conditions: Readonly<Record<PredicateName, object>> = {
  slsaprovenance1: { 'slsa.builder': 'https://github.com/actions/runner/github-hosted' },
  spdxjson: { 'sbom.present': 'spdx', 'sbom.noLicense': ['GPL-*'] },
  cyclonedx: { 'sbom.present': 'cyclonedx', 'sbom.noLicense': ['GPL-*'] },
};
const names = Object.keys(predicates) as readonly PredicateName[];

const runs: readonly (readonly [CosignTool, CosignScheme, RegistryKind])[] = [
  ['cosign2', 'tags', 'distribution'],
  ['cosign', 'bundles', 'referrers'],
  ['cosign', 'bundles', 'distribution'],
];

const kit = await openCosignKit(t, ['referrers', 'distribution']);
if (kit !== undefined) await testAttestations(kit);

async function testAttestations(kit: CosignKit): Promise<void> {
  const trusted = await kit.home('trusted', 'cosign2');
  const file = (name: PredicateName): string => join(kit.folder, `${name}.json`);
  for (const name of names) writeFileSync(file(name), JSON.stringify(predicates[name]));
  const asks = (name: PredicateName, more: object = conditions[name]): object => ({
    attestation: { predicateTypes: [predicateTypes[name]], signedBy: 'ci', conditions: more },
  });
  const stranger = { 'slsa.builder': 'https://builder.example.test' };
  const { judge } = await startJudge(t, kit, {
    identities: { ci: { sigstore: { publicKeys: ['ci.pub'], transparencyLog: 'not-required' } } },
    rules: [
      ...names.map((name) => ({ repositories: [`*/ask-${name}/**`], require: asks(name) })),
      { repositories: ['*/ask-builder/**'], require: asks('slsaprovenance1', stranger) },
      {
        repositories: ['*/ask-all/**'],
        require: { allOf: [{ signedBy: 'ci' }, ...names.map((name) => asks(name))] },
      },
    ],
    files: { 'ci.pub': readFileSync(trusted.publicKey, 'utf8') },
  });

  for (const [tool, scheme, kind] of runs) {
    t.test(`${tool} attests in ${scheme} in ${kind}`, async (t) => {
      const home = await kit.home('trusted', tool);
      const attested = async (repository: string, type: PredicateName): Promise<Pushed> => {
        const pushed = await kit.push(kind, repository);
        await home.attest(pushed.reference, type, scheme, file(type));
        return pushed;
      };
      for (const name of names) {
        const pushed = await attested(`ask-${name}/${scheme}`, name);
        const byCosign = await home.verifyAttestation(pushed.reference, name, scheme);
        t.equal(byCosign.code, 0, byCosign.output);
        t.match(await judge(pushed), outcomes.trusted, name);
      }
      const other = await attested(`ask-spdxjson/other-${scheme}`, 'slsaprovenance1');
      const byCosign = await home.verifyAttestation(other.reference, 'spdxjson', scheme);
      t.not(byCosign.code, 0, byCosign.output);
      t.match(await judge(other), { ...outcomes.refused, reason: 'attestation-missing' });
    });
  }

  t.test('a condition that the predicate does not meet refuses', async (t) => {
    const pushed = await kit.push('distribution', 'ask-builder/app');
    const [type] = ['slsaprovenance1'] as const;
    await trusted.attest(pushed.reference, type, 'tags', file(type));
    t.match(await judge(pushed), { ...outcomes.refused, reason: 'attestation-condition' });
  });

  t.test('a signature and every attestation, in tags and bundles side by side', async (t) => {
    const pushed = await kit.push('distribution', 'ask-all/app');
    const newer = await kit.home('trusted', 'cosign');
    await trusted.sign(pushed.reference, 'tags');
    await trusted.attest(pushed.reference, 'spdxjson', 'tags', file('spdxjson'));
    await trusted.attest(pushed.reference, 'cyclonedx', 'tags', file('cyclonedx'));
    const type = 'slsaprovenance1';
    await newer.attest(pushed.reference, type, 'bundles', file(type));
    t.match(await judge(pushed), outcomes.trusted);
  });

  t.test('an attestation by another key is none', async (t) => {
    const pushed = await kit.push('distribution', 'ask-spdxjson/stranger');
    const stranger = await kit.home('stranger', 'cosign2');
    await stranger.attest(pushed.reference, 'spdxjson', 'tags', file('spdxjson'));
    const { publicKey } = trusted;
    const how = { publicKey };
    const byCosign = await stranger.verifyAttestation(pushed.reference, 'spdxjson', 'tags', how);
    t.not(byCosign.code, 0, byCosign.output);
    t.match(await judge(pushed), outcomes.refused);
  });
}
