import t from 'tap';
import { type AppKit, reasonOf, startAppKit } from '../support/app-kit.ts';
import { buildBlob, buildImage, buildManifest } from '../support/build-image.ts';
import { makeFakeClock } from '../support/fake-clock.ts';
import { startFakeRegistry } from '../support/fake-registry.ts';
import { image, makeBundle, newMediaType } from '../support/sigstore-bundle.ts';
import { worldRoot } from '../support/sigstore-case.ts';
import { makeSigstoreLog } from '../support/sigstore-log.ts';
import {
  keylessLayer,
  type KeylessPlan,
  keylessSignature,
  signatureTag,
} from '../support/sign-keyless.ts';
import { makeChain } from '../support/test-ca.ts';
import { authorityEntry, trustedRootJson } from '../support/trusted-root.ts';

// Keyless signatures through the whole app: each that is not quite right is refused by the check
// that is there for it.
const github = 'https://token.actions.githubusercontent.com';
const workflow = 'https://github.com/acme/app/.github/workflows/release.yml@refs/heads/main';
const at = new Date('2030-01-01T00:00:00Z');
const later = (minutes: number): Date => new Date(at.getTime() + minutes * 60_000);
const byRelease = { subject: workflow, issuer: github, at };

/** The same names and keys, ended before the signature. */
const ended = { intermediate: { 0: { notAfter: '2029-12-31T00:00:00Z' } } };
const endedIssuers = makeChain(ended).certificates.slice(1);
const endedAuthority = authorityEntry('acme', {
  certChain: {
    certificates: endedIssuers.map(({ der }) => ({
      rawBytes: Buffer.from(der).toString('base64'),
    })),
  },
});

const identities = {
  exact: { sigstore: { issuer: github, subject: workflow } },
  pattern: {
    sigstore: {
      issuer: github,
      subjectPattern:
        'https://github\\.com/acme/app/\\.github/workflows/release\\.yml@refs/heads/[a-z]+',
    },
  },
  stamped: { sigstore: { issuer: github, subject: workflow, timestamps: 'required' } },
  ended: { sigstore: { issuer: github, subject: workflow, root: 'ended' } },
  'two-logs': {
    sigstore: {
      issuer: 'https://accounts.acme.test',
      subject: 'dev@acme.test',
      transparencyLog: { threshold: 2 },
    },
  },
};
type Rule = keyof typeof identities;

const registry = await startFakeRegistry();
t.teardown(() => registry.close());
const app = await startAppKit(t, {
  upstreams: { 'ghcr.io': registry.url },
  identities,
  rules: Object.keys(identities).map((name) => ({
    repositories: [`ghcr.io/${name}/**`],
    require: { signedBy: name },
  })),
  files: {
    'root.json': trustedRootJson(worldRoot).toString(),
    'ended.json': trustedRootJson({
      ...worldRoot,
      certificateAuthorities: [endedAuthority],
    }).toString(),
  },
  config: {
    trust: {
      store: './trust',
      sigstore: { root: { file: './root.json' }, roots: { ended: { file: './ended.json' } } },
    },
  },
  clock: makeFakeClock(later(30).toISOString()),
});

type Plan = Omit<KeylessPlan, 'of' | 'reference'>;
let images = 0;

/** An image in a repository of its own, with what cosign would have put under its tag. */
async function pull(rule: Rule, ...plans: readonly Partial<Plan>[]) {
  const name = `${rule}/app-${(images += 1)}`;
  const artifact = buildImage({ name });
  const { descriptor } = artifact;
  const layers = plans.map((plan) =>
    keylessLayer({ of: descriptor, reference: `ghcr.io/${name}`, ...byRelease, ...plan }),
  );
  registry.put(name, artifact, 'it');
  registry.put(name, keylessSignature(layers), signatureTag(descriptor));
  return ask(app, name, descriptor.digest);
}

async function ask({ ask }: AppKit, name: string, digest: string) {
  const reply = await ask(`ghcr.io/${name}/manifests/${digest}`);
  const [, check] = /does not count for [a-z-]+ \(([a-z-]+): /.exec(String(reply.body)) ?? [];
  return { status: reply.status, reason: reasonOf(reply), check };
}

const good: Readonly<Record<string, readonly [Rule, Partial<Plan>]>> = {
  'named exactly': ['exact', {}],
  'by a pattern': ['pattern', {}],
  'on another branch, by a pattern': ['pattern', { subject: workflow.replace('main', 'next') }],
  'with a timestamp': ['stamped', { timestamp: true }],
  'whose intermediate came along': ['ended', {}],
  'in the last minute of its certificate': ['exact', { log: laterBy(10) }],
};
for (const [what, [rule, plan]] of Object.entries(good)) {
  t.test(`a signer ${what} is trusted`, async (t) => {
    t.match(await pull(rule, plan), { status: 200 });
  });
}

/** A log of the root that takes everything in only then. */
function laterBy(minutes: number) {
  const log = makeSigstoreLog();
  return { ...log, append: (body: Buffer) => log.append(body, later(minutes)) };
}

const nearMisses: Readonly<Record<string, Partial<Plan>>> = {
  'another issuer': { issuer: 'https://accounts.acme.test' },
  'an issuer and a slash': { issuer: `${github}/` },
  'an issuer in another case': { issuer: github.replace('token', 'Token') },
  'a repository that begins alike': { subject: workflow.replace('app/', 'app-evil/') },
  'an organisation that begins alike': { subject: workflow.replace('acme/', 'acme-evil/') },
  'its subject behind something': { subject: `https://evil.test/?${workflow}` },
  'its subject and something': { subject: `${workflow}/../evil` },
  'a subject in another case': { subject: workflow.replace('acme', 'ACME') },
  'a subject with another dot': { subject: workflow.replace('release.yml', 'releasexyml') },
};
for (const [what, plan] of Object.entries(nearMisses)) {
  t.test(`${what} is somebody else`, async (t) => {
    for (const rule of ['exact', 'pattern'] as const) {
      const expected = { status: 403, reason: 'no-trusted-signer', check: 'signer-candidate' };
      t.match(await pull(rule, plan), expected, rule);
    }
  });
}

for (const subject of [
  `${workflow}\n`,
  `${workflow}\nhttps://evil.test`,
  `https://a.test\n${workflow}`,
]) {
  t.test(`no URI is ${JSON.stringify(subject)}, whatever a certificate says`, async (t) => {
    for (const rule of ['exact', 'pattern'] as const) {
      const expected = { status: 403, reason: 'signature-invalid', check: 'signer-candidate' };
      t.match(await pull(rule, { subject }), expected, rule);
    }
  });
}

interface Refused {
  readonly rule?: Rule;
  readonly plan: () => Partial<Plan>;
  readonly check: string;
  readonly reason: string;
}

const foreign = makeSigstoreLog('foreign');
const refused: Readonly<Record<string, Refused>> = {
  'no entry of a log': {
    plan: () => ({ log: 'absent' }),
    check: 'log-entries',
    reason: 'log-unproven',
  },
  'an entry of a foreign log': {
    plan: () => ({ log: foreign }),
    check: 'log-entries',
    reason: 'log-unproven',
  },
  'an entry that a foreign log promised': {
    plan: () => ({
      entry: (entry) => ({ ...entry, promise: foreign.append(entry.body, at).promise }),
    }),
    check: 'log-entries',
    reason: 'signature-invalid',
  },
  'the entry of another signature': {
    plan: () => ({
      entry: () => makeSigstoreLog().append(otherBody, at),
    }),
    check: 'log-entries',
    reason: 'signature-invalid',
  },
  'an entry of another time than was promised': {
    plan: () => ({
      log: laterBy(11),
      entry: (entry) => ({ ...entry, integratedTimeSeconds: at.getTime() / 1000 }),
    }),
    check: 'log-entries',
    reason: 'signature-invalid',
  },
  'a certificate that had ended': {
    plan: () => ({ log: laterBy(11) }),
    check: 'certificate-chain',
    reason: 'certificate-expired',
  },
  'a certificate that had not begun': {
    plan: () => ({ log: laterBy(-1) }),
    check: 'certificate-chain',
    reason: 'certificate-expired',
  },
  'an intermediate that had ended when it was signed': {
    rule: 'ended',
    plan: () => ({ issuers: endedIssuers.map(({ pem }) => pem) }),
    check: 'certificate-chain',
    reason: 'no-trusted-signer',
  },
  'a certificate of another authority': {
    plan: () => ({ authority: 'stranger' }),
    check: 'certificate-chain',
    reason: 'no-trusted-signer',
  },
  'a certificate that no log has seen': {
    plan: () => ({ sct: 'absent' }),
    check: 'certificate-log',
    reason: 'log-unproven',
  },
  'a certificate that a foreign log has seen': {
    plan: () => ({ sct: { log: 'foreign' } }),
    check: 'certificate-log',
    reason: 'log-unproven',
  },
  'no timestamp where one is required': {
    rule: 'stamped',
    plan: () => ({}),
    check: 'timestamps',
    reason: 'timestamp-unproven',
  },
};
const otherBody = ((): Buffer => {
  const log = makeSigstoreLog();
  keylessLayer({ of: buildImage({ name: 'other' }).descriptor, ...byRelease, log });
  return log.entries[0]?.body ?? Buffer.alloc(0);
})();
for (const [what, { rule = 'exact', plan, ...expected }] of Object.entries(refused)) {
  t.test(`${what} is refused by ${expected.check}`, async (t) => {
    t.match(await pull(rule, plan()), { status: 403, ...expected });
  });
}

t.test('a good signature among bad ones is enough', async (t) => {
  const bad = [...Object.values(nearMisses), { log: foreign }, { sct: 'absent' as const }];
  t.match(await pull('exact', ...bad, {}), { status: 200 });
});

t.test('the signature of another repository is not for this one', async (t) => {
  const artifact = buildImage({ name: 'both' });
  const { descriptor } = artifact;
  const layer = keylessLayer({ of: descriptor, reference: 'ghcr.io/exact/one', ...byRelease });
  for (const name of ['exact/one', 'exact/two']) {
    registry.put(name, artifact, 'it');
    registry.put(name, keylessSignature([layer]), signatureTag(descriptor));
  }
  t.match(await ask(app, 'exact/one', descriptor.digest), { status: 200 });
  const expected = { status: 403, reason: 'signature-invalid', check: 'payload-names-subject' };
  t.match(await ask(app, 'exact/two', descriptor.digest), expected);
});

t.test('two entries of one operator are one, and of two are two', async (t) => {
  const { digest } = image.descriptor;
  const asked = async (name: string, logs: readonly string[]) => {
    const { bytes } = makeBundle({ entries: logs.map((log) => ({ log })) });
    const layers = [buildBlob(newMediaType, bytes)];
    const bundle = buildManifest({ artifactType: newMediaType, subject: image.descriptor, layers });
    registry.put(name, image, 'it');
    registry.put(name, bundle);
    return ask(app, name, digest);
  };
  const unproven = { status: 403, reason: 'log-unproven', check: 'log-entries' };
  t.match(await asked('two-logs/one', ['rekor']), unproven);
  t.match(await asked('two-logs/same', ['rekor', 'rekor-two']), unproven);
  t.match(await asked('two-logs/two', ['rekor', 'other-log']), { status: 200 });
  const twice = { status: 403, reason: 'signature-invalid', check: 'log-entries' };
  t.match(await asked('two-logs/twice', ['rekor', 'rekor']), twice);
});
