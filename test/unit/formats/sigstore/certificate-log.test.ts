import t from 'tap';
import { spkiOf, testKey } from '../../../support/test-keys.ts';
import { sctExtension, type SctPlan } from '../../../support/fulcio-certificate.ts';
import {
  assertSigstoreMutations,
  type SigstoreMutation,
  type SigstoreMutations,
} from '../../../support/sigstore-case.ts';
import { logEntry } from '../../../support/trusted-root.ts';

const at = 'certificate-log';
const unproven = { at, reason: 'log-unproven' } as const;
const none = /^0 of 1 certificate transparency logs have its certificate, by 1 promises/;
const withLogs = (...ctlogs: readonly ReturnType<typeof logEntry>[]) => ({ root: { ctlogs } });
const window = (validFor: object) =>
  withLogs(
    logEntry('ctfe', { publicKey: { ...(logEntry('ctfe')['publicKey'] as object), validFor } }),
  );

const wrong: Readonly<Record<string, SctPlan>> = {
  'of a log that nobody knows': { log: 'stranger' },
  'that is bound to another issuer': { issuerSpki: spkiOf(testKey('EC-256', 'stranger')) },
  'over the certificate as it is': { detached: true },
  'before the log was trusted': { timeMs: Date.parse('2020-01-01T00:00:00Z') },
};

assertSigstoreMutations(t, {
  'a certificate without promises': {
    ...unproven,
    plan: { certificate: { scts: [] } },
    because: /^0 of 1 .* by 0 promises/,
  },
  'a promise of a log that was not trusted any more': {
    ...unproven,
    ...window({ start: '2021-01-01T00:00:00Z', end: '2029-12-31T23:59:59Z' }),
    because: none,
  },
  'two promises of one log where two logs are asked for': {
    ...unproven,
    plan: { certificate: { scts: [{}, { timeMs: Date.parse('2030-01-01T00:00:01Z') }] } },
    requirement: { minCertificateLogs: 2 },
    because: /^1 of 2 certificate transparency logs have its certificate, by 2 promises/,
  },
  'two logs of one operator where two are asked for': {
    ...unproven,
    ...withLogs(logEntry('ctfe', { operator: 'a' }), logEntry('ctfe-two', { operator: 'a' })),
    plan: { certificate: { scts: [{}, { log: 'ctfe-two' }] } },
    requirement: { minCertificateLogs: 2 },
    because: /^1 of 2/,
  },
  'a list of promises that is none': {
    at,
    plan: {
      certificate: {
        scts: [],
        chain: { leaf: { extensions: [sctExtension([])] } },
      },
    },
    because: /not a signed certificate timestamp: their list is empty/,
  },
  ...Object.fromEntries(
    Object.entries(wrong).map(([what, sct]): [string, SigstoreMutation] => [
      `a promise ${what}`,
      { ...unproven, plan: { certificate: { scts: [sct] } }, because: none },
    ]),
  ),
} satisfies SigstoreMutations);
