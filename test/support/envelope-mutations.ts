import type { Mutation, Mutations } from './notation-case.ts';
import { makeChain } from './test-ca.ts';

const scheme = 'io.cncf.notary.signingScheme';
const signingTime = 'io.cncf.notary.signingTime';
const authenticSigningTime = 'io.cncf.notary.authenticSigningTime';
const expiry = 'io.cncf.notary.expiry';
const plugin = 'io.cncf.notary.verificationPlugin';
const authority = 'notary.x509.signingAuthority' as const;
const attributes: Pick<Mutation, 'at'> = { at: 'signed-attributes' };
const critical: Pick<Mutation, 'at'> = { at: 'critical-attributes' };
const payload: Pick<Mutation, 'at'> = { at: 'payload-names-subject' };

const attributeMutations: Mutations = {
  'no signing scheme': {
    ...attributes,
    sign: { members: { [scheme]: undefined }, crit: [signingTime] },
    because: /signing scheme is missing/,
  },
  'an unknown signing scheme': {
    ...attributes,
    sign: { members: { [scheme]: 'notary.x510' } },
    because: /"notary.x510"/,
  },
  'a signing scheme that is no text': {
    ...attributes,
    sign: { members: { [scheme]: 1 } },
    because: /signingScheme.*no text/,
  },
  'no signing time': {
    ...attributes,
    sign: { members: { [signingTime]: undefined } },
    because: /signingTime is missing/,
  },
  'a signing time of another type': {
    ...attributes,
    sign: { members: { [signingTime]: 1_767_225_600 } },
    because: /signingTime/,
  },
  "the signing authority's time under notary.x509": {
    ...attributes,
    sign: { members: { [authenticSigningTime]: new Date('2026-01-01T00:00:00Z') } },
    because: /authenticSigningTime is not allowed/,
  },
  "the signing authority's time in place of the signing time": {
    ...attributes,
    sign: {
      members: {
        [signingTime]: undefined,
        [authenticSigningTime]: new Date('2026-01-01T00:00:00Z'),
      },
    },
    because: /authenticSigningTime is not allowed/,
  },
  'a signing time under the signing authority': {
    ...attributes,
    sign: { scheme: authority, members: { [signingTime]: new Date('2026-01-01T00:00:00Z') } },
    because: /signingTime is not allowed/,
  },
  'no time of the signing authority': {
    ...attributes,
    sign: { scheme: authority, members: { [authenticSigningTime]: undefined } },
    because: /authenticSigningTime is missing/,
  },
  'an expiry of another type': {
    ...attributes,
    sign: { criticalMembers: { [expiry]: 1_924_992_000 } },
    because: /expiry/,
  },
  'an expiry that is null': {
    ...attributes,
    sign: { criticalMembers: { [expiry]: null } },
    because: /expiry/,
  },
  'an expiry at the signing time': {
    ...attributes,
    sign: { expiry: '2026-01-01T00:00:00Z' },
    because: /expires before it was signed/,
  },
  'an expiry before the time of the signing authority': {
    ...attributes,
    sign: { scheme: authority, expiry: '2025-01-01T00:00:00Z' },
    because: /expires before it was signed/,
  },
};

const criticalMutations: Mutations = {
  'a signing scheme that is not critical': {
    ...critical,
    sign: { crit: [expiry], expiry: '2031-01-01T00:00:00Z' },
    because: /signingScheme is not marked critical/,
  },
  "a signing authority's time that is not critical": {
    ...critical,
    sign: { scheme: authority, crit: [scheme] },
    because: /authenticSigningTime is not marked critical/,
  },
  'an expiry that is not critical': {
    ...critical,
    sign: { expiry: '2031-01-01T00:00:00Z', crit: [scheme] },
    because: /expiry is not marked critical/,
  },
  'a critical attribute listed twice': {
    ...critical,
    sign: { crit: [scheme, scheme] },
    because: /listed twice/,
  },
  'a critical attribute that is not there': {
    ...critical,
    sign: { crit: [scheme, expiry] },
    because: /expiry" is listed, but/,
  },
  'an unknown critical attribute': {
    ...critical,
    sign: { criticalMembers: { 'com.example.unknown': 'a' } },
    because: /"com.example.unknown" is critical and not known/,
  },
  'a critical signing time, which informs only': {
    ...critical,
    sign: { crit: [scheme, signingTime] },
    because: /signingTime" is critical and not known/,
  },
  'a verification plugin': {
    ...critical,
    sign: { criticalMembers: { [plugin]: 'com.example.plugin' } },
    because: /verification plugin/,
    reason: 'plugin-needed',
  },
  'a verification plugin that is not critical': {
    ...critical,
    sign: { members: { [plugin]: 'com.example.plugin' } },
    because: /verification plugin/,
    reason: 'plugin-needed',
  },
  'the least version of a verification plugin': {
    ...critical,
    sign: { criticalMembers: { [`${plugin}MinVersion`]: '1.0.0' } },
    because: /verificationPluginMinVersion" is critical and not known/,
  },
};

const otherDigest = `sha256:${'0'.repeat(64)}`;

const payloadMutations: Mutations = {
  'another content type': {
    ...payload,
    sign: { contentType: 'application/vnd.cncf.notary.payload.v2+json' },
    because: /content type is "application.*v2/,
  },
  'a payload over another digest': {
    ...payload,
    sign: { targetArtifact: { digest: otherDigest } },
    because: /other content: digest/,
  },
  'a payload over another size': {
    ...payload,
    sign: { targetArtifact: { size: 1 } },
    because: /other content: size "1"/,
  },
  'a payload over another media type': {
    ...payload,
    sign: { targetArtifact: { mediaType: 'application/json' } },
    because: /other content: mediaType "application\/json"/,
  },
  'another content than the one signed': {
    ...payload,
    subject: { size: 7 },
    because: /other content: size/,
  },
  'a payload without a digest': {
    ...payload,
    sign: { targetArtifact: { digest: undefined } },
    because: /malformed.*digest/,
  },
  'a payload with a digest in upper case': {
    ...payload,
    sign: { targetArtifact: { digest: `sha256:${'A'.repeat(64)}` } },
    because: /malformed.*digest/,
  },
  'a payload without a size': {
    ...payload,
    sign: { targetArtifact: { size: undefined } },
    because: /malformed.*size/,
  },
  'a payload whose size is text': {
    ...payload,
    sign: { targetArtifact: { size: '1' } },
    because: /malformed.*size/,
  },
  'a payload without a media type': {
    ...payload,
    sign: { targetArtifact: { mediaType: undefined } },
    because: /malformed.*mediaType/,
  },
  'a payload without a target': { ...payload, sign: { payload: '{}' }, because: /targetArtifact/ },
  'a payload whose target is in another case': {
    ...payload,
    sign: { payloadMembers: { TargetArtifact: {} } },
    because: /another case/,
  },
  'a payload whose digest is in another case too': {
    ...payload,
    sign: { targetArtifact: { Digest: otherDigest } },
    because: /another case/,
  },
  'a payload that is no JSON': { ...payload, sign: { payload: '{' }, because: /malformed/ },
  'a payload that is a list': { ...payload, sign: { payload: '[]' }, because: /no JSON object/ },
  'a payload with its target twice': {
    ...payload,
    sign: { payload: '{"targetArtifact":{},"targetArtifact":{}}' },
    because: /stands twice/,
  },
};

const cryptoMutations: Mutations = {
  'a leaf that is no certificate': {
    sign: ({ ders }) => ({ certificates: [Buffer.from('leaf'), ...ders.slice(1)] }),
    at: 'signature-algorithm',
    because: /DER/,
  },
  'a leaf whose key allows no algorithm': {
    chain: { leaf: { key: 'EC-secp256k1' } },
    at: 'signature-algorithm',
    because: /no signature algorithm is allowed.*secp256k1/,
  },
  'a leaf with an RSA key of 1024 bits': {
    chain: { leaf: { key: 'RSA-1024' } },
    at: 'signature-algorithm',
    because: /1024 bits/,
  },
  'a signature by another key': {
    sign: { signWith: makeChain({ authority: 'stranger' }).privateKey },
    at: 'signature-verifies',
    because: /does not verify/,
  },
  'a signature with a flipped bit': {
    sign: {
      signature: (bytes) => Buffer.from(bytes).map((byte, at) => (at === 9 ? byte ^ 1 : byte)),
    },
    at: 'signature-verifies',
    because: /does not verify/,
  },
  'a signature that is cut': {
    sign: { signature: (bytes) => bytes.subarray(1) },
    at: 'signature-verifies',
    because: /does not verify/,
  },
  'the chain of a stranger, whose leaf is first': {
    sign: { certificates: makeChain({ authority: 'stranger' }).ders },
    at: 'signature-verifies',
    because: /does not verify/,
  },
};

/** What can be wrong with what an envelope says, alike in both encodings. */
export const envelopeMutations: Mutations = {
  ...attributeMutations,
  ...criticalMutations,
  ...payloadMutations,
  ...cryptoMutations,
};
