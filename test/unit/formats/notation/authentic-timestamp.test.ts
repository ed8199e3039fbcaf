import t from 'tap';
import { readCertificate } from '../../../../src/crypto/certificate.ts';
import {
  checkAuthenticTimestamp,
  type TimestampInput,
} from '../../../../src/formats/notation/authentic-timestamp.ts';
import type { CertificateChain } from '../../../../src/formats/notation/certificate-chain.ts';
import type {
  RevocationSource,
  RevocationStatus,
} from '../../../../src/trust/revocation-source.ts';
import { makeContext, makeTrust } from '../../../support/notation-case.ts';
import { type TimestampOverrides, timestampToken } from '../../../support/sign-timestamp.ts';
import { makeAuthority } from '../../../support/test-authority.ts';
import { makeChain } from '../../../support/test-ca.ts';

const valid = { notBefore: '2029-01-01T00:00:00Z', notAfter: '2031-01-01T00:00:00Z' };
const chain = makeChain({ leaf: valid }).ders.map(readCertificate) as unknown as CertificateChain;
const claimed = {
  scheme: 'notary.x509',
  signingTime: new Date('2030-01-01T00:00:00Z'),
  expiry: undefined,
} as const;
const certified = (iso: string) =>
  ({
    scheme: 'notary.x509.signingAuthority',
    authenticSigningTime: new Date(iso),
    expiry: undefined,
  }) as const;

const signature = Buffer.from('a signature');
const authority = makeAuthority();

interface Question extends Partial<Omit<TimestampInput, 'context' | 'envelope'>> {
  readonly now?: string;
  readonly timestampToken?: Uint8Array;
  readonly revocation?: RevocationSource;
  /** The authority's root in `tsa:clock` unless told. */
  readonly stores?: Readonly<Record<string, readonly Uint8Array[]>>;
}

function check(question: Question = {}) {
  const { now = '2030-01-01T00:00:00Z', timestampToken, revocation, stores, ...input } = question;
  const trust = makeTrust(stores ?? { 'tsa:clock': [authority.root.der] });
  const context = { ...makeContext(trust), ...(revocation !== undefined && { revocation }) };
  return checkAuthenticTimestamp({
    chain,
    attributes: claimed,
    requirement: { trustStores: ['ca:acme'], verifyTimestamp: 'always' },
    ...input,
    envelope: { signature, timestampToken },
    context: { ...context, now: new Date(now) },
  });
}

const always = { trustStores: ['ca:acme', 'tsa:clock'], verifyTimestamp: 'always' } as const;
const afterExpiry = { ...always, verifyTimestamp: 'afterCertExpiry' } as const;
const tokenOf = (overrides: TimestampOverrides = {}): Uint8Array =>
  timestampToken(signature, { genTime: '20300101000000Z', ...overrides });

t.test('certificates are valid from their first second to their last', async (t) => {
  for (const now of ['2029-01-01T00:00:00Z', '2031-01-01T00:00:00Z']) {
    t.strictSame(await check({ now }), {
      finding: {
        outcome: 'passed',
        evidence: { certificatesValidUntil: '2031-01-01T00:00:00.000Z' },
      },
      validUntil: new Date('2031-01-01T00:00:00Z'),
    });
  }
  for (const now of ['2028-12-31T23:59:59.999Z', '2031-01-01T00:00:00.001Z']) {
    const { finding, validUntil } = await check({ now });
    t.match(finding, { outcome: 'failed', reason: 'certificate-expired' });
    t.equal(validUntil, undefined);
  }
});

t.test("an authority's time counts in place of now", async (t) => {
  for (const time of ['2029-01-01T00:00:00Z', '2031-01-01T00:00:00Z']) {
    const { finding, validUntil, trustedTime } = await check({
      attributes: certified(time),
      now: '2040-01-01T00:00:00Z',
      requirement: always,
    });
    t.match(finding, { outcome: 'passed' });
    t.equal(validUntil, undefined, 'it does not end');
    t.strictSame(trustedTime, { earliest: new Date(time), latest: new Date(time) });
  }
  for (const time of ['2028-12-31T23:59:59Z', '2031-01-01T00:00:01Z']) {
    const { finding, trustedTime } = await check({ attributes: certified(time) });
    t.match(finding, { outcome: 'failed', reason: 'certificate-expired' });
    t.equal(trustedTime, undefined);
  }
});

t.test('a token is asked for always, or after a certificate has expired', async (t) => {
  const timestampToken = tokenOf();
  const lastSecond = '2031-01-01T00:00:00Z';
  const expired = '2031-01-01T00:00:00.001Z';
  const early = '2028-12-31T00:00:00Z';
  const finding = async (question: Question) => (await check(question)).finding;
  const byToken = { outcome: 'passed', evidence: { timestampAuthority: /clock time stamping/ } };
  const byNow = { outcome: 'passed', evidence: { certificatesValidUntil: /2031/ } };
  t.match(await finding({ requirement: always, timestampToken }), byToken);
  t.match(await finding({ requirement: afterExpiry, timestampToken }), byNow);
  t.match(await finding({ requirement: afterExpiry, timestampToken, now: lastSecond }), byNow);
  t.match(await finding({ requirement: afterExpiry, timestampToken, now: expired }), byToken);
  t.match(await finding({ requirement: always, timestampToken, now: expired }), byToken);
  t.match(await finding({ requirement: always, timestampToken, now: early }), byToken);
  t.match(await finding({ requirement: afterExpiry }), byNow);
  t.match(await finding({ requirement: afterExpiry, timestampToken, now: early }), {
    outcome: 'failed',
    reason: 'certificate-expired',
    because: /not valid now/,
  });
});

t.test('what is missing or broken fails, by the reason that a certificate gives', async (t) => {
  for (const timestampToken of [undefined, Uint8Array.of(1), tokenOf({ certificates: 'absent' })]) {
    const asked = { requirement: always, ...(timestampToken !== undefined && { timestampToken }) };
    const { finding } = await check(asked);
    t.match(finding, { outcome: 'failed', reason: 'timestamp-unproven' });
    const late = await check({ ...asked, now: '2032-01-01T00:00:00Z' });
    t.match(late.finding, { outcome: 'failed', reason: 'certificate-expired' });
    t.equal(late.trustedTime, undefined);
  }
});

t.test('a token that nobody asks for is no ground to pass', async (t) => {
  const { finding } = await check({ now: '2032-01-01T00:00:00Z', timestampToken: tokenOf() });
  t.match(finding, { outcome: 'failed', reason: 'certificate-expired' });
});

t.test('all of the time that a token allows for is within the validity', async (t) => {
  const at = async (genTime: string) =>
    check({ requirement: always, timestampToken: tokenOf({ genTime }) });
  for (const inside of ['20290101000001Z', '20301231235959Z']) {
    t.match(await at(inside), { finding: { outcome: 'passed' } }, inside);
  }
  for (const outside of [
    '20290101000000Z',
    '20290101000000.999Z',
    '20301231235959.1Z',
    '20310101000000Z',
  ]) {
    const { finding, trustedTime } = await at(outside);
    t.match(finding, { outcome: 'failed', reason: 'certificate-expired', because: /in all of/ });
    t.equal(trustedTime, undefined);
  }
});

/** Answers by the certificate's place in the chain of the authority. */
function sourceOf(statuses: readonly RevocationStatus[]): RevocationSource & { asked: string[] } {
  const asked: string[] = [];
  return {
    asked,
    async statusOf(certificate, issuer) {
      const place = authority.certificates.findIndex(
        ({ fingerprint }) => fingerprint === certificate.fingerprint,
      );
      asked.push(`${certificate.subject.text} by ${issuer.subject.text}`);
      return statuses[place] ?? { kind: 'unknown', because: 'not in the chain' };
    },
  };
}

const good = (until: string): RevocationStatus => ({
  kind: 'good',
  source: 'http://clock.example/',
  validUntil: new Date(until),
});
const revoked: RevocationStatus = {
  kind: 'revoked',
  source: 'http://clock.example/',
  revokedAt: new Date('2030-06-01T00:00:00Z'),
  invalidityDate: new Date('2030-06-01T00:00:00Z'),
  reason: 'superseded',
  validUntil: new Date('2040-01-01T00:00:00Z'),
};
const notRevocable: RevocationStatus = { kind: 'not-revocable' };
const unknown: RevocationStatus = { kind: 'unknown', because: 'it hangs' };

t.test('the chain of the authority is asked about, all but its root', async (t) => {
  const revocation = sourceOf([good('2035-01-01T00:00:00Z'), good('2033-01-01T00:00:00Z')]);
  const { finding, validUntil, trustedTime } = await check({
    requirement: always,
    timestampToken: tokenOf(),
    revocation,
  });
  t.match(finding, { outcome: 'passed' });
  t.same(validUntil, new Date('2033-01-01T00:00:00Z'), 'and not the end of a certificate');
  t.strictSame(trustedTime, {
    earliest: new Date('2029-12-31T23:59:59Z'),
    latest: new Date('2030-01-01T00:00:01Z'),
  });
  t.equal(revocation.asked.length, 2);
  t.match(revocation.asked[0], /^CN=clock time stamping,.* by CN=clock intermediate/);
  t.match(revocation.asked[1], /^CN=clock intermediate.* by CN=clock root/);
  const without = sourceOf([notRevocable, notRevocable]);
  const plain = await check({
    requirement: always,
    timestampToken: tokenOf(),
    revocation: without,
  });
  t.equal(plain.validUntil, undefined);
});

t.test('who is revoked fails, and who is not known of is inconclusive', async (t) => {
  const ask = async (...statuses: readonly RevocationStatus[]) =>
    check({ requirement: always, timestampToken: tokenOf(), revocation: sourceOf(statuses) });
  for (const statuses of [
    [revoked, notRevocable],
    [notRevocable, revoked],
  ]) {
    const { finding, trustedTime, validUntil } = await ask(...statuses);
    t.match(finding, {
      outcome: 'failed',
      reason: 'certificate-revoked',
      because: /^of the timestamp's authority: certificate "CN=clock/,
    });
    t.equal(trustedTime, undefined);
    t.equal(validUntil, undefined);
  }
  for (const statuses of [
    [unknown, notRevocable],
    [notRevocable, unknown],
  ]) {
    const { finding, trustedTime } = await ask(...statuses);
    t.match(finding, {
      outcome: 'inconclusive',
      reason: 'revocation-unknown',
      because: /^of the timestamp's authority: .*it hangs/,
    });
    t.equal(trustedTime, undefined);
  }
});

t.test('nobody is asked about a timestamp that proves nothing', async (t) => {
  const revocation = sourceOf([unknown, unknown]);
  const timestampToken = tokenOf({ genTime: '20310101000000Z' });
  await check({ requirement: always, timestampToken, revocation });
  await check({
    requirement: always,
    timestampToken: tokenOf(),
    revocation,
    stores: { 'tsa:clock': [] },
  });
  t.strictSame(revocation.asked, []);
});

t.test(
  'what is proven ends with the first certificate to expire, wherever it stands',
  async (t) => {
    const end = { notAfter: '2030-06-01T00:00:00Z' };
    for (const options of [{ leaf: end }, { intermediate: { 0: end } }, { root: end }]) {
      const ders = makeChain(options).ders.map(readCertificate);
      const { validUntil } = await check({ chain: ders as unknown as CertificateChain });
      t.same(validUntil, new Date(end.notAfter));
    }
  },
);
