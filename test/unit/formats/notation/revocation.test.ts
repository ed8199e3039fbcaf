import t from 'tap';
import { readCertificate } from '../../../../src/crypto/certificate.ts';
import type { Certificate } from '../../../../src/crypto/x509.ts';
import type { CertificateChain } from '../../../../src/formats/notation/certificate-chain.ts';
import { checkRevocation, type SignedBefore } from '../../../../src/formats/notation/revocation.ts';
import type {
  RevocationSource,
  RevocationStatus,
} from '../../../../src/trust/revocation-source.ts';
import { type ChainOptions, makeChain } from '../../../support/test-ca.ts';

type Statuses = Readonly<Record<string, RevocationStatus>>;

/** Says of each certificate what stands behind the end of its name. */
function sourceOf(statuses: Statuses): RevocationSource & { readonly asked: string[] } {
  const asked: string[] = [];
  return {
    asked,
    async statusOf({ subject, issuer }: Certificate, by: Certificate) {
      const name = subject.text;
      asked.push(name);
      if (issuer.text !== by.subject.text) throw new TypeError('asked with another issuer');
      const found = Object.entries(statuses).find(([end]) => name.includes(`CN=acme ${end}`));
      return found?.[1] ?? { kind: 'not-revocable' };
    },
  };
}

const { signal } = new AbortController();
const check = (statuses: Statuses, options: ChainOptions = {}, before?: SignedBefore) => {
  const chain = makeChain(options).ders.map(readCertificate) as unknown as CertificateChain;
  return checkRevocation(chain, sourceOf(statuses), signal, before);
};

const day = (text: string): Date => new Date(`${text}T00:00:00Z`);
const good = (until: string): RevocationStatus => ({
  kind: 'good',
  source: 'OCSP',
  validUntil: day(until),
});
const revoked = (more: object = {}): RevocationStatus => ({
  kind: 'revoked',
  source: 'OCSP',
  revokedAt: day('2029-06-01'),
  validUntil: day('2030-02-01'),
  ...more,
});
const unknown: RevocationStatus = { kind: 'unknown', because: 'nobody answers' };

t.test('certificates that can not be revoked pass, and none is asked about the root', async (t) => {
  t.match(await check({}), { finding: { outcome: 'passed', evidence: { sources: 'none named' } } });
  const source = sourceOf({});
  const chain = makeChain({ intermediates: 2 }).ders.map(readCertificate);
  await checkRevocation(chain as unknown as CertificateChain, source, signal);
  t.match(source.asked, [/release/, /intermediate 0/, /intermediate 1/]);
  t.match(await check({ release: revoked() }, { selfSigned: true }), {
    finding: { outcome: 'passed' },
  });
});

t.test('what passes holds until the first of its grounds ends', async (t) => {
  const result = await check({ release: good('2030-03-01'), intermediate: good('2030-02-01') });
  t.match(result, {
    finding: { outcome: 'passed', evidence: { sources: 'OCSP, OCSP' } },
    validUntil: day('2030-02-01'),
  });
  const one = await check({ release: good('2030-03-01') });
  t.same(one.validUntil, day('2030-03-01'));
});

t.test('one that is revoked, wherever in the chain, fails', async (t) => {
  const failed = { outcome: 'failed', reason: 'certificate-revoked' };
  t.match(await check({ release: revoked({ reason: 'superseded' }) }), {
    finding: { ...failed, because: /release.*2029-06-01.*superseded \(OCSP\)/ },
    validUntil: undefined,
  });
  t.match(await check({ release: good('2030-03-01'), intermediate: revoked() }), {
    finding: { ...failed, because: /intermediate 0/ },
  });
  t.match(await check({ release: unknown, intermediate: revoked() }), { finding: failed });
});

t.test('one that nobody knows of leaves it open', async (t) => {
  t.match(await check({ release: good('2030-03-01'), intermediate: unknown }), {
    finding: { outcome: 'inconclusive', reason: 'revocation-unknown', because: 'nobody answers' },
  });
});

const at = (latest: string, forgives: SignedBefore['forgives']): SignedBefore => ({
  signedAt: { earliest: day('2020-01-01'), latest: day(latest) },
  forgives,
});

interface Row {
  readonly status: object;
  readonly before?: SignedBefore;
  readonly passes: boolean;
}

/** Revoked on 1 June 2029. */
const rows: Readonly<Record<string, Row>> = {
  'without a proven time': { status: { reason: 'superseded' }, passes: false },
  'superseded, signed before': {
    status: { reason: 'superseded' },
    before: at('2029-05-31', 'later-revocation'),
    passes: true,
  },
  'superseded, signed at that time': {
    status: { reason: 'superseded' },
    before: at('2029-06-01', 'later-revocation'),
    passes: false,
  },
  'superseded, signed before, where only an invalidity date counts': {
    status: { reason: 'superseded' },
    before: at('2029-05-31', 'invalidity-date'),
    passes: false,
  },
  'for no stated reason': {
    status: {},
    before: at('2020-05-31', 'later-revocation'),
    passes: false,
  },
  'signed before the invalidity date': {
    status: { reason: 'keyCompromise', invalidityDate: day('2029-03-01') },
    before: at('2029-02-28', 'invalidity-date'),
    passes: true,
  },
  'signed at the invalidity date': {
    status: { reason: 'keyCompromise', invalidityDate: day('2029-03-01') },
    before: at('2029-03-01', 'invalidity-date'),
    passes: false,
  },
  'signed after the revocation, before a later invalidity date': {
    status: { reason: 'keyCompromise', invalidityDate: day('2029-08-01') },
    before: at('2029-07-01', 'invalidity-date'),
    passes: false,
  },
  'signed between the invalidity date and the revocation': {
    status: { reason: 'superseded', invalidityDate: day('2029-03-01') },
    before: at('2029-04-01', 'later-revocation'),
    passes: false,
  },
};

for (const [title, { status, before, passes }] of Object.entries(rows)) {
  t.test(`revoked, ${title}: ${passes ? 'passes' : 'fails'}`, async (t) => {
    const result = await check({ release: revoked(status) }, {}, before);
    t.equal(result.finding.outcome, passes ? 'passed' : 'failed');
    if (!passes) return;
    t.match(result.finding, { evidence: { revokedAfterSigning: /release.*2029-06-01/ } });
    t.same(result.validUntil, day('2030-02-01'), 'the list may say more tomorrow');
  });
}

t.test(
  'no reason that casts doubt on the time before is forgiven for the time alone',
  async (t) => {
    const before = at('2029-05-31', 'later-revocation');
    const outcome = async (reason: string): Promise<string> =>
      (await check({ release: revoked({ reason }) }, {}, before)).finding.outcome;
    const doubtful = [
      'unspecified',
      'keyCompromise',
      'cACompromise',
      'aACompromise',
      'certificateHold',
      'privilegeWithdrawn',
    ];
    for (const reason of doubtful) t.equal(await outcome(reason), 'failed', reason);
    for (const reason of ['affiliationChanged', 'cessationOfOperation']) {
      t.equal(await outcome(reason), 'passed', reason);
    }
  },
);

t.test(
  'the evidence says of each certificate what became of it after it signed, and why',
  async (t) => {
    const invalid = { invalidityDate: day('2029-03-01'), reason: 'keyCompromise' };
    const before = at('2029-02-28', 'invalidity-date');
    const names = { release: revoked(invalid), intermediate: good('2030-03-01') };
    t.strictSame((await check(names, {}, before)).finding, {
      outcome: 'passed',
      evidence: {
        sources: 'OCSP, OCSP',
        revokedAfterSigning:
          '"CN=acme release,O=acme,ST=WA,C=US" was revoked at 2029-06-01T00:00:00.000Z, keyCompromise, invalid since 2029-03-01T00:00:00.000Z (OCSP)',
      },
    });
    t.strictSame((await check({ release: good('2030-03-01') }, {}, before)).finding, {
      outcome: 'passed',
      evidence: { sources: 'OCSP' },
    });
  },
);

t.test('a refusal adds no reason and no date that the issuer did not give', async (t) => {
  t.strictSame((await check({ release: revoked() })).finding, {
    outcome: 'failed',
    reason: 'certificate-revoked',
    because:
      'certificate "CN=acme release,O=acme,ST=WA,C=US" was revoked at 2029-06-01T00:00:00.000Z (OCSP)',
  });
});
