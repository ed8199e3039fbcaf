import t from 'tap';
import { readCertificate } from '../../../../src/crypto/certificate.ts';
import {
  checkAuthenticTimestamp,
  type TimestampInput,
} from '../../../../src/formats/notation/authentic-timestamp.ts';
import type { CertificateChain } from '../../../../src/formats/notation/certificate-chain.ts';
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

const check = (input: Partial<Omit<TimestampInput, 'now'>> & { now?: string } = {}) =>
  checkAuthenticTimestamp({
    chain,
    attributes: claimed,
    timestampToken: undefined,
    requirement: { trustStores: ['ca:acme'], verifyTimestamp: 'always' },
    ...input,
    now: new Date(input.now ?? '2030-01-01T00:00:00Z'),
  });

const always = { trustStores: ['ca:acme', 'tsa:acme'], verifyTimestamp: 'always' } as const;
const afterExpiry = { ...always, verifyTimestamp: 'afterCertExpiry' } as const;

t.test('certificates are valid from their first second to their last', async (t) => {
  for (const now of ['2029-01-01T00:00:00Z', '2031-01-01T00:00:00Z']) {
    t.strictSame(check({ now }), {
      finding: {
        outcome: 'passed',
        evidence: { certificatesValidUntil: '2031-01-01T00:00:00.000Z' },
      },
      validUntil: new Date('2031-01-01T00:00:00Z'),
    });
  }
  for (const now of ['2028-12-31T23:59:59.999Z', '2031-01-01T00:00:00.001Z']) {
    const { finding, validUntil } = check({ now });
    t.match(finding, { outcome: 'failed', reason: 'certificate-expired' });
    t.equal(validUntil, undefined);
  }
});

t.test("an authority's time counts in place of now", async (t) => {
  for (const time of ['2029-01-01T00:00:00Z', '2031-01-01T00:00:00Z']) {
    const { finding, validUntil } = check({
      attributes: certified(time),
      now: '2040-01-01T00:00:00Z',
      requirement: always,
    });
    t.match(finding, { outcome: 'passed' });
    t.equal(validUntil, undefined, 'it does not end');
  }
  for (const time of ['2028-12-31T23:59:59Z', '2031-01-01T00:00:01Z']) {
    const { finding } = check({ attributes: certified(time) });
    t.match(finding, { outcome: 'failed', reason: 'certificate-expired' });
  }
});

t.test('a token is asked for always, or after a certificate has expired', async (t) => {
  const timestampToken = Uint8Array.of(1);
  const expired = '2032-01-01T00:00:00Z';
  const early = '2028-01-01T00:00:00Z';
  t.match(check({ requirement: afterExpiry }).finding, { outcome: 'passed' });
  t.match(check({ requirement: afterExpiry, timestampToken }).finding, { outcome: 'passed' });
  const lastSecond = '2031-01-01T00:00:00Z';
  t.match(check({ requirement: afterExpiry, now: lastSecond }).finding, { outcome: 'passed' });
  t.match(check({ requirement: always }).finding, {
    outcome: 'failed',
    reason: 'timestamp-unproven',
  });
  t.match(check({ requirement: always, timestampToken }).finding, {
    outcome: 'inconclusive',
    reason: 'timestamp-unproven',
  });
  for (const requirement of [always, afterExpiry]) {
    t.match(check({ requirement, now: expired }).finding, {
      outcome: 'failed',
      reason: 'certificate-expired',
    });
    t.match(check({ requirement, now: expired, timestampToken }).finding, {
      outcome: 'inconclusive',
      reason: 'certificate-expired',
    });
  }
  t.match(check({ requirement: afterExpiry, now: early, timestampToken }).finding, {
    outcome: 'failed',
    reason: 'certificate-expired',
  });
});

t.test('a token that nobody asks for is no ground to pass', async (t) => {
  const { finding } = check({ now: '2032-01-01T00:00:00Z', timestampToken: Uint8Array.of(1) });
  t.match(finding, { outcome: 'failed', reason: 'certificate-expired' });
});

t.test(
  'what is proven ends with the first certificate to expire, wherever it stands',
  async (t) => {
    const end = { notAfter: '2030-06-01T00:00:00Z' };
    for (const options of [{ leaf: end }, { intermediate: { 0: end } }, { root: end }]) {
      const ders = makeChain(options).ders.map(readCertificate);
      const { validUntil } = check({ chain: ders as unknown as CertificateChain });
      t.same(validUntil, new Date(end.notAfter));
    }
  },
);
