import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { lintTrustPolicy } from '../../src/policies/lint.ts';
import { type LoadedTrustPolicy, loadTrustPolicy } from '../../src/policies/trust-policy.ts';

const config = join(import.meta.dirname, '..', '..', 'config');
const folder = join(config, 'catalogue');
const files = await readdir(folder);
const at = new Date('2026-11-01T00:00:00Z');

async function load(file: string): Promise<LoadedTrustPolicy> {
  const text = await readFile(file, 'utf8');
  return await loadTrustPolicy(text, file, (path) => readFile(join(config, path), 'utf8'));
}

const starter = await load(join(config, 'trust-policy.yaml'));

t.test('the catalogue has the publishers that are known', async (t) => {
  for (const name of ['kubernetes', 'distroless', 'chainguard', 'sigstore', 'flux']) {
    t.ok(files.includes(`${name}.policy.yaml`), name);
  }
});

for (const file of files) {
  t.test(
    `${file} names its source, loads without a doubt, and is what the starter has`,
    async (t) => {
      const text = await readFile(join(folder, file), 'utf8');
      t.match(text, /^# (?:.*\n# )*?(?:Identity|Identity and provenance): documented/);
      t.match(text, /^# .*https:\/\//m);
      const policy = await load(join(folder, file));
      t.same(lintTrustPolicy(policy, { at }), []);
      const twins = starter.rules.map(({ digest }) => digest);
      for (const { digest, name } of policy.rules) t.ok(twins.includes(digest), name);
    },
  );
}

const google = 'https://accounts.google.com';
const github = 'https://token.actions.githubusercontent.com';
const workflow = (path: string): string => `https://github.com/${path}`;

/** Identities that certificates of real signatures have, and some that look alike. */
const identities = [
  {
    name: 'kubernetes',
    issuer: google,
    subject: 'krel-trust@k8s-releng-prod.iam.gserviceaccount.com',
    strangers: ['krel-staging@k8s-releng-prod.iam.gserviceaccount.com'],
  },
  {
    name: 'chainguard',
    issuer: github,
    subject: workflow('chainguard-images/images/.github/workflows/release.yaml@refs/heads/main'),
    strangers: [
      workflow('chainguard-images/images/.github/workflows/release.yaml@refs/heads/main2'),
      workflow('chainguard-images/images/.github/workflows/presubmit.yaml@refs/heads/main'),
    ],
  },
  {
    name: 'flux',
    issuer: github,
    subject: workflow('fluxcd/source-controller/.github/workflows/release.yml@refs/tags/v1.7.0'),
    strangers: [
      workflow('fluxcd-evil/source-controller/.github/workflows/release.yml@refs/tags/v1.7.0'),
      workflow('fluxcd/x/y/.github/workflows/release.yml@refs/tags/v1.7.0'),
      workflow('fluxcd/source-controller/.github/workflows/release.yml@refs/heads/main'),
      workflow('fluxcd/source-controller/.github/workflows/e2e.yml@refs/tags/v1.7.0'),
      workflow('Fluxcd/source-controller/.github/workflows/release.yml@refs/tags/v1.7.0'),
      `x${workflow('fluxcd/source-controller/.github/workflows/release.yml@refs/tags/v1.7.0')}`,
    ],
  },
  {
    name: 'cilium',
    issuer: github,
    subject: workflow(
      'cilium/cilium/.github/workflows/build-images-releases.yaml@refs/tags/v1.13.0',
    ),
    strangers: [
      workflow('cilium/cilium/.github/workflows/build-images-ci.yaml@refs/tags/v1.13.0'),
      workflow('cilium/ciliumx/.github/workflows/build-images-releases.yaml@refs/tags/v1.13.0'),
    ],
  },
  {
    name: 'argo-cd',
    issuer: github,
    subject: workflow('argoproj/argo-cd/.github/workflows/image-reuse.yaml@refs/tags/v2.11.3'),
    strangers: [
      workflow('argoproj/argo-cd/.github/workflows/image-reuse.yaml@refs/heads/master'),
      workflow('argoproj/argo-cdx/.github/workflows/image-reuse.yaml@refs/tags/v2.11.3'),
    ],
  },
] as const;

for (const { name, issuer, subject, strangers } of identities) {
  t.test(`${name} is who it says, and nobody who looks alike`, async (t) => {
    const entry = starter.identities.get(name);
    const signer = entry?.kind === 'sigstore' ? entry.requirement.signer : undefined;
    if (signer?.kind !== 'certificate') throw new Error('no certificate is asked for');
    t.ok(signer.issuer.matches(issuer));
    t.notOk(signer.issuer.matches(`${issuer}.evil.example`));
    t.ok(signer.subject.matches(subject));
    for (const stranger of [...strangers, `${subject}\n`, `evil ${subject}`, '']) {
      t.notOk(signer.subject.matches(stranger), stranger);
    }
  });
}

/** Other repositories may call a workflow that is reusable, and its name is then in the certificate. */
t.test(
  'a workflow that ran for another repository is nobody that the catalogue knows',
  async (t) => {
    for (const [name, entry] of starter.identities) {
      const signer = entry.kind === 'sigstore' ? entry.requirement.signer : undefined;
      if (signer?.kind !== 'certificate' || !signer.issuer.matches(github)) continue;
      const repository = signer.claims.get('sourceRepositoryUri');
      t.ok(repository, name);
      for (const other of ['https://github.com/eve/argo-cd', 'https://github.com/eve/fluxcd/x']) {
        t.notOk(repository?.matches(other), `${name} of ${other}`);
      }
    }
    const argo = starter.identities.get('argo-cd');
    const signer = argo?.kind === 'sigstore' ? argo.requirement.signer : undefined;
    const claims = signer?.kind === 'certificate' ? signer.claims : new Map<string, never>();
    t.ok(claims.get('sourceRepositoryUri')?.matches('https://github.com/argoproj/argo-cd'));
  },
);

t.test('what the catalogue does not name is trusted to nobody', async (t) => {
  for (const scope of ['docker.io/library/nginx', 'ghcr.io/acme/app', 'quay.io/cilium/other']) {
    t.notOk(starter.hasRuleIn(scope), scope);
  }
});
