import {
  buildBlob,
  buildImage,
  buildManifest,
  buildSignatureManifest,
  notationSignatureType,
} from '../../support/build-image.ts';
import { notationSignature } from '../../support/sign-notation.ts';
import { makeChain, toPem } from '../../support/test-ca.ts';
import { type Case, image, insteadOf, makeCase, root, signature, usualTrustStore } from './case.ts';

const good = signature('jws');
const alsoGood = signature('cose');
const stranger = signature('jws', { chain: makeChain({ authority: 'stranger' }) });
const garbage = buildSignatureManifest({
  envelope: Buffer.from('garbage'),
  mediaType: 'application/jose+json',
  of: image.descriptor,
});
const { envelope } = notationSignature({ of: image.descriptor, format: 'jws' });
const envelopeBlob = buildBlob('application/jose+json', envelope);
const common = { artifactType: notationSignatureType, subject: image.descriptor };
const sbom = buildManifest({
  artifactType: 'application/spdx+json',
  layers: [buildBlob('application/spdx+json', '{}')],
  subject: image.descriptor,
});
const forOther = buildImage({ name: 'another image' }).descriptor;
const unsigned = /no signature is associated/;
const failed = /verification failed/;

const chain = makeChain({ intermediates: 1 });
const [leaf, middle] = chain.certificates;
const selfSigned = makeChain({ selfSigned: true, authority: 'solo' });

function storeCase(
  title: string,
  store: Case['trustStore'],
  notation: Case['notation'],
  more: { readonly difference?: 'trust-store-files' } = {},
): Case {
  return makeCase(`a trust store ${title}`, [good], notation, {
    trustStore: store,
    policy: { trustStores: ['ca:acme'] },
    ...more,
  });
}

/** What lies beside the image, and what lies in the trust store. */
export const manifestCases: readonly Case[] = [
  makeCase('an image without signatures', [], unsigned),
  makeCase('an image with an SBOM alone', [sbom], unsigned),
  makeCase('an image with an SBOM and a good signature', [sbom, good], 'accepts'),
  makeCase("a stranger's signature before a good one", [stranger, good], 'accepts'),
  makeCase("a good signature before a stranger's", [good, stranger], 'accepts'),
  makeCase('garbage before a good signature', [garbage, good], 'accepts'),
  makeCase('a good signature where the referrers API is missing', [good], 'accepts', {
    referrers: 'tag-schema',
  }),
  makeCase('a good signature where a missing tag answers with the image', [good], 'accepts', {
    referrers: 'ghcr',
  }),
  makeCase('no signature where a missing tag answers with the image', [], unsigned, {
    referrers: 'ghcr',
  }),
  makeCase(
    'a good signature under the fallback tag of a registry whose referrers API says that there is none',
    [good],
    unsigned,
    { referrers: 'empty-api', difference: 'signatures-under-tags' },
  ),
  makeCase('two good signatures', [good, alsoGood], 'accepts'),
  makeCase('two bad signatures', [garbage, stranger], failed),
  makeCase('a signature whose envelope is gone, before a good one', [stranger, good], failed, {
    missing: stranger.blobs.map(({ descriptor }) => descriptor.digest).slice(-1),
    difference: 'one-bad-signature',
  }),
  makeCase('a good signature whose envelope is gone', [good], failed, {
    missing: good.blobs.map(({ descriptor }) => descriptor.digest).slice(-1),
  }),
  makeCase(
    'a JWS that is called COSE',
    [buildSignatureManifest({ envelope, mediaType: 'application/cose', of: image.descriptor })],
    failed,
  ),
  makeCase(
    'a signature of a media type nobody knows',
    [buildSignatureManifest({ envelope, mediaType: 'application/jose', of: image.descriptor })],
    failed,
  ),
  makeCase(
    'a signature manifest with two envelopes',
    [buildManifest({ ...common, layers: [envelopeBlob, envelopeBlob] })],
    failed,
  ),
  makeCase('a signature manifest without an envelope', [buildManifest(common)], failed),
  makeCase(
    'a good envelope, moved here from another image',
    [
      buildSignatureManifest({
        ...notationSignature({ of: forOther, format: 'jws' }),
        of: image.descriptor,
      }),
    ],
    failed,
  ),
  makeCase(
    'a signature manifest that states another size of its subject',
    [buildManifest({ ...common, subject: insteadOf({ size: 1 }), layers: [envelopeBlob] })],
    'accepts',
  ),

  storeCase('with the root as DER', { 'ca/acme/root.crt': root.der }, 'accepts'),
  storeCase('with the root in a file of any name', { 'ca/acme/README.txt': root.pem }, 'accepts', {
    difference: 'trust-store-files',
  }),
  storeCase(
    'with two roots in one file',
    { 'ca/acme/roots.pem': `${selfSigned.root.pem}${root.pem}` },
    'accepts',
  ),
  storeCase(
    'with two files',
    { 'ca/acme/a.pem': selfSigned.root.pem, 'ca/acme/b.pem': root.pem },
    'accepts',
  ),
  storeCase('with the intermediate', { 'ca/acme/ca.pem': middle?.pem ?? '' }, 'accepts'),
  storeCase('with the leaf', { 'ca/acme/leaf.pem': leaf.pem }, /authenticity/),
  storeCase(
    'with the root, and a leaf beside it',
    { 'ca/acme/root.pem': root.pem, 'ca/acme/leaf.pem': leaf.pem },
    /authenticity/,
  ),
  storeCase(
    'with the root, and garbage beside it',
    { 'ca/acme/root.pem': root.pem, 'ca/acme/x.pem': 'garbage' },
    /authenticity/,
  ),
  storeCase(
    'with the root, and an empty file beside it',
    { 'ca/acme/root.pem': root.pem, 'ca/acme/x.pem': '' },
    /authenticity/,
  ),
  storeCase(
    'with the root, and a folder beside it',
    { 'ca/acme/root.pem': root.pem, 'ca/acme/more/': '' },
    /authenticity/,
  ),
  storeCase('that is empty', { 'ca/acme/': '' }, /authenticity/),
  storeCase(
    'with a root of the same name and another key',
    {
      'ca/acme/root.pem': makeChain({
        authority: 'twin',
        root: { subject: 'C=US, ST=WA, O=acme, CN=acme root' },
      }).root.pem,
    },
    /authenticity/,
  ),
  makeCase(
    'a self-signed leaf that the trust store holds',
    [signature('jws', { chain: selfSigned })],
    'accepts',
    {
      trustStore: { 'ca/acme/leaf.pem': toPem(selfSigned.leaf.der) },
      policy: { trustStores: ['ca:acme'] },
    },
  ),
  makeCase(
    'a self-signed leaf that no trust store holds',
    [signature('jws', { chain: selfSigned })],
    /authenticity/,
  ),

  makeCase('a signature without a timestamp where one is always asked for', [good], /timestamp/, {
    trustStore: { ...usualTrustStore, 'tsa/acme/root.pem': root.pem },
    policy: { trustStores: ['ca:acme', 'tsa:acme'] },
  }),
  makeCase(
    'a signature without a timestamp where one is asked for after expiry',
    [good],
    'accepts',
    {
      trustStore: { ...usualTrustStore, 'tsa/acme/root.pem': root.pem },
      policy: {
        trustStores: ['ca:acme', 'tsa:acme'],
        signatureVerification: { level: 'strict', verifyTimestamp: 'afterCertExpiry' },
      },
    },
  ),
  makeCase(
    'a signature by an expired certificate without the timestamp that could save it',
    [signature('jws', { chain: makeChain({ leaf: { notAfter: '2026-03-01T00:00:00Z' } }) })],
    /timestamp/,
    {
      trustStore: { ...usualTrustStore, 'tsa/acme/root.pem': root.pem },
      policy: {
        trustStores: ['ca:acme', 'tsa:acme'],
        signatureVerification: { level: 'strict', verifyTimestamp: 'afterCertExpiry' },
      },
    },
  ),
  makeCase(
    'a signature with a broken timestamp where one is always asked for',
    [signature('jws', { unprotected: { 'io.cncf.notary.timestampSignature': 'AAAA' } })],
    /timestamp/,
    {
      trustStore: { ...usualTrustStore, 'tsa/acme/root.pem': root.pem },
      policy: { trustStores: ['ca:acme', 'tsa:acme'] },
    },
  ),
];
