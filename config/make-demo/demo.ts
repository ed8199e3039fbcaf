import { createPublicKey, type KeyObject } from 'node:crypto';
import type { Artifact } from '../../test/support/build-image.ts';
import { type NotationOverrides, signedBy } from '../../test/support/sign-notation.ts';
import { type Chain, makeChain } from '../../test/support/test-ca.ts';
import { testKey } from '../../test/support/test-keys.ts';
import type { LayoutEntry } from '../../test/support/write-layout.ts';
import { makeChart, makeImage, makeMultiArch } from './artifacts.ts';
import {
  bundledAttestation,
  bundledSignature,
  taggedAttestations,
  taggedSignature,
} from './cosign.ts';
import { cycloneDx, provenanceBy, spdx } from './predicates.ts';

export interface Demo {
  /** In the order in which index.json lists them. */
  readonly entries: readonly LayoutEntry[];
  /** The certificate that the starter's trust store holds. */
  readonly root: string;
  /** The public key, in PEM, that the starter's policy names. */
  readonly publicKey: string;
}

/**
 * One artifact of each kind. The images are the same each time; keys, certificates and with them
 * the signatures are new, and the keys are forgotten with the process.
 */
export function makeDemo(): Demo {
  const signer = makeSigner('Assay demo');
  const stranger = makeSigner('Somebody else');
  const jws = makeImage('Hello. I am signed: a Notation JWS signature.');
  const cose = makeImage('Hello. I am signed: a Notation COSE signature.');
  const index = makeMultiArch('Hello. My index is signed.');
  const tampered = makeImage('You should not see me: my signature was tampered with.');
  const foreign = makeImage('You should not see me: a stranger signed me.');
  const expired = makeImage('You should not see me: my signature has expired.');
  const chart = makeChart();
  const key = testKey('EC-256', 'demo');
  const past = { signingTime: '2026-01-02T00:00:00Z', expiry: '2026-02-01T00:00:00Z' };
  return {
    root: signer.root.pem,
    publicKey: createPublicKey(key).export({ type: 'spki', format: 'pem' }) as string,
    entries: [
      ...signed('app:signed-jws', jws, 'jws', signer),
      ...signed('app:signed-cose', cose, 'cose', signer),
      ...signed('app:multi-arch', index, 'jws', signer),
      { artifact: makeImage('You should not see me: nobody signed me.'), tag: 'app:unsigned' },
      ...signed('app:tampered', tampered, 'jws', signer, { signature: withOneBitFlipped }),
      ...signed('app:wrong-signer', foreign, 'jws', stranger),
      ...signed('app:expired', expired, 'cose', signer, past),
      { artifact: makeImage('Hello. Nobody signed me; I am exempted.'), tag: 'app:exempted' },
      { artifact: makeImage('Hello. Nobody signed me; audit mode.'), tag: 'legacy:unsigned' },
      ...signed('chart:signed', chart, 'jws', signer),
      // Helm asks for a version.
      { artifact: chart, tag: 'chart:0.1.0' },
      ...cosignSigned(key, testKey('EC-256', 'stranger')),
      ...attested(key),
    ],
  };
}

/** Signed with a key: as cosign 2 does, as cosign 3 does, and by somebody else. */
function cosignSigned(key: KeyObject, stranger: KeyObject): readonly LayoutEntry[] {
  const of = (text: string) => ({ artifact: makeImage(text), repository: 'cosign' });
  const tagged = of('Hello. I am signed: a cosign signature under a tag.');
  const bundled = of('Hello. I am signed: a cosign signature in a bundle.');
  const foreign = of('You should not see me: a stranger signed me with cosign.');
  return [
    { artifact: tagged.artifact, tag: 'cosign:signed-tag' },
    taggedSignature(tagged, key),
    { artifact: bundled.artifact, tag: 'cosign:signed-bundle' },
    bundledSignature(bundled, key),
    { artifact: foreign.artifact, tag: 'cosign:wrong-key' },
    bundledSignature(foreign, stranger),
  ];
}

/** Signed, and with attestations of how it was built and what is in it, or without some of them. */
function attested(key: KeyObject): readonly LayoutEntry[] {
  const of = (text: string) => ({ artifact: makeImage(text), repository: 'service' });
  const provenance = provenanceBy('https://demo.example/builder');
  const bundled = of('Hello. My build and my parts are attested, in bundles.');
  const tagged = of('Hello. My build and my parts are attested, under a tag.');
  const bare = of('You should not see me: nobody says what is in me.');
  const homemade = of('You should not see me: I was built on a laptop.');
  const atHome = provenanceBy('https://demo.example/laptop');
  return [
    { artifact: bundled.artifact, tag: 'service:attested' },
    bundledSignature(bundled, key),
    bundledAttestation(bundled, key, provenance),
    bundledAttestation(bundled, key, cycloneDx),
    { artifact: tagged.artifact, tag: 'service:attested-tags' },
    taggedSignature(tagged, key),
    taggedAttestations(tagged, key, [provenance, spdx]),
    { artifact: bare.artifact, tag: 'service:no-sbom' },
    bundledSignature(bare, key),
    bundledAttestation(bare, key, provenance),
    { artifact: homemade.artifact, tag: 'service:other-builder' },
    bundledSignature(homemade, key),
    bundledAttestation(homemade, key, atHome),
    bundledAttestation(homemade, key, cycloneDx),
  ];
}

function makeSigner(organization: string): Chain {
  const validity = { notBefore: '2026-01-01T00:00:00Z', notAfter: '2046-01-01T00:00:00Z' };
  const named = (name: string) => ({
    ...validity,
    subject: `C=US, ST=WA, O=${organization}, CN=${name}`,
  });
  return makeChain({
    authority: organization,
    intermediates: 0,
    leaf: named('demo signer'),
    root: named('demo root'),
  });
}

function signed(
  tag: string,
  artifact: Artifact,
  format: 'jws' | 'cose',
  chain: Chain,
  overrides: NotationOverrides = {},
): readonly LayoutEntry[] {
  const signature = signedBy({
    of: artifact.descriptor,
    format,
    chain,
    signingTime: '2026-01-02T00:00:00Z',
    unprotected: { 'io.cncf.notary.signingAgent': 'assay-demo/1.0' },
    ...overrides,
  });
  return [{ artifact, tag }, { artifact: signature }];
}

function withOneBitFlipped(signature: Uint8Array): Uint8Array {
  return signature.map((byte, index) => (index === 0 ? byte ^ 1 : byte));
}
