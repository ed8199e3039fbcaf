import t from 'tap';
import { checkTimestamps } from '../../../../src/formats/sigstore/timestamps.ts';
import { timestampResponse, timestampToken } from '../../../support/sign-timestamp.ts';
import type { BundlePlan, TimestampPlan } from '../../../support/sigstore-bundle.ts';
import {
  assertSigstoreMutations,
  runBundle,
  type SigstoreMutation,
  type SigstoreMutations,
} from '../../../support/sigstore-case.ts';
import { makeAuthority, timeStamping } from '../../../support/test-authority.ts';
import { makeChain } from '../../../support/test-ca.ts';
import { authorityEntry } from '../../../support/trusted-root.ts';

const at = 'timestamps';
const with1 = (timestamp: TimestampPlan): BundlePlan => ({ timestamps: [timestamp] });
const asked = { requirement: { minTimestamps: 1 } } as const;
const unproven = { at, reason: 'timestamp-unproven', ...asked } as const;
const sundial = makeAuthority({ authority: 'sundial' });
const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');
const ownLeaf = base64(makeAuthority().leaf.der);
const [, ...issuers] = makeAuthority().ders.map(base64);
/** A root that names the authority's own certificate, and not its issuers alone. */
const named = (leaf: string, overrides: object = {}) => ({
  timestampAuthorities: [
    authorityEntry('clock', {
      certChain: { certificates: [leaf, ...issuers].map((rawBytes) => ({ rawBytes })) },
      ...overrides,
    }),
  ],
});
const issuersOf = (chain: { readonly ders: readonly Uint8Array[] }) =>
  chain.ders.slice(1).map((der) => ({ rawBytes: base64(der) }));
const nextIssuer = makeAuthority({
  intermediate: { 0: { subject: 'C=US, O=clock, CN=clock issuer 2', key: 'EC-384' } },
});
const endedIssuer = makeAuthority({ intermediate: { 0: { notAfter: '2029-01-01T00:00:00Z' } } });
const another = makeAuthority({ leaf: { subject: 'C=US, O=clock, CN=another' } });

/** What the signer of a timestamp, or its chain, may not be (the ninth of the fifteen). */
const faulty: Readonly<Record<string, readonly [Parameters<typeof makeAuthority>[0], RegExp]>> = {
  'without a purpose': [{ leaf: { extendedKeyUsage: 'absent' } }, /no extended key usage/],
  'with more than one purpose': [
    {
      leaf: { extendedKeyUsage: { purposes: [timeStamping, '1.3.6.1.5.5.7.3.3'], critical: true } },
    },
    /not timeStamping alone/,
  ],
  'with a purpose that is not critical': [
    { leaf: { extendedKeyUsage: { purposes: [timeStamping] } } },
    /not critical/,
  ],
  'that was not valid yet': [{ leaf: { notBefore: '2030-01-01T00:00:03Z' } }, /is valid from/],
  'that had ended': [{ leaf: { notAfter: '2030-01-01T00:00:01Z' } }, /is valid from/],
  'that is a CA': [{ leaf: { basicConstraints: { isCa: true } } }, /it is a CA/],
  'of a stranger': [{ authority: 'stranger' }, /no trusted authority issued/],
};

assertSigstoreMutations(t, {
  'no timestamp where one is asked for': {
    ...unproven,
    because: /^0 of 1 authorities/,
  },
  'a timestamp over something else': {
    ...unproven,
    plan: with1({ over: Buffer.from('other') }),
    because: /over other bytes/,
  },
  'a timestamp whose signature is wrong': {
    ...unproven,
    plan: with1({
      signature: (bytes) => bytes.map((byte, index) => (index === 9 ? byte ^ 1 : byte)),
    }),
    because: /signature/,
  },
  'a timestamp that was refused': {
    ...unproven,
    plan: {
      bundle: (b) => withTimestamp(b, timestampResponse(undefined, 2)),
    },
    because: /did not grant it \(status 2\)/,
  },
  'a timestamp without the answer around it': {
    ...unproven,
    plan: { bundle: (b) => withTimestamp(b, timestampToken(Buffer.from('x'))) },
    because: /not a timestamp response/,
  },
  'a timestamp that names another certificate of its bag': {
    ...unproven,
    plan: with1({ ess: { of: makeChain().leaf.der } }),
    because: /certificate is not there/,
  },
  'two timestamps of one operator where two are asked for': {
    ...unproven,
    requirement: { minTimestamps: 2 },
    plan: { timestamps: [{}, { genTime: '20300101000003Z' }] },
    because: /^1 of 2 authorities/,
  },
  'two timestamps of authorities that one operator runs': {
    ...unproven,
    requirement: { minTimestamps: 2 },
    root: {
      timestampAuthorities: [
        authorityEntry('clock', { operator: 'one' }),
        authorityEntry('sundial', { operator: 'one' }),
      ],
    },
    plan: { timestamps: [{}, { authority: sundial }] },
    because: /^1 of 2 authorities/,
  },
  'a timestamp at a time at which the root does not trust its authority': {
    ...unproven,
    plan: with1({}),
    root: {
      timestampAuthorities: [
        authorityEntry('clock', {
          validFor: { start: '2021-01-01T00:00:00Z', end: '2030-01-01T00:00:01Z' },
        }),
      ],
    },
    because: /clock.test" is not trusted at 2030-01-01T00:00:02/,
  },
  'a timestamp by another certificate than the one that the root names': {
    ...unproven,
    plan: with1({ authority: another }),
    root: named(ownLeaf),
    because: /not the one that the root names/,
  },
  'a timestamp by another issuer under the anchor than the root names': {
    ...unproven,
    plan: with1({}),
    root: {
      timestampAuthorities: [
        authorityEntry('clock', { certChain: { certificates: issuersOf(nextIssuer) } }),
      ],
    },
    because: /not the one that the root names, nor by it/,
  },
  'a timestamp by an authority whose issuer had ended': {
    ...unproven,
    plan: with1({ authority: endedIssuer }),
    root: {
      timestampAuthorities: [
        authorityEntry('clock', {
          certChain: {
            certificates: endedIssuer.ders.slice(1).map((der) => ({ rawBytes: base64(der) })),
          },
        }),
      ],
    },
    because: /is valid from .* to 2029/,
  },
  'a timestamp where the root has no authority': {
    ...unproven,
    plan: with1({}),
    root: { timestampAuthorities: [] },
    because: /no timestamp authority/,
  },
  'a timestamp that is there twice': {
    at,
    plan: {
      timestamps: [{}],
      bundle: (b) => {
        const material = b.verificationMaterial;
        const { rfc3161Timestamps } = material['timestampVerificationData'] as {
          readonly rfc3161Timestamps: readonly unknown[];
        };
        const twice = { rfc3161Timestamps: [...rfc3161Timestamps, ...rfc3161Timestamps] };
        return { ...b, verificationMaterial: { ...material, timestampVerificationData: twice } };
      },
    },
    because: /timestamp 2 is there twice/,
  },
  ...Object.fromEntries(
    Object.entries(faulty).map(([what, [options, because]]): [string, SigstoreMutation] => [
      `a timestamp by an authority ${what}`,
      { ...unproven, plan: with1({ authority: makeAuthority(options) }), because },
    ]),
  ),
} satisfies SigstoreMutations);

function withTimestamp(
  bundle: { readonly verificationMaterial: object },
  response: Uint8Array,
): unknown {
  const timestampVerificationData = { rfc3161Timestamps: [{ signedTimestamp: base64(response) }] };
  const verificationMaterial = { ...bundle.verificationMaterial, timestampVerificationData };
  return { ...bundle, verificationMaterial };
}

const sound: Readonly<Record<string, Omit<SigstoreMutation, 'at' | 'because'>>> = {
  'by the certificate that the root names': { plan: with1({}), root: named(ownLeaf) },
  'without certificates, by the one that the root names': {
    plan: with1({ certificates: 'absent' }),
    root: named(ownLeaf),
  },
  'by an RSA key': { plan: with1({ authority: makeAuthority({ algorithm: 'PS256' }) }) },
  'in BER': { plan: with1({ encoding: 'ber' }) },
  'on the last second of its authority in the root': {
    plan: with1({}),
    root: named(ownLeaf, {
      validFor: { start: '2030-01-01T00:00:02Z', end: '2030-01-01T00:00:02Z' },
    }),
  },
};

for (const [what, options] of Object.entries(sound)) {
  t.test(`a timestamp ${what} counts`, async (t) => {
    const { stoppedBy, findings } = await runBundle(options.plan, { ...asked, ...options });
    t.equal(stoppedBy, undefined, JSON.stringify(findings));
  });
}

t.test('without a root nothing counts, and nothing is asked for', async (t) => {
  const envelope = {
    content: { kind: 'simple-signing', payload: Buffer.from('') },
    signature: Buffer.from(''),
    verifier: { kind: 'public-key' },
    logEntries: [],
    timestamps: [Buffer.from('a')],
    timestamped: Buffer.from(''),
  } as const;
  t.match(checkTimestamps(envelope, undefined, 0), {
    finding: { outcome: 'passed' },
    witnesses: [],
  });
});
