import t from 'tap';
import { exactly, parsePattern } from '../../../../src/policies/text-match.ts';
import type { TextMatch } from '../../../../src/verdict/sigstore-requirement.ts';
import * as asn1 from '../../../support/der-encoder.ts';
import { dnsName, emailName, uriName } from '../../../support/fulcio-certificate.ts';
import {
  assertSigstoreMutations,
  certificateSigner,
  type SigstoreMutations,
  trustedKey,
} from '../../../support/sigstore-case.ts';

const at = 'signer-candidate';
const nobody = { at, reason: 'no-trusted-signer' } as const;
const pattern = (text: string): TextMatch => {
  const match = parsePattern(text);
  if ('problem' in match) throw new TypeError(match.problem);
  return match;
};
const asked = (overrides: Partial<typeof certificateSigner>) => ({
  signer: { ...certificateSigner, ...overrides },
});
const repository = pattern(
  'https://github\\.com/org/app/\\.github/workflows/[^/]+@refs/heads/main',
);
const good = 'https://github.com/org/app/.github/workflows/release.yml@refs/heads/main';

/** Each is not the workflow that the pattern means (the second and third of the fifteen). */
const nearMisses: Readonly<Record<string, string>> = {
  'another repository with the same beginning': good.replace('org/app', 'org/app-evil'),
  'another owner with the same end': good.replace('/org/app', '/evil/github.com/org/app'),
  'something before it': `https://evil.test/?${good}`,
  'something behind it': `${good}-evil`,
  'another case': good.replace('org/app', 'Org/App'),
  'another character where a point stands': good.replace('github.com', 'githubXcom'),
  'another branch': good.replace('main', 'main2'),
};

assertSigstoreMutations(t, {
  'a certificate of another subject': {
    ...nobody,
    plan: { certificate: { names: [emailName('eve@acme.test')] } },
    because: /of the subject "eve@acme.test", not "dev@acme.test"/,
  },
  'a certificate by another issuer': {
    ...nobody,
    plan: { certificate: { claims: { 8: asn1.utf8('https://accounts.evil.test') } } },
    because: /by the issuer "https:\/\/accounts.evil.test", not/,
  },
  'a subject that the wanted one is part of': {
    ...nobody,
    plan: { certificate: { names: [emailName('dev@acme.test.evil.test')] } },
    because: /of the subject/,
  },
  'a subject in another case': {
    ...nobody,
    plan: { certificate: { names: [emailName('Dev@acme.test')] } },
    because: /of the subject/,
  },
  // It would prove two identities with one signature.
  'a second name beside the one that is asked for': {
    at,
    plan: { certificate: { names: [dnsName('acme.test'), emailName('dev@acme.test')] } },
    because: /names more than one subject/,
  },
  'an issuer that only begins like it': {
    ...nobody,
    requirement: asked({
      issuer: pattern('https://accounts\\.acme'),
    }),
    because: /by the issuer/,
  },
  'a claim that is missing': {
    ...nobody,
    requirement: asked({
      claims: new Map([['buildTrigger', exactly('push')]]) as typeof certificateSigner.claims,
    }),
    because: /claim buildTrigger is missing, not "push"/,
  },
  'a claim of another value': {
    ...nobody,
    plan: { certificate: { claims: { 20: asn1.utf8('pull_request') } } },
    requirement: asked({
      claims: new Map([['buildTrigger', exactly('push')]]) as typeof certificateSigner.claims,
    }),
    because: /claim buildTrigger is "pull_request", not "push"/,
  },
  'one of two claims': {
    ...nobody,
    plan: { certificate: { claims: { 20: asn1.utf8('push') } } },
    requirement: asked({
      claims: new Map([
        ['buildTrigger', exactly('push')],
        ['sourceRepositoryRef', exactly('refs/heads/main')],
      ]) as typeof certificateSigner.claims,
    }),
    because: /claim sourceRepositoryRef is missing/,
  },
  'a key where a certificate is asked for': {
    ...nobody,
    plan: { key: 'EC-256' },
    requirement: { signer: certificateSigner, minCertificateLogs: 1 },
    because: /signed with a key, and a certificate is asked for/,
  },
  'a certificate of another key than those asked for': {
    ...nobody,
    requirement: { signer: { kind: 'keys', keys: [trustedKey('EC-256')] } },
    because: /key of its certificate is none of those/,
  },
  'a certificate without a subject': {
    at,
    plan: { certificate: { names: [] } },
    because: /names no subject/,
  },
  'a subject with a line break at its end': {
    at,
    plan: { certificate: { names: [uriName(`${good}\n`)] } },
    because: /a name that is no plain text/,
  },
  ...Object.fromEntries(
    Object.entries(nearMisses).map(([what, subject]) => [
      what,
      {
        ...nobody,
        plan: { certificate: { names: [uriName(subject)] } },
        requirement: asked({ subject: repository }),
        because: /of the subject/,
      },
    ]),
  ),
} satisfies SigstoreMutations);
