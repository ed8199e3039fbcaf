import t from 'tap';
import { EnvelopeError } from '../../../src/crypto/envelope-error.ts';
import { notationJws, readJwsEnvelope } from '../../../src/formats/notation-jws.ts';
import type { ImageManifest } from '../../../src/oci/manifest.ts';
import { readManifest } from '../../../src/oci/manifest.ts';
import { assertMutations, runMutation } from '../../support/assert-mutations.ts';
import { buildImage } from '../../support/build-image.ts';
import { chainMutations } from '../../support/chain-mutations.ts';
import { envelopeMutations } from '../../support/envelope-mutations.ts';
import type { Mutations } from '../../support/notation-case.ts';
import { notationSignature, signedBy } from '../../support/sign-notation.ts';
import { signatureAlgorithms } from '../../support/test-ca.ts';
import { timestampMutations } from '../../support/timestamp-mutations.ts';
import { trustMutations } from '../../support/trust-mutations.ts';

const { descriptor: of } = buildImage();
const readable = { at: 'envelope-readable' } as const;
const attributes = { at: 'signed-attributes' } as const;
const critical = { at: 'critical-attributes' } as const;
const algorithm = { at: 'signature-algorithm' } as const;
const scheme = 'io.cncf.notary.signingScheme';
const signingTime = 'io.cncf.notary.signingTime';

t.test('a manifest with a JWS layer is recognized and one with a COSE layer is not', async (t) => {
  const manifestOf = (format: 'jws' | 'cose'): ImageManifest =>
    readManifest(signedBy({ of, format }).bytes, undefined) as ImageManifest;
  t.equal(notationJws.envelopesOf(manifestOf('jws')).length, 1);
  t.strictSame(notationJws.envelopesOf(manifestOf('cose')), []);
  t.equal(notationJws.id, 'notation-jws');
  t.equal(notationJws.maxEnvelopeBytes, 128 * 1024);
  t.strictSame(notationJws.artifactTypes, ['application/vnd.cncf.notary.signature']);
});

for (const each of signatureAlgorithms) {
  t.test(`a good signature with ${each} passes every check and proves its signer`, async (t) => {
    const { outcomes, stoppedBy, proven } = await runMutation('jws', {
      chain: { algorithm: each },
    });
    t.equal(stoppedBy, undefined);
    t.strictSame(outcomes, Object.fromEntries(notationJws.checks.map(({ id }) => [id, 'passed'])));
    t.match(proven.signer, { subject: 'CN=acme release,O=acme,ST=WA,C=US' });
  });
}

assertMutations(t, 'jws', envelopeMutations);
assertMutations(t, 'jws', chainMutations);
assertMutations(t, 'jws', trustMutations);
assertMutations(t, 'jws', timestampMutations);

const time = (value: string): Mutations[string] => ({
  ...attributes,
  sign: { members: { [signingTime]: value } },
  because: /signingTime is malformed/,
});

const flip = (encoded: string): string =>
  `${encoded.startsWith('e') ? 'f' : 'e'}${encoded.slice(1)}`;

const jwsMutations: Mutations = {
  'no alg': { ...readable, sign: { statedAlgorithm: 'absent' }, because: /"alg" is missing/ },
  'an alg that is a number': { ...readable, sign: { statedAlgorithm: -7 }, because: /"alg"/ },
  'no content type': { ...readable, sign: { contentType: 'absent' }, because: /"cty" is missing/ },
  'no crit': { ...readable, sign: { crit: 'absent' }, because: /crit is missing/ },
  'an empty crit': { ...readable, sign: { crit: [] }, because: /crit is missing or empty/ },
  'a number in crit': { ...readable, sign: { crit: [scheme, 1] }, because: /a name in crit/ },
  'an empty name in crit': { ...readable, sign: { crit: [scheme, ''] }, because: /a name in crit/ },
  'a crit that is text': {
    ...readable,
    sign: { crit: 'absent', members: { crit: scheme } },
    because: /crit is missing/,
  },
  'no x5c': { ...readable, sign: { unprotected: { x5c: undefined } }, because: /x5c is missing/ },
  'an x5c that is text': { ...readable, sign: { unprotected: { x5c: 'AAAA' } }, because: /x5c/ },
  'an empty x5c': { ...readable, sign: { certificates: [] }, because: /has 0 certificates/ },
  'more certificates than are read': {
    ...readable,
    sign: { certificates: Array.from({ length: 17 }, () => Uint8Array.of(0)) },
    because: /has 17 certificates/,
  },
  'a certificate in base64url': {
    ...readable,
    sign: { unprotected: { x5c: ['-_8='] } },
    because: /certificate in x5c is not base64/,
  },
  'a certificate in PEM': {
    ...readable,
    sign: (chain) => ({ unprotected: { x5c: [chain.leaf.pem] } }),
    because: /certificate in x5c is not base64/,
  },
  'a certificate that is a number': {
    ...readable,
    sign: { unprotected: { x5c: [1] } },
    because: /certificate in x5c" is missing/,
  },
  'a timestamp that is not base64': {
    ...readable,
    sign: { unprotected: { 'io.cncf.notary.timestampSignature': '%' } },
    because: /timestampSignature is not base64/,
  },
  'a timestamp that is a number': {
    ...readable,
    sign: { unprotected: { 'io.cncf.notary.timestampSignature': 1 } },
    because: /timestampSignature/,
  },
  'x5c in both headers': { ...readable, sign: { members: { x5c: 'a' } }, because: /"x5c" may not/ },
  'a member twice in the protected header': {
    ...readable,
    sign: { jws: { protectedText: (text) => text.replace('{', '{"alg":"none",') } },
    because: /stands twice/,
  },
  'a member twice in the envelope': {
    ...readable,
    sign: { jws: { envelopeText: (text) => text.replace('{', '{"payload":"e30",') } },
    because: /stands twice/,
  },
  'another member in the envelope': {
    ...readable,
    sign: { jws: { envelopeMembers: { signatures: [] } } },
    because: /no member/,
  },
  'padding behind the payload': {
    ...readable,
    sign: { jws: { payloadEncoding: (encoded) => `${encoded}=` } },
    because: /payload is not base64url/,
  },
  'a payload without a byte': { ...readable, sign: { payload: '' }, because: /payload is missing/ },
  'an envelope that is no JSON': {
    ...readable,
    sign: { jws: { envelopeText: (text) => text.slice(1) } },
    because: /no JSON/,
  },
  'a signing scheme that is empty': {
    ...attributes,
    sign: { members: { [scheme]: '' } },
    because: /signingScheme" is missing, empty/,
  },
  'a signing time without an offset': time('2026-01-01T00:00:00'),
  'a signing time with a space': time('2026-01-01 00:00:00Z'),
  'a signing time on 30 February': time('2026-02-30T00:00:00Z'),
  'a registered name in crit': {
    ...critical,
    sign: { crit: [scheme, 'alg'] },
    because: /"alg" is listed, but is no protected attribute/,
  },
  'a name in crit that stands in the unprotected header': {
    ...critical,
    sign: { crit: [scheme, 'x5c'] },
    because: /"x5c" is listed, but/,
  },
  'a payload that was exchanged': {
    at: 'payload-names-subject',
    sign: { jws: { payloadEncoding: flip } },
    because: /malformed/,
  },
  'a protected header that was exchanged for another with the same meaning': {
    at: 'signature-verifies',
    sign: {
      jws: {
        protectedEncoding: (encoded) =>
          Buffer.from(`${Buffer.from(encoded, 'base64url').toString()} `).toString('base64url'),
      },
    },
    because: /does not verify/,
  },
};

for (const claimed of ['none', 'HS256', 'RS256', 'EdDSA', 'PS256', 'ES384', 'ES512', 'es256']) {
  assertMutations(t, 'jws', {
    [`the claimed algorithm ${claimed} for a key of ES256`]: {
      ...algorithm,
      sign: { statedAlgorithm: claimed },
      because: new RegExp(`it claims "${claimed}"; the signer's key is for ES256`),
    },
  });
}
assertMutations(t, 'jws', jwsMutations);

t.test('an envelope is read with what it says', async (t) => {
  const { envelope, chain } = notationSignature({
    of,
    format: 'jws',
    expiry: '2031-01-01T00:00:00Z',
    members: { 'com.example.more': 'a' },
    unprotected: { 'io.cncf.notary.timestampSignature': 'AAAA', 'com.example.other': 1 },
  });
  const read = readJwsEnvelope(envelope);
  t.equal(read.claimedAlgorithm, 'ES256');
  t.equal(read.contentType, 'application/vnd.cncf.notary.payload.v1+json');
  t.strictSame(read.critical, [scheme, 'io.cncf.notary.expiry']);
  t.strictSame(
    [...read.labels],
    [scheme, signingTime, 'io.cncf.notary.expiry', 'com.example.more'],
  );
  t.same(read.time(signingTime), new Date('2026-01-01T00:00:00Z'));
  t.equal(read.text('com.example.more'), 'a');
  t.equal(read.text('toString'), undefined);
  t.equal(read.time('io.cncf.notary.authenticSigningTime'), undefined);
  t.same(read.timestampToken, Buffer.alloc(3));
  t.same(read.certificates, chain.ders);
});

t.test('a time may have an offset and a fraction', async (t) => {
  const { envelope } = notationSignature({
    of,
    format: 'jws',
    members: { [signingTime]: '2026-01-01T08:00:00.5+08:00' },
  });
  t.same(readJwsEnvelope(envelope).time(signingTime), new Date('2026-01-01T00:00:00.500Z'));
});

t.test('an envelope larger than 128 KiB is not read', async (t) => {
  const large = new Uint8Array(128 * 1024 + 1);
  t.throws(() => readJwsEnvelope(large), { code: 'JWS_MALFORMED', message: /larger than/ });
  t.throws(() => readJwsEnvelope(large), EnvelopeError);
});

t.test(
  'an envelope without certificates is malformed JWS, and so is one without its type',
  async (t) => {
    for (const overrides of [{ certificates: [] }, { contentType: 'absent' }] as const) {
      const { envelope } = notationSignature({ of, format: 'jws', ...overrides });
      t.throws(() => readJwsEnvelope(envelope), { code: 'JWS_MALFORMED' });
    }
  },
);

t.test('an attribute that is not there is not told', async (t) => {
  const { envelope } = notationSignature({ of, format: 'jws', members: { there: 1 } });
  const { json } = readJwsEnvelope(envelope);
  t.equal(json('there'), 1);
  t.throws(() => json('none'), { code: 'JWS_MALFORMED', message: /"none" is missing/ });
});
