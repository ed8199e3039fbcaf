import t from 'tap';
import { examineNotation } from '../../../../src/formats/notation/examination.ts';
import type { NotationEnvelope } from '../../../../src/formats/notation/notation-envelope.ts';
import { readJwsEnvelope } from '../../../../src/formats/notation-jws.ts';
import { runMutation } from '../../../support/assert-mutations.ts';
import { buildImage } from '../../../support/build-image.ts';
import { enforcementOf, makeCase, type Mutation } from '../../../support/notation-case.ts';
import { notationSignature } from '../../../support/sign-notation.ts';
import { type Chain, makeChain } from '../../../support/test-ca.ts';
import {
  timestamped,
  timestampedAfterExpiry,
  withTimestamp,
} from '../../../support/timestamp-mutations.ts';

type Plan = Omit<Mutation, 'at' | 'because'>;

const authority: Plan = {
  sign: { scheme: 'notary.x509.signingAuthority' },
  requirement: { trustStores: ['signingAuthority:acme'] },
  stores: ({ root: { der } }) => ({ 'signingAuthority:acme': [der] }),
};
const permissive = { level: 'permissive' } as const;

/** Every one of these keeps all the rules. */
const sound: Readonly<Record<string, Plan>> = {
  'of a signing authority': authority,
  'of a chain without intermediates': { chain: { intermediates: 0 } },
  'of a chain with two intermediates': { chain: { intermediates: 2 } },
  'of one self-signed certificate': { chain: { selfSigned: true } },
  'of a leaf without extended key usage': { chain: { leaf: { extendedKeyUsage: 'absent' } } },
  'of a leaf with a purpose that nobody knows': {
    chain: { leaf: { extendedKeyUsage: { purposes: ['1.2.3.4'], critical: true } } },
  },
  'of a leaf whose basic constraints say that it is no CA': {
    chain: { leaf: { basicConstraints: { isCa: false, critical: false } } },
  },
  'of a leaf that may commit to content': {
    chain: { leaf: { keyUsage: { bits: ['digitalSignature', 'contentCommitment'] } } },
  },
  'of a root that allows just as many CAs below it': {
    chain: { root: { basicConstraints: { isCa: true, pathLength: 1 } } },
  },
  'of an intermediate that allows no CA below it': {
    chain: { intermediate: { 0: { basicConstraints: { isCa: true, pathLength: 0 } } } },
  },
  'of a chain of RSA and Ed25519 keys': {
    chain: { intermediate: { 0: { key: 'RSA-2048' } }, root: { key: 'Ed25519' } },
  },
  'of a leaf that outlives its issuer': {
    chain: { intermediate: { 0: { notAfter: '2031-01-01T00:00:00Z' } } },
  },
  'trusted by its intermediate': {
    stores: ({ ders }) => ({ 'ca:acme': [ders[1] ?? ders[0]] }),
  },
  'trusted by its leaf': { stores: ({ ders }) => ({ 'ca:acme': [ders[0]] }) },
  'trusted by the second of two stores': {
    requirement: { trustStores: ['ca:other', 'ca:acme'] },
    stores: ({ root }) => ({
      'ca:other': [makeChain({ authority: 'stranger' }).root.der],
      'ca:acme': [root.der],
    }),
  },
  'trusted by one store where another does not exist': {
    requirement: { trustStores: ['ca:none', 'ca:acme'] },
  },
  'with an attribute that is unknown and not critical': {
    sign: { members: { 'com.example.more': 'a' } },
  },
  'with members in its payload that nobody knows': {
    sign: { payloadMembers: { more: 1 }, targetArtifact: { annotations: { a: 'b' } } },
  },
  'that expires later': { sign: { expiry: '2030-01-01T00:00:01Z' } },
  'on the first second of a certificate': {
    chain: { leaf: { notBefore: '2030-01-01T00:00:00Z' } },
  },
  'on the last second of a certificate': { chain: { leaf: { notAfter: '2030-01-01T00:00:00Z' } } },
  'by an authority at the first second of a certificate that has expired': {
    ...authority,
    chain: { leaf: { notBefore: '2026-01-01T00:00:00Z', notAfter: '2027-01-01T00:00:00Z' } },
  },
  'by an authority at the last second of a certificate': {
    ...authority,
    chain: { leaf: { notAfter: '2026-01-01T00:00:00Z' } },
  },
  'by an authority, with a tsa store that does not concern it': {
    ...authority,
    requirement: { trustStores: ['signingAuthority:acme', 'tsa:acme'] },
  },
  'with a tsa store for after the expiry of certificates that are valid': {
    requirement: { trustStores: ['ca:acme', 'tsa:acme'], verifyTimestamp: 'afterCertExpiry' },
  },
  'of a root that names a source of revocation': {
    chain: { root: { ocspUrls: ['http://a/'], crlUrls: ['http://b/'] } },
  },
  'with a timestamp': { ...timestamped, ...withTimestamp() },
  'with a timestamp in BER': { ...timestamped, ...withTimestamp({ encoding: 'ber' }) },
  'by a certificate that expired after its timestamp': {
    ...timestamped,
    ...withTimestamp(),
    chain: { leaf: { notAfter: '2026-01-01T00:00:01Z' } },
  },
  'by certificates that expired, with a timestamp asked for then': {
    ...timestampedAfterExpiry,
    ...withTimestamp(),
    chain: { root: { notAfter: '2029-01-01T00:00:00Z' } },
  },
  'with a broken timestamp that is not asked for yet': {
    ...timestampedAfterExpiry,
    sign: { timestamp: () => Uint8Array.of(0) },
  },
  'by a listed identity': {
    requirement: {
      trustedIdentities: [
        new Map([['O', 'other']]),
        new Map([
          ['C', 'US'],
          ['O', 'acme'],
        ]),
      ],
    },
  },
};

for (const format of ['jws', 'cose'] as const) {
  for (const [what, plan] of Object.entries(sound)) {
    t.test(`a ${format} signature ${what} passes every check`, async (t) => {
      const { outcomes, findings, proven } = await runMutation(format, plan);
      t.strictSame([...new Set(Object.values(outcomes))], ['passed'], JSON.stringify(findings));
      t.match(proven.signer, { kind: 'certificate' });
    });
  }
}

t.test('what an envelope claims of its algorithm must be what its key is for', async (t) => {
  const { stoppedBy, findings } = await runMutation('jws', { sign: { statedAlgorithm: 'none' } });
  t.equal(stoppedBy, 'signature-algorithm');
  t.match(findings['signature-algorithm'], { because: /claims "none".* for ES256/ });
  const broken = await runMutation('jws', {
    sign: { signWith: makeChain({ authority: 'stranger' }).privateKey },
  });
  t.equal(broken.stoppedBy, 'signature-verifies');
});

t.test('level permissive logs what strict enforces, and proves the signer', async (t) => {
  const logged: Readonly<Record<string, Plan>> = {
    expiry: { sign: { expiry: '2029-01-01T00:00:00Z' } },
    'authentic-timestamp': { chain: { leaf: { notAfter: '2029-01-01T00:00:00Z' } } },
    revocation: { chain: { leaf: { ocspUrls: ['http://a/'] } } },
  };
  for (const [id, plan] of Object.entries(logged)) {
    const { outcomes, stoppedBy, proven } = await runMutation('jws', {
      ...plan,
      requirement: permissive,
    });
    const bad = Object.entries(outcomes).filter(([, outcome]) => outcome !== 'passed');
    t.strictSame(bad, [[id, id === 'revocation' ? 'inconclusive' : 'failed']]);
    t.equal(stoppedBy, undefined);
    t.match(proven.signer, { kind: 'certificate' });
  }
});

t.test('level permissive enforces authenticity', async (t) => {
  const stores = () => ({ 'ca:acme': [] });
  const { stoppedBy } = await runMutation('jws', { requirement: permissive, stores });
  t.equal(stoppedBy, 'trusted-store');
});

t.test('level audit reports every check and vouches for nothing', async (t) => {
  const { outcomes, stoppedBy, proven } = await runMutation('jws', {
    requirement: { level: 'audit', trustedIdentities: [new Map([['O', 'other']])] },
    stores: () => ({ 'ca:acme': [] }),
    chain: { leaf: { notAfter: '2029-01-01T00:00:00Z', ocspUrls: ['http://a/'] } },
    sign: { expiry: '2029-01-01T00:00:00Z' },
  });
  t.match(outcomes, {
    'trusted-store': 'failed',
    'trusted-identity': 'failed',
    expiry: 'failed',
    'authentic-timestamp': 'failed',
    revocation: 'inconclusive',
    'level-vouches': 'failed',
  });
  t.equal(stoppedBy, 'level-vouches');
  t.equal(proven.signer, undefined);
  t.equal(proven.validUntil, undefined);
});

t.test('level skip skips all but integrity, and vouches for nothing', async (t) => {
  const { outcomes, stoppedBy, proven } = await runMutation('jws', {
    requirement: { level: 'skip', trustStores: [], trustedIdentities: [] },
  });
  t.match(outcomes, { 'trusted-store': 'skipped', revocation: 'skipped', expiry: 'skipped' });
  t.equal(stoppedBy, 'level-vouches');
  t.equal(proven.signer, undefined);
  const broken = await runMutation('jws', {
    requirement: { level: 'skip' },
    sign: { signWith: makeChain({ authority: 'stranger' }).privateKey },
  });
  t.equal(broken.stoppedBy, 'signature-verifies');
});

t.test('an override may skip revocation alone', async (t) => {
  const { outcomes, stoppedBy } = await runMutation('jws', {
    requirement: { enforcement: { ...enforcementOf.strict, revocation: 'skip' } },
    chain: { leaf: { ocspUrls: ['http://a/'] } },
  });
  t.equal(outcomes['revocation'], 'skipped');
  t.equal(stoppedBy, undefined);
});

const lifetimes: Readonly<Record<string, [plan: Plan, until: string | undefined]>> = {
  'the first certificate of the chain to expire': [
    { chain: { intermediate: { 0: { notAfter: '2032-01-01T00:00:00Z' } } } },
    '2032-01-01T00:00:00.000Z',
  ],
  'the expiry of the signature, if it comes before': [
    { sign: { expiry: '2031-01-01T00:00:00Z' } },
    '2031-01-01T00:00:00.000Z',
  ],
  'the end of a certificate, if it comes before the expiry': [
    {
      sign: { expiry: '2032-01-01T00:00:00Z' },
      chain: { leaf: { notAfter: '2031-01-01T00:00:00Z' } },
    },
    '2031-01-01T00:00:00.000Z',
  ],
  'the expiry alone, where an authority proves the time': [
    {
      ...authority,
      sign: { scheme: 'notary.x509.signingAuthority', expiry: '2060-01-01T00:00:00Z' },
    },
    '2060-01-01T00:00:00.000Z',
  ],
  'no time, where an authority proves the time of a signature without expiry': [
    authority,
    undefined,
  ],
  'no time, where a timestamp proves when it was signed': [
    { ...timestamped, ...withTimestamp() },
    undefined,
  ],
  'the first certificate to expire, where a timestamp is asked for only then': [
    { ...timestampedAfterExpiry, ...withTimestamp() },
    '2049-01-01T00:00:00.000Z',
  ],
  'the certificates alone, where the expiry has passed and is only logged': [
    { requirement: permissive, sign: { expiry: '2029-01-01T00:00:00Z' } },
    '2049-01-01T00:00:00.000Z',
  ],
  'the expiry alone, where a certificate has expired and that is only logged': [
    {
      requirement: permissive,
      sign: { expiry: '2031-01-01T00:00:00Z' },
      chain: { leaf: { notAfter: '2029-01-01T00:00:00Z' } },
    },
    '2031-01-01T00:00:00.000Z',
  ],
};

for (const [what, [plan, until]] of Object.entries(lifetimes)) {
  t.test(`what is proven ends with ${what}`, async (t) => {
    const { proven, stoppedBy } = await runMutation('jws', plan);
    t.equal(stoppedBy, undefined);
    t.equal(proven.validUntil?.toISOString(), until);
  });
}

t.test('the signer that is proven is the leaf', async (t) => {
  const chain = makeChain();
  const { proven } = await runMutation('cose', {});
  t.match(proven.signer, {
    kind: 'certificate',
    subject: 'CN=acme release,O=acme,ST=WA,C=US',
    issuer: 'CN=acme intermediate 0,O=acme,ST=WA,C=US',
    certificateFingerprint: chain.leaf.fingerprint,
    keyFingerprint: /^[0-9a-f]{64}$/,
  });
});

t.test('a time is proven by an authority alone', async (t) => {
  const timeOf = async (plan: Plan): Promise<unknown> =>
    (await runMutation('jws', plan)).proven.trustedTime;
  const range = (earliest: string, latest: string) => ({
    earliest: new Date(earliest),
    latest: new Date(latest),
  });
  t.strictSame(
    await timeOf({ ...timestamped, ...withTimestamp() }),
    range('2025-12-31T23:59:59Z', '2026-01-01T00:00:01Z'),
  );
  t.strictSame(await timeOf(authority), range('2026-01-01T00:00:00Z', '2026-01-01T00:00:00Z'));
  t.equal(await timeOf({}), undefined, 'what the signer claims is no proof');
  t.equal(await timeOf({ ...timestampedAfterExpiry, ...withTimestamp() }), undefined);
  const broken = { sign: { timestamp: () => Uint8Array.of(0) }, requirement: permissive };
  const logged = { ...broken, requirement: { ...timestamped.requirement, ...permissive } };
  t.equal(await timeOf({ ...timestamped, ...logged }), undefined, 'a failure is only logged');
});

t.test('passed checks show what they saw', async (t) => {
  const { findings } = await runMutation('jws', { sign: { expiry: '2031-01-01T00:00:00Z' } });
  const evidence = (id: string): unknown => {
    const finding = findings[id];
    return finding?.outcome === 'passed' ? finding.evidence : undefined;
  };
  const { descriptor } = buildImage();
  const { fingerprint } = makeChain().root;
  t.strictSame(Object.fromEntries(Object.keys(findings).map((id) => [id, evidence(id)])), {
    'envelope-readable': { certificates: '3' },
    'signed-attributes': {
      scheme: 'notary.x509',
      claimedSigningTime: '2026-01-01T00:00:00.000Z',
      expiry: '2031-01-01T00:00:00.000Z',
    },
    'critical-attributes': {
      critical: 'io.cncf.notary.signingScheme, io.cncf.notary.expiry',
    },
    'payload-names-subject': {
      subject: `${descriptor.mediaType}@${descriptor.digest}, ${descriptor.size} bytes`,
    },
    'signature-algorithm': { algorithm: 'ES256' },
    'signature-verifies': undefined,
    'certificate-chain': {
      signer: 'CN=acme release,O=acme,ST=WA,C=US',
      root: 'CN=acme root,O=acme,ST=WA,C=US',
      certificates: '3',
    },
    'trusted-store': { store: 'ca:acme', anchor: 'CN=acme root,O=acme,ST=WA,C=US', fingerprint },
    'verification-plugin': { plugin: 'none asked for' },
    'trusted-identity': { subject: 'CN=acme release,O=acme,ST=WA,C=US', trusted: '*' },
    expiry: { expiry: '2031-01-01T00:00:00.000Z' },
    'authentic-timestamp': { certificatesValidUntil: '2049-01-01T00:00:00.000Z' },
    revocation: { sources: 'none named' },
    'level-vouches': { level: 'strict' },
  });
});

t.test(
  'nothing is read or proven before a step runs, and none runs before its ground',
  async (t) => {
    const { descriptor } = buildImage();
    const chain: Chain = makeChain();
    const { envelope } = notationSignature({ of: descriptor, format: 'jws', chain });
    const examination = examineNotation({
      untrustedEnvelope: envelope,
      read: readJwsEnvelope,
      ...makeCase({ of: descriptor, chain }),
    });
    t.strictSame(examination.proven(), {});
    const store = examination.steps.find(({ id }) => id === 'trusted-store');
    t.throws(() => store?.run(), TypeError);
    t.strictSame(examination.proven(), {});
  },
);

t.test('what rests on an envelope alone is worked out once for all identities', async (t) => {
  const { descriptor } = buildImage();
  const chain: Chain = makeChain();
  const { envelope: untrustedEnvelope } = notationSignature({
    of: descriptor,
    format: 'jws',
    chain,
  });
  const done: string[] = [];
  const read = (untrusted: Uint8Array): NotationEnvelope => {
    done.push('read');
    const envelope = readJwsEnvelope(untrusted);
    return {
      ...envelope,
      isSignedBy: (key, algorithm) => {
        done.push('verified');
        return envelope.isSignedBy(key, algorithm);
      },
    };
  };
  const { requirement, ...rest } = makeCase({ of: descriptor, chain });
  for (const name of ['one', 'another']) {
    const identity = { ...requirement, name };
    const { steps } = examineNotation({ untrustedEnvelope, read, requirement: identity, ...rest });
    for (const step of steps) t.equal((await step.run()).outcome, 'passed');
  }
  t.same(done, ['read', 'verified']);
});
