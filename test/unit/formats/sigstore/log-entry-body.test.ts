import t from 'tap';
import type { BundlePlan, EntryPlan } from '../../../support/sigstore-bundle.ts';
import { pem } from '../../../support/sigstore-bundle.ts';
import {
  assertSigstoreMutations,
  type SigstoreMutation,
  type SigstoreMutations,
} from '../../../support/sigstore-case.ts';
import { makeFulcioSigner } from '../../../support/sigstore-signer.ts';
import { spkiOf, testKey } from '../../../support/test-keys.ts';

const at = 'log-entries';
const other = Buffer.from('other');
const { leaf: stranger } = makeFulcioSigner({ chain: { leaf: { serial: Uint8Array.of(9) } } });
const key = spkiOf(testKey('EC-256', 'another'));
const otherCertificate = { verifier: stranger.pem, verifierDer: stranger.der };
const otherKey = { verifier: pem('PUBLIC KEY', key), verifierDer: key };

/** Every kind and version that a log of ours may have, and the content that it is for. */
const kinds: Readonly<Record<string, BundlePlan>> = {
  'hashedrekord 0.0.1': { content: 'artifact' },
  'rekord 0.0.1': { content: 'artifact' },
  'dsse 0.0.1': {},
  'intoto 0.0.2': {},
  'hashedrekord 0.0.2': { timestamps: [{}] },
};

// The fifth of the fifteen, and the CVEs of cosign: an entry is about this very signature or none.
const wrong: Readonly<Record<string, readonly [NonNullable<EntryPlan['about']>, RegExp]>> = {
  'another signature': [{ signature: other }, /is about another signature/],
  'other content': [
    { message: other, payload: other },
    /is about (?:other content|another payload)/,
  ],
  'another certificate of the same key': [otherCertificate, /is about another certificate/],
  'a key in place of a certificate': [otherKey, /is about another certificate/],
};

const rows = Object.entries(kinds).flatMap(([as, plan]) =>
  Object.entries(wrong).map(([what, [about, because]]): [string, SigstoreMutation] => {
    const rekor = as === 'hashedrekord 0.0.2' ? 'v2' : 'v1';
    return [
      `a ${as} about ${what}`,
      { at, because, plan: { ...plan, entries: [{ as, rekor, about }] } },
    ];
  }),
);
assertSigstoreMutations(t, Object.fromEntries(rows));

assertSigstoreMutations(t, {
  'an entry about another key': {
    at,
    plan: { key: 'EC-256', entries: [{ about: otherKey }] },
    because: /is about another key/,
  },
  'an entry about a certificate in place of a key': {
    at,
    plan: { key: 'EC-256', entries: [{ about: otherCertificate }] },
    because: /is about another key/,
  },
  'an entry that is said to be of another kind': {
    at,
    plan: {
      entries: [
        { entry: (entry) => ({ ...entry, kindVersion: { kind: 'intoto', version: '0.0.1' } }) },
      ],
    },
    because: /is a dsse 0.0.1, and not a "intoto 0.0.1"/,
  },
  'an entry that is said to be of another version': {
    at,
    plan: {
      entries: [
        { entry: (entry) => ({ ...entry, kindVersion: { kind: 'dsse', version: '0.0.2' } }) },
      ],
    },
    because: /and not a "dsse 0.0.2"/,
  },
  'a dsse of Rekor v2, which takes none any more': {
    at,
    plan: { entries: [{ as: 'dsse 0.0.2', rekor: 'v2' }], timestamps: [{}] },
    because: /of a kind that no log takes any more/,
  },
  'an entry of Rekor v2 with a promise': {
    at,
    plan: { entries: [{ as: 'hashedrekord 0.0.2' }] },
    because: /has a promise, which its log does not make/,
  },
  'an intoto 0.0.1, which binds no signature': {
    at,
    plan: { entries: [{ as: 'intoto 0.0.1' }] },
    because: /binds no signature/,
  },
  'a dsse about an artifact': {
    at,
    plan: { content: 'artifact', entries: [{ as: 'dsse 0.0.1' }] },
    because: /is about another payload/,
  },
  'a hashedrekord with a hash of another kind than the bundle states': {
    at,
    plan: {
      content: 'artifact',
      entries: [
        {
          body: (body) => {
            const spec = body['spec'] as { readonly data: object };
            const hash = { algorithm: 'sha512', value: '0'.repeat(128) };
            return { ...body, spec: { ...spec, data: { hash } } };
          },
        },
      ],
    },
    because: /is about other content/,
  },
  'an entry with two signatures': {
    at,
    plan: {
      entries: [
        {
          body: (body) => {
            const spec = body['spec'] as { readonly signatures: readonly unknown[] };
            const signatures = [...spec.signatures, ...spec.signatures];
            return { ...body, spec: { ...spec, signatures } };
          },
        },
      ],
    },
    because: /about more than one signature/,
  },
  'an entry of a kind that nobody knows': {
    at,
    plan: { entries: [{ body: (body) => ({ ...body, kind: 'helm' }) }] },
    because: /not a log entry: its kind or version is not known/,
  },
  'an entry whose body is no object': {
    at,
    plan: { entries: [{ body: () => '{' }] },
    because: /not a log entry: it is no object/,
  },
} satisfies SigstoreMutations);
