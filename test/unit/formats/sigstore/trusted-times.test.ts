import t from 'tap';
import { findTrustedTimes } from '../../../../src/formats/sigstore/trusted-times.ts';
import type { Witness } from '../../../../src/formats/sigstore/witness.ts';
import {
  assertSigstoreMutations,
  runBundle,
  type SigstoreMutations,
  trustedKey,
} from '../../../support/sigstore-case.ts';

const at = 'trusted-time';
const unproven = { at, reason: 'timestamp-unproven' } as const;
const keyFrom = (from: string, until: string) => {
  const window = { validFrom: new Date(from), validUntil: new Date(until) };
  return { signer: { kind: 'keys', keys: [trustedKey('EC-256', window)] } } as const;
};
const before = keyFrom('2029-01-01T00:00:00Z', '2030-01-01T00:00:00Z');
const after = keyFrom('2030-01-01T00:00:02Z', '2031-01-01T00:00:00Z');
const byKey = { key: 'EC-256' } as const;

t.test('clocks may differ by five minutes', async (t) => {
  const { stoppedBy } = await runBundle(byKey, { now: '2029-12-31T23:55:01Z' });
  t.equal(stoppedBy, undefined);
});

// The twelfth of the fifteen: no time with a certificate is a failure that says so, never now.
assertSigstoreMutations(t, {
  'a certificate in a log of Rekor v2 alone': {
    ...unproven,
    plan: { entries: [{ rekor: 'v2' }] },
    because: /nobody knows whether its certificate is valid/,
  },
  'a certificate with neither log nor timestamp, which is valid now': {
    ...unproven,
    plan: { entries: [] },
    requirement: { minLogs: 0 },
    now: '2030-01-01T00:05:00Z',
    because: /nobody knows whether its certificate is valid/,
  },
  'a certificate in a log that promises nothing': {
    ...unproven,
    plan: { entries: [{ entry: (entry) => ({ ...entry, inclusionPromise: undefined }) }] },
    because: /no trusted log or authority says when/,
  },
  'a key in a log that states no time': {
    ...unproven,
    plan: { ...byKey, entries: [{ rekor: 'v2' }] },
    because: /no trusted log or authority says when/,
  },
  'a log that took it in at a time that is yet to come': {
    ...unproven,
    plan: byKey,
    now: '2029-12-31T23:54:59Z',
    because: /^"rekor.example.test" #1007 says 2030-01-01T00:00:01.000Z, which is yet to come$/,
  },
  'an authority that saw it at a time that is yet to come': {
    ...unproven,
    plan: { entries: [], timestamps: [{}] },
    requirement: { minLogs: 0, minTimestamps: 1 },
    now: '2029-12-31T23:54:59Z',
    because: /clock.test" says 2030-01-01T00:00:02.000Z, which is yet to come/,
  },
  'a key that had ended when it signed': {
    ...unproven,
    plan: byKey,
    requirement: before,
    because: /0 of 1 transparency logs took it in while the key "EC-256.pub" was valid/,
  },
  'a key that was not valid yet when it signed': {
    ...unproven,
    plan: byKey,
    requirement: after,
    because: /0 of 1 transparency logs/,
  },
  'a key whose timestamp is outside its time': {
    ...unproven,
    plan: { ...byKey, entries: [], timestamps: [{}] },
    requirement: {
      ...keyFrom('2029-01-01T00:00:00Z', '2030-01-01T00:00:01Z'),
      minLogs: 0,
      minTimestamps: 1,
    },
    because: /0 of 1 authorities saw it while the key/,
  },
  'a key without a time that has ended now': {
    at,
    reason: 'certificate-expired',
    plan: { ...byKey, entries: [] },
    requirement: { ...before, minLogs: 0, root: undefined },
    because: /the key "EC-256.pub" is not valid now, and no time is proven/,
  },
  'a key without a time that is not valid yet': {
    at,
    reason: 'certificate-expired',
    plan: { ...byKey, entries: [] },
    requirement: { ...after, minLogs: 0, root: undefined },
    now: '2030-01-01T00:00:01Z',
    because: /not valid now/,
  },
} satisfies SigstoreMutations);

t.test('both ends of the time of a key are part of it', async (t) => {
  const instant = '2030-01-01T00:00:01Z';
  const requirement = keyFrom(instant, instant);
  t.equal((await runBundle(byKey, { requirement })).stoppedBy, undefined);
  const now = { ...requirement, minLogs: 0, root: undefined };
  const plan = { ...byKey, entries: [] };
  t.equal((await runBundle(plan, { requirement: now, now: instant })).stoppedBy, undefined);
});

const witness = (operator: string, iso: string, accuracyMs = 0): Witness => {
  const instant = new Date(iso);
  const [earliest, latest] = [-accuracyMs, accuracyMs].map(
    (ms) => new Date(instant.getTime() + ms),
  );
  if (earliest === undefined || latest === undefined) throw new TypeError('two times');
  return { name: operator, operator, instant, time: { earliest, latest } };
};

t.test('all the times are told, and the one that says the most is the trusted one', async (t) => {
  const { times, trustedTime } = findTrustedTimes({
    by: { kind: 'certificate' },
    logs: [witness('log', '2030-01-01T00:00:01Z'), { name: 'v2', operator: 'v2' }],
    timestamps: [witness('tsa', '2030-01-01T00:00:00Z', 5000)],
    requirement: { minLogs: 1, minTimestamps: 0 },
    now: new Date('2031-01-01T00:00:00Z'),
  });
  t.strictSame(times, [new Date('2030-01-01T00:00:01Z'), new Date('2030-01-01T00:00:00Z')]);
  t.strictSame(trustedTime?.latest, new Date('2030-01-01T00:00:01Z'));
});
