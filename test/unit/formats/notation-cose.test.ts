import t from 'tap';
import { notationCose, readCoseEnvelope } from '../../../src/formats/notation-cose.ts';
import { type ImageManifest, readManifest } from '../../../src/oci/manifest.ts';
import { assertMutations, runMutation } from '../../support/assert-mutations.ts';
import { buildImage } from '../../support/build-image.ts';
import { type Cbor, encodeCbor, raw, rawBytes, tagged, wide } from '../../support/cbor-encoder.ts';
import { chainMutations } from '../../support/chain-mutations.ts';
import { envelopeMutations } from '../../support/envelope-mutations.ts';
import type { Mutation, Mutations } from '../../support/notation-case.ts';
import { notationSignature, signedBy } from '../../support/sign-notation.ts';
import { signatureAlgorithms } from '../../support/test-ca.ts';
import { timestampMutations } from '../../support/timestamp-mutations.ts';
import { trustMutations } from '../../support/trust-mutations.ts';

const { descriptor: of } = buildImage();
const readable = { at: 'envelope-readable' } as const;
const attributes = { at: 'signed-attributes' } as const;
const scheme = 'io.cncf.notary.signingScheme';
const signingTime = 'io.cncf.notary.signingTime';
const seconds = 1_767_225_600;
/** 2^64 - 1 as CBOR. */
const largest = raw(0x1b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff);

t.test('a manifest with a COSE layer is recognized and one with a JWS layer is not', async (t) => {
  const manifestOf = (format: 'jws' | 'cose'): ImageManifest =>
    readManifest(signedBy({ of, format }).bytes, undefined) as ImageManifest;
  t.equal(notationCose.envelopesOf(manifestOf('cose')).length, 1);
  t.strictSame(notationCose.envelopesOf(manifestOf('jws')), []);
  t.equal(notationCose.id, 'notation-cose');
  t.equal(notationCose.maxEnvelopeBytes, 128 * 1024);
  t.strictSame(notationCose.artifactTypes, ['application/vnd.cncf.notary.signature']);
});

for (const each of signatureAlgorithms) {
  t.test(`a good signature with ${each} passes every check and proves its signer`, async (t) => {
    const run = await runMutation('cose', { chain: { algorithm: each } });
    t.equal(run.stoppedBy, undefined);
    t.strictSame(
      run.outcomes,
      Object.fromEntries(notationCose.checks.map(({ id }) => [id, 'passed'])),
    );
    t.match(run.proven.signer, { subject: 'CN=acme release,O=acme,ST=WA,C=US' });
  });
}

t.test('the certificates may stand in the protected header', async (t) => {
  const run = await runMutation('cose', { sign: { cose: { x5chain: 'in-protected' } } });
  t.equal(run.stoppedBy, undefined);
});

assertMutations(t, 'cose', envelopeMutations);
assertMutations(t, 'cose', chainMutations);
assertMutations(t, 'cose', trustMutations);
assertMutations(t, 'cose', timestampMutations);

const time = (value: Cbor): Mutation => ({
  ...attributes,
  sign: { members: { [signingTime]: value } },
  because: /signingTime is no epoch time/,
});
const claim = (claimed: number, because: RegExp): Mutation => ({
  at: 'signature-algorithm',
  sign: { statedAlgorithm: claimed },
  because,
});
const inCrit = (label: number): Mutation => ({
  at: 'critical-attributes',
  sign: { crit: [scheme, label] },
  because: new RegExp(`"${label}" is listed, but is no protected attribute`),
});

const coseMutations: Mutations = {
  'no tag': { ...readable, sign: { cose: { tag: 'absent' } }, because: /tag 18/ },
  'the tag of COSE_Mac0': { ...readable, sign: { cose: { tag: 17 } }, because: /tag 18/ },
  'the tag in more bytes than it needs': {
    ...readable,
    sign: { cose: { envelopeBytes: (bytes) => Buffer.from([0xd8, 18, ...bytes.subarray(1)]) } },
    because: /more bytes/,
  },
  'a byte after its end': {
    ...readable,
    sign: { cose: { envelopeBytes: (bytes) => Buffer.from([...bytes, 0]) } },
    because: /after the end/,
  },
  'a part more': {
    ...readable,
    sign: { cose: { parts: (parts) => [...parts, 1] } },
    because: /four parts/,
  },
  'a detached payload': {
    ...readable,
    sign: { cose: { payloadInEnvelope: () => null } },
    because: /payload is no byte string/,
  },
  'an empty payload': { ...readable, sign: { payload: '' }, because: /payload.* empty/ },
  'no alg': { ...readable, sign: { statedAlgorithm: 'absent' }, because: /alg is missing/ },
  'an alg that is text': {
    ...readable,
    sign: { statedAlgorithm: 'ES256' },
    because: /alg is miss/,
  },
  'no content type': { ...readable, sign: { contentType: 'absent' }, because: /content type is m/ },
  'a content type that is a number': {
    ...readable,
    sign: {
      cose: {
        protectedPairs: (pairs) => pairs.map(([label, value]) => [label, label === 3 ? 50 : value]),
      },
    },
    because: /content type is missing/,
  },
  'no crit': { ...readable, sign: { crit: 'absent' }, because: /crit is missing/ },
  'an empty crit': { ...readable, sign: { crit: [] }, because: /crit is missing or empty/ },
  'a crit with bytes': {
    ...readable,
    sign: { crit: [scheme, Uint8Array.of(1) as unknown as string] },
    because: /what is no label/,
  },
  'a protected label twice': {
    ...readable,
    sign: { cose: { protectedPairs: (pairs) => [...pairs, [1, -7]] } },
    because: /twice/,
  },
  'an unprotected label twice': {
    ...readable,
    sign: { cose: { unprotectedPairs: (pairs) => [...pairs, [33, []]] } },
    because: /twice/,
  },
  'a label in both headers': {
    ...readable,
    sign: { cose: { unprotectedPairs: (pairs) => [...pairs, [1, -7]] } },
    because: /label 1 may not/,
  },
  'crit in the unprotected header': {
    ...readable,
    sign: { crit: 'absent', cose: { unprotectedPairs: (pairs) => [...pairs, [2, [scheme]]] } },
    because: /label 2 may not/,
  },
  'a protected header with a byte after its end': {
    ...readable,
    sign: { cose: { protectedBytes: (bytes) => Buffer.from([...bytes, 0]) } },
    because: /after the end/,
  },
  'no x5chain': {
    ...readable,
    sign: { unprotected: { x5chain: undefined } },
    because: /x5chain is missing/,
  },
  'an x5chain of one certificate without its list': {
    ...readable,
    sign: { cose: { x5chain: 'single' } },
    because: /x5chain is missing or no list/,
  },
  'an empty x5chain': { ...readable, sign: { certificates: [] }, because: /has 0 certificates/ },
  'more certificates than are read': {
    ...readable,
    sign: { certificates: Array.from({ length: 17 }, () => Uint8Array.of(0)) },
    because: /has 17 certificates/,
  },
  'a certificate that is text': {
    ...readable,
    sign: { unprotected: { x5chain: ['a'] } },
    because: /certificate in x5chain is empty or no byte string/,
  },
  'a certificate that is empty': {
    ...readable,
    sign: { certificates: [new Uint8Array()] },
    because: /certificate in x5chain is empty/,
  },
  'a timestamp that is text': {
    ...readable,
    sign: { unprotected: { 'io.cncf.notary.timestampSignature': 'AAAA' } },
    because: /timestampSignature is empty or no byte string/,
  },
  'a timestamp that is empty': {
    ...readable,
    sign: { unprotected: { 'io.cncf.notary.timestampSignature': new Uint8Array() } },
    because: /timestampSignature is empty/,
  },
  'a signing time that is a float': {
    ...readable,
    sign: { members: { [signingTime]: tagged(1, 1.5) } },
    because: /float/,
  },
  'a signing time without a tag': time(seconds),
  'a signing time with the tag of text': time(tagged(0, '2026-01-01T00:00:00Z')),
  'a signing time with the tag 1 over text': time(tagged(1, '2026-01-01T00:00:00Z')),
  'a signing time with the tag 0 over seconds': time(tagged(0, seconds)),
  'a signing time within two tags': time(tagged(1, tagged(1, seconds))),
  'a signing time before 1970': time(tagged(1, -1)),
  'a signing time after the year 9999': time(tagged(1, 253_402_300_800)),
  'a signing time past all numbers': time(tagged(1, 2n ** 63n)),
  'the registered label 1 in crit': inCrit(1),
  'the registered label 3 in crit': inCrit(3),
  'an unknown label in crit': inCrit(99),
  'an unknown label in crit that is there': {
    at: 'critical-attributes',
    sign: {
      crit: [scheme, 99],
      cose: { protectedPairs: (pairs) => [...pairs, [99, 'a']] },
    },
    because: /"99" is critical and not known/,
  },
  'the claimed algorithm ES384 for a key of ES256': claim(-35, /"ES384"; the signer's key is for/),
  'the claimed algorithm PS256 for a key of ES256': claim(-37, /"PS256"; the signer's key is for/),
  'the claimed algorithm HMAC 256': claim(5, /"5"; the signer's key is for ES256/),
  'the claimed algorithm EdDSA': claim(-8, /"-8"; the signer's key is for ES256/),
  'the claimed algorithm RS256': claim(-257, /"-257"; the signer's key is for ES256/),
  'a payload that was exchanged': {
    at: 'signature-verifies',
    sign: {
      cose: {
        payloadInEnvelope: (payload) => rawBytes(encodeCbor(Buffer.from(`${String(payload)} `))),
      },
    },
    because: /does not verify/,
  },
  'a protected header that was exchanged': {
    at: 'signature-verifies',
    sign: {
      cose: {
        protectedInEnvelope: (bytes) => {
          const changed = Buffer.from(bytes);
          const at = changed.indexOf(encodeCbor(seconds));
          changed[at + 4] = (changed[at + 4] ?? 0) ^ 1;
          return changed;
        },
      },
    },
    because: /does not verify/,
  },
};

assertMutations(t, 'cose', coseMutations);

t.test('a protected header is verified as received, in any order of its labels', async (t) => {
  const sign = {
    cose: { protectedPairs: (pairs: readonly (readonly [Cbor, Cbor])[]) => pairs.toReversed() },
  };
  const { stoppedBy } = await runMutation('cose', { sign });
  t.equal(stoppedBy, undefined);
});

t.test('an integer in more bytes than it needs is refused in the protected header', async (t) => {
  const sign = { members: { 'com.example.more': wide(1, 8) } };
  const { stoppedBy } = await runMutation('cose', { sign });
  t.equal(stoppedBy, 'envelope-readable');
});

t.test('an envelope is read with what it says', async (t) => {
  const { envelope, chain } = notationSignature({
    of,
    format: 'cose',
    expiry: '2031-01-01T00:00:00Z',
    members: { 'com.example.more': 'a', 'com.example.empty': raw(0x60) },
    unprotected: { 'io.cncf.notary.timestampSignature': Uint8Array.of(1) },
  });
  const read = readCoseEnvelope(envelope);
  t.equal(read.claimedAlgorithm, 'ES256');
  t.equal(read.contentType, 'application/vnd.cncf.notary.payload.v1+json');
  t.strictSame(read.critical, [scheme, 'io.cncf.notary.expiry']);
  t.strictSame(
    read.labels,
    new Set([
      scheme,
      signingTime,
      'io.cncf.notary.expiry',
      'com.example.more',
      'com.example.empty',
    ]),
  );
  t.same(read.time(signingTime), new Date('2026-01-01T00:00:00Z'));
  t.equal(read.text('com.example.more'), 'a');
  t.throws(() => read.text('com.example.empty'), { code: 'COSE_MALFORMED' });
  t.equal(read.text('com.example.none'), undefined);
  t.equal(read.time('io.cncf.notary.authenticSigningTime'), undefined);
  t.same(read.timestampToken, Uint8Array.of(1));
  t.same(read.certificates, chain.ders);
});

t.test(
  'what a plugin could be told is text, an integer or a truth value, and nothing else',
  async (t) => {
    const members = { text: 'a', number: 7, yes: true, bytes: Uint8Array.of(1), list: ['a'] };
    const large = { large: largest };
    const { envelope } = notationSignature({
      of,
      format: 'cose',
      members: { ...members, ...large },
    });
    const { json } = readCoseEnvelope(envelope);
    for (const name of ['text', 'number', 'yes'] as const) t.equal(json(name), members[name]);
    for (const name of ['bytes', 'list', 'large', 'none']) {
      t.throws(() => json(name), {
        code: 'COSE_MALFORMED',
        message: new RegExp(`"${name}" is no text, integer or truth value`),
      });
    }
  },
);

t.test('a critical label larger than a number is exact', async (t) => {
  const crit = ['io.cncf.notary.signingScheme', largest] as never;
  const { envelope } = notationSignature({ of, format: 'cose', crit });
  t.strictSame(readCoseEnvelope(envelope).critical.at(-1), 0xffff_ffff_ffff_ffffn);
});

t.test('an envelope without certificates is malformed COSE', async (t) => {
  const { envelope } = notationSignature({ of, format: 'cose', certificates: [] });
  t.throws(() => readCoseEnvelope(envelope), { code: 'COSE_MALFORMED' });
});

t.test('times are read from 1970 to the year 9999', async (t) => {
  for (const [value, iso] of [
    [0, '1970-01-01T00:00:00.000Z'],
    [253_402_300_799, '9999-12-31T23:59:59.000Z'],
  ] as const) {
    const members = { [signingTime]: tagged(1, value) };
    const { envelope } = notationSignature({ of, format: 'cose', members });
    t.equal(readCoseEnvelope(envelope).time(signingTime)?.toISOString(), iso);
  }
});

t.test('an envelope larger than 128 KiB is not read', async (t) => {
  const large = new Uint8Array(128 * 1024 + 1);
  t.throws(() => readCoseEnvelope(large), { code: 'CBOR_MALFORMED', message: /larger than/ });
});
