import t from 'tap';
import { examineNotation } from '../../../../src/formats/notation/examination.ts';
import { readJwsEnvelope } from '../../../../src/formats/notation-jws.ts';
import type { RevocationStatus } from '../../../../src/trust/revocation-source.ts';
import type { NotationRequirement } from '../../../../src/verdict/identity-requirement.ts';
import { buildImage } from '../../../support/build-image.ts';
import { makeCase } from '../../../support/notation-case.ts';
import { runSteps } from '../../../support/run-steps.ts';
import { type NotationOverrides, notationSignature } from '../../../support/sign-notation.ts';
import { makeChain } from '../../../support/test-ca.ts';

const image = buildImage();
const authority: NotationOverrides = {
  scheme: 'notary.x509.signingAuthority',
  signingTime: '2029-01-01T00:00:00Z',
};
const superseded: RevocationStatus = {
  kind: 'revoked',
  source: 'OCSP',
  revokedAt: new Date('2029-06-01T00:00:00Z'),
  reason: 'superseded',
  validUntil: new Date('2030-02-01T00:00:00Z'),
};
const later: RevocationStatus = { ...superseded, invalidityDate: new Date('2029-05-01T00:00:00Z') };

async function examine(
  status: RevocationStatus,
  overrides: NotationOverrides = {},
  requirement: Partial<NotationRequirement> = {},
) {
  const { envelope, chain } = notationSignature({
    of: image.descriptor,
    format: 'jws',
    ...overrides,
  });
  const type = overrides.scheme === undefined ? 'ca' : 'signingAuthority';
  const made = makeCase({
    of: image.descriptor,
    chain,
    requirement: { trustStores: [`${type}:acme`], ...requirement },
    stores: { [`${type}:acme`]: [makeChain().root.der] },
  });
  let asked = 0;
  const revocation = {
    statusOf: async (): Promise<RevocationStatus> => {
      asked += 1;
      return asked === 1 ? status : { kind: 'not-revocable' };
    },
  };
  const context = { ...made.context, revocation };
  const of = { untrustedEnvelope: envelope, read: readJwsEnvelope, ...made, context };
  const run = await runSteps(examineNotation(of));
  return { outcome: run.outcomes['revocation'], finding: run.findings['revocation'], asked, run };
}

t.test("an authority's time counts against the invalidity date, as notation has it", async (t) => {
  const { outcome, run } = await examine(later, authority);
  t.equal(outcome, 'passed');
  t.same(run.proven.validUntil, superseded.validUntil, 'as long as the responder says so');
  t.equal((await examine(superseded, authority)).outcome, 'failed');
});

t.test('by the policy, a proven time counts against later revocations too', async (t) => {
  const policy = { revocationTime: 'signing-time' } as const;
  t.equal((await examine(superseded, authority, policy)).outcome, 'passed');
  const compromised = { ...superseded, reason: 'keyCompromise' };
  t.equal((await examine(compromised, authority, policy)).outcome, 'failed');
});

t.test('a time that nobody but the signer states counts for nothing', async (t) => {
  const claimed = { signingTime: '2029-01-01T00:00:00Z' };
  for (const revocationTime of ['now', 'signing-time'] as const) {
    t.equal((await examine(later, claimed, { revocationTime })).outcome, 'failed');
  }
});

t.test('nobody is asked about a signer of no trust store', async (t) => {
  const stranger = { chain: makeChain({ authority: 'stranger' }) };
  const { finding, asked } = await examine(superseded, stranger, {
    level: 'audit',
    enforcement: {
      authenticity: 'log',
      authenticTimestamp: 'log',
      expiry: 'log',
      revocation: 'log',
    },
  });
  t.match(finding, { outcome: 'inconclusive', because: /no trust store/ });
  t.equal(asked, 0);
});
