import { createPublicKey } from 'node:crypto';
import t from 'tap';
import { readCertificate } from '../../../../src/crypto/certificate.ts';
import { examineSigstore } from '../../../../src/formats/sigstore/examination.ts';
import { sigstoreChecks } from '../../../../src/formats/sigstore/checks.ts';
import { sigstoreBundle } from '../../../../src/formats/sigstore-bundle.ts';
import { exactly, parsePattern } from '../../../../src/policies/text-match.ts';
import type { TextMatch } from '../../../../src/verdict/sigstore-requirement.ts';
import * as asn1 from '../../../support/der-encoder.ts';
import { otherName, uriName } from '../../../support/fulcio-certificate.ts';
import { makeCase } from '../../../support/notation-case.ts';
import { runSteps } from '../../../support/run-steps.ts';
import { makeAuthority } from '../../../support/test-authority.ts';
import { makeChain } from '../../../support/test-ca.ts';
import { testKey } from '../../../support/test-keys.ts';
import { authorityEntry } from '../../../support/trusted-root.ts';
import { type BundlePlan, image, makeBundle, signType } from '../../../support/sigstore-bundle.ts';
import {
  certificateSigner,
  contextFor,
  requirementFor,
  runBundle,
  type SigstoreCaseOptions,
  type SigstoreMutation,
  trustedKey,
} from '../../../support/sigstore-case.ts';

type Plan = Pick<SigstoreMutation, 'plan'> & SigstoreCaseOptions;

const slsa = 'https://slsa.dev/provenance/v1';
const v2: BundlePlan = { entries: [{ rekor: 'v2' }], timestamps: [{}] };
const noRoot = { minLogs: 0, root: undefined };
const pattern = (text: string): TextMatch => {
  const match = parsePattern(text);
  if ('problem' in match) throw new TypeError(match.problem);
  return match;
};
const sundial = makeAuthority({ authority: 'sundial' });
const claimed = (name: string, value: string) => ({
  signer: { ...certificateSigner, claims: new Map([[name, exactly(value)]]) },
});
const workflow = 'https://github.com/acme/app/.github/workflows/release.yml@refs/heads/main';
const byWorkflow = (subject: TextMatch) => ({ signer: { ...certificateSigner, subject } });
const ofWorkflow = (name: string): BundlePlan => ({ certificate: { names: [uriName(name)] } });
const twoLogs = [{}, { log: 'other-log', logIndex: 2 }] as const;

/** Every one of these keeps all the rules. */
const sound: Readonly<Record<string, Plan>> = {
  'of a keyless signature in Rekor v1': {},
  'of a keyless signature in Rekor v2, with a timestamp': { plan: v2 },
  'of an artifact by its hash': { plan: { content: 'artifact' } },
  'of an artifact by a key': {
    plan: { content: 'artifact', key: 'EC-256', entries: [] },
    requirement: noRoot,
  },
  'with a timestamp and no log': {
    plan: { entries: [], timestamps: [{}] },
    requirement: { minLogs: 0, minTimestamps: 1 },
  },
  'in two logs of two operators': { plan: { entries: twoLogs }, requirement: { minLogs: 2 } },
  'with timestamps by two operators': {
    plan: { timestamps: [{}, { authority: sundial }] },
    requirement: { minTimestamps: 2 },
  },
  'with a log beside that nobody knows': {
    plan: { entries: [{}, { log: 'stranger', logIndex: 9 }] },
  },
  'with a timestamp beside that does not verify': {
    plan: { timestamps: [{ over: Buffer.from('other') }, {}] },
    requirement: { minTimestamps: 1 },
  },
  'with a timestamp beside by a stranger': {
    plan: { timestamps: [{}, { authority: makeAuthority({ authority: 'stranger' }) }] },
    requirement: { minTimestamps: 1 },
  },
  'with a timestamp beside by an authority that has expired': {
    plan: {
      timestamps: [
        { authority: makeAuthority({ leaf: { notAfter: '2029-01-01T00:00:00Z' } }) },
        { genTime: '20300101000003Z' },
      ],
    },
    requirement: { minTimestamps: 1 },
  },
  'with a checkpoint that others have signed too': {
    plan: {
      ...v2,
      entries: [
        { rekor: 'v2', checkpoint: { cosigners: ['\u2014 witness.example.test AAAAAAAAAAAA'] } },
      ],
    },
  },
  'with a checkpoint of a shard of Rekor v1': {
    plan: { entries: [{ checkpoint: { origin: 'rekor.example.test - 2605736670972794746' } }] },
  },
  'in a tree of one leaf': { plan: { entries: [{ before: 0, behind: 0 }] } },
  'in a log as intoto 0.0.2': { plan: { entries: [{ as: 'intoto 0.0.2' }] } },
  'of an artifact in a log as rekord': {
    plan: { content: 'artifact', entries: [{ as: 'rekord 0.0.1' }] },
  },
  'with an old statement': {
    plan: { statement: (s) => ({ ...s, _type: 'https://in-toto.io/Statement/v0.1' }) },
  },
  'with more subjects, of which one is it': {
    plan: {
      statement: (s) => ({
        ...s,
        subject: [{ name: 'x', digest: { sha1: '00' } }, {}, ...(s['subject'] as unknown[])],
      }),
    },
  },
  'with members in the statement that nobody knows': {
    plan: { statement: (s) => ({ ...s, more: 1 }) },
  },
  'of version 0.1, without a proof': {
    plan: old('0.1', (entry) => ({ ...entry, inclusionProof: undefined })),
  },
  'of version 0.2': { plan: old('0.2') },
  'of version 0.3 under its old name': {
    plan: {
      bundle: (b) => ({ ...b, mediaType: 'application/vnd.dev.sigstore.bundle+json;version=0.3' }),
    },
  },
  'with an intermediate that came along': {
    plan: old('0.2'),
    root: {
      certificateAuthorities: [
        authorityEntry('acme', {
          certChain: {
            certificates: [{ rawBytes: Buffer.from(makeChain().root.der).toString('base64') }],
          },
        }),
      ],
    },
  },
  'by a P-256 key': { plan: { key: 'EC-256' } },
  'by a P-384 key': { plan: { key: 'EC-384' } },
  'by a P-521 key': { plan: { key: 'EC-521' } },
  'by an RSA key': { plan: { key: 'RSA-3072' } },
  'by an Ed25519 key': { plan: { key: 'Ed25519' } },
  'by a key in Rekor v2, with a timestamp': { plan: { ...v2, key: 'EC-256' } },
  'by one of two keys': {
    plan: { key: 'EC-256' },
    requirement: { signer: { kind: 'keys', keys: [trustedKey('EC-384'), trustedKey('EC-256')] } },
  },
  'by a key with a hint at another': {
    plan: {
      key: 'EC-256',
      bundle: (b) => ({
        ...b,
        verificationMaterial: { ...b.verificationMaterial, publicKey: { hint: 'AAAA' } },
      }),
    },
  },
  'by a key, with no root and no log': {
    plan: { key: 'EC-256', entries: [] },
    requirement: noRoot,
    loaded: 'absent',
  },
  'by a key within its time': {
    plan: { key: 'EC-256' },
    requirement: {
      signer: {
        kind: 'keys',
        keys: [
          trustedKey('EC-256', {
            validFrom: new Date('2030-01-01T00:00:01Z'),
            validUntil: new Date('2030-01-01T00:00:01Z'),
          }),
        ],
      },
    },
  },
  'by a key that has ended since, logged once more later': {
    plan: {
      key: 'EC-256',
      entries: [{}, { log: 'other-log', logIndex: 2, time: '2030-03-01T00:00:00Z' }],
    },
    requirement: endedKey('2030-02-01T00:00:00Z'),
  },
  'by a certificate of a P-384 key': {
    plan: { certificate: { chain: { leaf: { key: 'EC-384' } } } },
  },
  'by a workflow': { plan: ofWorkflow(workflow), requirement: byWorkflow(exactly(workflow)) },
  'by a workflow that a pattern matches': {
    plan: ofWorkflow(workflow),
    requirement: byWorkflow(pattern('https://github\\.com/acme/app/\\.github/.*')),
  },
  'by a user name': {
    plan: {
      certificate: {
        names: [otherName('1.3.6.1.4.1.57264.1.7', asn1.utf8('dev!acme'))],
      },
    },
    requirement: byWorkflow(exactly('dev!acme')),
  },
  'with a claim that is asked for': {
    plan: { certificate: { claims: { 12: asn1.utf8('https://github.com/acme/app') } } },
    requirement: claimed('sourceRepositoryUri', 'https://github.com/acme/app'),
  },
  'with no certificate log where none is asked for': {
    plan: { certificate: { scts: [] } },
    requirement: { minCertificateLogs: 0 },
  },
  'with a certificate log beside that nobody knows': {
    plan: { certificate: { scts: [{ log: 'stranger' }, {}] } },
  },
  'by an authority whose root has an end that has not come': {
    loaded: { expiresAt: new Date('2031-01-01T00:00:00Z') },
  },
};

/** In the shape of an older version: a certificate in a chain. */
function old(
  version: '0.1' | '0.2',
  entry: (entry: Record<string, unknown>) => unknown = (same) => same,
): BundlePlan {
  return {
    bundle: (b) => {
      const { certificate, tlogEntries, ...material } = b.verificationMaterial;
      const issuer = { rawBytes: Buffer.from(makeChain().ders[1] ?? '').toString('base64') };
      return {
        ...b,
        mediaType: `application/vnd.dev.sigstore.bundle+json;version=${version}`,
        verificationMaterial: {
          ...material,
          x509CertificateChain: { certificates: [certificate, issuer] },
          tlogEntries: (tlogEntries as Record<string, unknown>[]).map(entry),
        },
      };
    },
  };
}

function endedKey(validUntil: string) {
  const keys = [trustedKey('EC-256', { validUntil: new Date(validUntil) })] as const;
  return { signer: { kind: 'keys', keys } } as const;
}

for (const [what, { plan, ...options }] of Object.entries(sound)) {
  t.test(`a bundle ${what} passes every check`, async (t) => {
    const { outcomes, findings, proven, stoppedBy } = await runBundle(plan, options);
    t.equal(stoppedBy, undefined, JSON.stringify(findings));
    t.same(
      Object.keys(outcomes),
      sigstoreChecks.map(({ id }) => id),
    );
    const bad = Object.values(outcomes).filter((each) => each !== 'passed' && each !== 'skipped');
    t.same(bad, []);
    t.ok(proven.signer);
  });
}

t.test('what is proven is who signed, and when at the latest', async (t) => {
  const { proven } = await runBundle({ timestamps: [{}] });
  t.match(proven.signer, {
    kind: 'certificate',
    subject: 'dev@acme.test',
    issuer: 'https://accounts.acme.test',
    certificateFingerprint: /^[0-9a-f]{64}$/,
  });
  const [, ...authorities] = makeChain({ authority: 'acme' }).ders.map(readCertificate);
  t.match(proven.signer, {
    authorityFingerprints: authorities.flatMap((each) => [each.fingerprint, each.keyFingerprint]),
  });
  t.equal(authorities.length, 2);
  const time = new Date('2030-01-01T00:00:01Z');
  t.strictSame(proven.trustedTime, { earliest: time, latest: time });
  t.equal(proven.statement, undefined, 'it is a signature');
  t.equal(proven.validUntil, undefined);
});

t.test('with a key what is proven is the name that the policy gives it', async (t) => {
  const { proven, findings } = await runBundle({ key: 'EC-256' });
  t.match(proven.signer, { kind: 'key', subject: 'EC-256.pub' });
  t.match(findings['certificate-chain'], { outcome: 'skipped', because: /with a key/ });
});

t.test('an attestation is a statement of its signer, and no signature', async (t) => {
  const { proven } = await runBundle({ predicateType: slsa, timestamps: [{}] });
  t.match(proven.statement, { predicateType: slsa });
  t.match(JSON.parse(Buffer.from(proven.statement?.payload ?? '').toString()), {
    predicateType: slsa,
  });
  t.strictSame(proven.statement?.signedBy, new Date('2030-01-01T00:00:01Z'));
});

t.test('without a trusted time a statement has none', async (t) => {
  const plan: BundlePlan = { key: 'EC-256', entries: [], predicateType: slsa };
  const { proven } = await runBundle(plan, { requirement: noRoot });
  t.match(proven.statement, { predicateType: slsa });
  t.notOk('signedBy' in (proven.statement ?? {}));
  t.equal(proven.trustedTime, undefined);
});

t.test('what was proven ends when the root is too old for the identity', async (t) => {
  const loaded = { kind: 'tuf', asOf: new Date('2030-05-31T00:00:00Z') } as const;
  const requirement = { maxRootAgeMs: 86_400_000 };
  const until = new Date('2030-06-01T00:00:00Z');
  const { stoppedBy, proven } = await runBundle({}, { loaded, requirement });
  t.equal(stoppedBy, undefined, 'and not before');
  t.strictSame(proven.validUntil, until);
  const ending = { ...loaded, expiresAt: new Date('2030-06-01T00:00:00Z') };
  const ended = await runBundle({}, { loaded: ending, requirement: { maxRootAgeMs: 9e9 } });
  t.strictSame(ended.proven.validUntil, ending.expiresAt, 'or with the root, if that is earlier');
});

t.test(
  'what was proven ends with the root, or with the key that was held against now',
  async (t) => {
    const expiresAt = new Date('2031-01-01T00:00:00Z');
    t.strictSame((await runBundle({}, { loaded: { expiresAt } })).proven.validUntil, expiresAt);
    const byKey = await runBundle(
      { key: 'EC-256', entries: [] },
      { requirement: { ...noRoot, ...endedKey('2030-07-01T00:00:00Z') } },
    );
    t.strictSame(byKey.proven.validUntil, new Date('2030-07-01T00:00:00Z'));
    const byTime = await runBundle(
      { key: 'EC-256' },
      { requirement: endedKey('2030-07-01T00:00:00Z') },
    );
    t.equal(byTime.proven.validUntil, undefined, 'its time is proven');
  },
);

t.test('the checks say what they saw', async (t) => {
  const { findings } = await runBundle({
    timestamps: [{}],
    certificate: { claims: { 20: asn1.utf8('push') } },
  });
  const evidence = (id: string): unknown =>
    findings[id]?.outcome === 'passed' ? findings[id].evidence : undefined;
  t.match(evidence('payload-names-subject'), { subject: image.descriptor.digest });
  t.match(evidence('payload-names-subject'), { predicateType: `"${signType}"` });
  t.match(evidence('timestamps'), { timestamps: /clock.test.* at 2030-01-01T00:00:03/ });
  t.match(evidence('log-entries'), { logs: /rekor\.example\.test.*#1007 at 2030-01-01T00:00:01/ });
  t.match(evidence('trusted-time'), { 'signed by': '2030-01-01T00:00:01.000Z' });
  t.match(evidence('certificate-chain'), { certificates: '3', authority: /acme root/ });
  t.match(evidence('certificate-log'), { logs: /ctfe\.example\.test/ });
  t.match(evidence('trusted-identity'), { subject: '"dev@acme.test"', buildTrigger: '"push"' });
});

t.test('what does not count is told beside what does', async (t) => {
  const plan: BundlePlan = {
    entries: [{}, { log: 'stranger', logIndex: 9 }],
    timestamps: [{ over: Buffer.from('other') }],
  };
  const { findings } = await runBundle(plan);
  t.match(findings['log-entries'], {
    evidence: { 'do not count': /no log [0-9a-f]{16} is known/ },
  });
  t.match(findings['timestamps'], { evidence: { 'do not count': /over other bytes/ } });
});

t.test('an envelope is read once, however many identities it is held against', async (t) => {
  const { bytes } = makeBundle();
  const untrusted = { bytes, annotations: {} };
  const context = contextFor();
  let readings = 0;
  const read: Parameters<typeof examineSigstore>[0]['read'] = async () => {
    readings += 1;
    throw new TypeError('nobody reads it');
  };
  for (const name of ['one', 'two']) {
    const requirement = { ...requirementFor({}), name };
    const { steps } = examineSigstore({
      untrusted,
      read,
      subject: image.descriptor,
      requirement,
      context,
    });
    await t.rejects(async () => steps[0].run(), { message: 'nobody reads it' });
  }
  t.equal(readings, 1);
});

t.test('a requirement of another family is a mistake of ours', async (t) => {
  const { requirement, context, subject } = makeCase({ of: image.descriptor, chain: makeChain() });
  const untrusted = { bytes: makeBundle().bytes, annotations: {} };
  t.throws(() => sigstoreBundle.examine(untrusted, subject, requirement, context), TypeError);
});

t.test('a check before its turn is a mistake of ours', async (t) => {
  const untrusted = { bytes: makeBundle().bytes, annotations: {} };
  const examination = sigstoreBundle.examine(
    untrusted,
    image.descriptor,
    requirementFor({}),
    contextFor(),
  );
  const [, second] = examination.steps;
  t.throws(() => second?.run(), TypeError);
  t.equal(examination.proven().signer, undefined);
});

t.test('a signature with the key of a certificate that the policy names by its key', async (t) => {
  const key = createPublicKey(testKey('EC-256', 'acme/leaf'));
  const { keyFingerprint } = (await runBundle({})).proven.signer ?? { keyFingerprint: '' };
  const keys = [{ name: 'leaf.pub', publicKey: key, keyFingerprint }] as const;
  const { proven, stoppedBy } = await runBundle(
    {},
    { requirement: { signer: { kind: 'keys', keys }, minCertificateLogs: 0 } },
  );
  t.equal(stoppedBy, undefined);
  t.match(proven.signer, { kind: 'key', subject: 'leaf.pub' });
});

t.test('the same bundle is examined alike in every run', async (t) => {
  const untrusted = { bytes: makeBundle({ timestamps: [{}] }).bytes, annotations: {} };
  const context = contextFor();
  const run = () =>
    runSteps(sigstoreBundle.examine(untrusted, image.descriptor, requirementFor({}), context));
  t.strictSame(await run(), await run());
});
