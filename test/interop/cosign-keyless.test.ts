import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { findTool } from '../support/require-tool.ts';
import { trustedRootJson } from '../support/trusted-root.ts';
import { type KeylessSigner, makeKeylessCosign } from './support/cosign-keyless.ts';
import type { CosignScheme } from './support/cosign-home.ts';
import {
  type CosignKit,
  failedChecks,
  openCosignKit,
  outcomes,
  startJudge,
} from './support/cosign-kit.ts';
import { predicates, predicateTypes } from './support/predicates.ts';
import type { RegistryKind } from './support/registries.ts';
import { startSigstoreServices } from './support/sigstore-services.ts';

// The real cosign signs without keys at a Fulcio, a Rekor and a timestamp authority of this machine:
// Assay and cosign verify it by the same root, and take it for nobody else's.
t.setTimeout(200_000);

const github = 'https://token.actions.githubusercontent.com';
const workflow = 'https://github.com/acme/app/.github/workflows/release.yml@refs/heads/main';
const release: KeylessSigner = { subject: workflow, issuer: github };
const person: KeylessSigner = { subject: 'dev@acme.test', issuer: 'https://accounts.acme.test' };

/** Signers that are nearly the one that the policy names. */
const nearMisses: Readonly<Record<string, KeylessSigner>> = {
  'another issuer': { ...release, issuer: 'https://token.actions.example.test' },
  'an issuer with a slash more': { ...release, issuer: `${github}/` },
  'a repository that begins alike': {
    ...release,
    subject: workflow.replace('acme/app/', 'acme/app-evil/'),
  },
  'an organisation in another case': { ...release, subject: workflow.replace('acme', 'Acme') },
  'a branch that begins alike': { ...release, subject: `${workflow}-evil` },
  'the subject within another': { ...release, subject: `https://evil.example.test/${workflow}` },
};

/** By when it was signed, which a log and a timestamp say; under `.att` of the whole envelope. */
const sbom = {
  predicateTypes: [predicateTypes.spdxjson],
  signedBy: 'any-branch',
  conditions: { 'sbom.present': 'spdx' },
  maxAge: '1h',
};

const schemes: readonly (readonly [CosignScheme, RegistryKind])[] = [
  ['tags', 'distribution'],
  ['tags', 'referrers'],
  ['bundles', 'referrers'],
  ['bundles', 'distribution'],
];

const kit = await openCosignKit(t, ['referrers', 'distribution']);
if (kit !== undefined) await testKeyless(kit);

async function testKeyless(kit: CosignKit): Promise<void> {
  const services = await startSigstoreServices(t);
  const programs = { tags: findTool('cosign2') ?? '', bundles: findTool('cosign') ?? '' };
  const cosign = makeKeylessCosign(programs, join(kit.folder, 'keyless'), services);
  const { judge } = await startJudge(t, kit, {
    identities: {
      release: { sigstore: { issuer: github, subject: workflow } },
      'any-branch': {
        sigstore: {
          issuer: github,
          subjectPattern:
            'https://github\\.com/acme/app/\\.github/workflows/release\\.yml@refs/heads/[a-z]+',
          timestamps: 'required',
        },
      },
      person: { sigstore: { issuer: person.issuer, subject: person.subject } },
      'two-logs': {
        sigstore: { issuer: github, subject: workflow, transparencyLog: { threshold: 2 } },
      },
    },
    rules: [
      ...['release', 'any-branch', 'person', 'two-logs'].map((name) => ({
        repositories: [`*/${name}/**`],
        require: { signedBy: name },
      })),
      { repositories: ['*/attested/**'], require: { attestation: sbom } },
    ],
    files: { 'root.json': trustedRootJson().toString() },
    trust: { sigstore: { root: { file: './root.json' } } },
  });

  for (const [scheme, kind] of schemes) {
    t.test(`${scheme} in ${kind}: who signed is proven, and Assay asks nobody`, async (t) => {
      const before = services.asked.length;
      for (const [name, signer] of Object.entries({ release, 'any-branch': release, person })) {
        const pushed = await kit.push(kind, `${name}/${scheme}`);
        await cosign.sign(pushed.reference, scheme, signer);
        const asked = services.asked.length;
        const [byCosign, judged] = await Promise.all([
          cosign.verify(pushed.reference, scheme, signer),
          judge(pushed),
        ]);
        t.equal(byCosign.code, 0, byCosign.output);
        t.match(judged, outcomes.trusted, name);
        t.match(judged.verdict.reports.at(-1)?.signer, signer);
        t.equal(services.asked.length, asked, 'Assay asked none of the services');
      }
      t.ok(services.asked.length > before);
    });
  }

  for (const [what, signer] of Object.entries(nearMisses)) {
    t.test(`${what} is somebody else`, async (t) => {
      const place = what.replaceAll(' ', '-');
      for (const name of ['release', 'any-branch']) {
        const pushed = await kit.push('distribution', `${name}/near/${place}`);
        await cosign.sign(pushed.reference, 'tags', signer);
        const byCosign = await cosign.verify(pushed.reference, 'tags', release);
        t.not(byCosign.code, 0, byCosign.output);
        const judged = await judge(pushed);
        t.match(judged, { ...outcomes.refused, reason: 'no-trusted-signer' });
        t.strictSame(failedChecks(judged), ['signer-candidate']);
      }
    });
  }

  for (const [scheme, kind] of schemes) {
    t.test(`${scheme} in ${kind}: an attestation without keys counts by who made it`, async (t) => {
      const predicate = { type: 'spdxjson', file: join(kit.folder, 'sbom.json') };
      writeFileSync(predicate.file, JSON.stringify(predicates.spdxjson));
      for (const [signer, expected] of [
        [release, 'trusted'],
        [person, 'refused'],
      ] as const) {
        const pushed = await kit.push(kind, `attested/${scheme}/${expected}`);
        await cosign.attest(pushed.reference, scheme, signer, predicate);
        const [byCosign, judged] = await Promise.all([
          cosign.verifyAttestation(pushed.reference, scheme, release, predicate.type),
          judge(pushed),
        ]);
        t.equal(byCosign.code === 0, expected === 'trusted', byCosign.output);
        t.match(judged, outcomes[expected]);
      }
    });
  }

  t.test('one log is not two', async (t) => {
    const pushed = await kit.push('referrers', 'two-logs/app');
    await cosign.sign(pushed.reference, 'bundles', release);
    const judged = await judge(pushed);
    t.match(judged, { ...outcomes.refused, reason: 'log-unproven' });
    t.strictSame(failedChecks(judged), ['log-entries']);
  });
}
