import t from 'tap';
import { signMessage } from '../../../support/sigstore-bundle.ts';
import {
  assertSigstoreMutations,
  runBundle,
  type SigstoreMutations,
  trustedKey,
} from '../../../support/sigstore-case.ts';
import { type KeyKind, testKey } from '../../../support/test-keys.ts';

const at = 'signature-verifies';
const kinds: readonly KeyKind[] = ['EC-256', 'EC-384', 'EC-521', 'RSA-2048', 'Ed25519'];
const hinted = (publicKey: object) => (b: { readonly verificationMaterial: object }) => ({
  ...b,
  verificationMaterial: { ...b.verificationMaterial, publicKey },
});
const stranger = (kind: KeyKind) => testKey(kind, 'stranger');

assertSigstoreMutations(t, {
  'a signature by another key than the certificate has': {
    at,
    plan: { signWith: stranger('EC-256') },
    because: /does not verify with the key of its certificate/,
  },
  'a payload that was changed after it was signed': {
    at,
    plan: {
      bundle: (b) => {
        const statement = { ...JSON.parse(payloadOf(b)), more: 1 };
        const payload = Buffer.from(JSON.stringify(statement)).toString('base64');
        return { ...b, dsseEnvelope: { ...(b['dsseEnvelope'] as object), payload } };
      },
    },
    because: /does not verify/,
  },
  'a signature over the payload without its type': {
    at,
    plan: {
      key: 'EC-256',
      bundle: (b) => {
        const payload = Buffer.from(payloadOf(b));
        const sig = signMessage(testKey('EC-256', 'sigstore'), payload).toString('base64');
        const envelope = b['dsseEnvelope'] as object;
        return { ...b, dsseEnvelope: { ...envelope, signatures: [{ sig }] } };
      },
    },
    because: /does not verify with the key "EC-256.pub"/,
  },
  'a signature over another artifact': {
    at,
    plan: {
      content: 'artifact',
      bundle: (b) => ({
        ...b,
        messageSignature: {
          ...(b['messageSignature'] as object),
          signature: signMessage(testKey('EC-256', 'acme/leaf'), Buffer.from('x')).toString(
            'base64',
          ),
        },
      }),
    },
    because: /does not verify/,
  },
  'a signature by none of two keys': {
    at,
    plan: { key: 'EC-256', signWith: stranger('EC-256') },
    requirement: { signer: { kind: 'keys', keys: [trustedKey('EC-256'), trustedKey('EC-384')] } },
    because: /does not verify with any of 2 keys/,
  },
  'a signature by a key that it names, which is none of ours': {
    at,
    reason: 'no-trusted-signer',
    plan: { key: 'EC-256', signWith: stranger('EC-256'), bundle: hinted({ hint: 'c3RyYW5nZXI=' }) },
    because:
      /^the signature does not verify with the key "EC-256.pub": it is by another key, or was changed$/,
  },
  'a signature by another key, of which nothing says whose it is': {
    at,
    reason: 'no-trusted-signer',
    plan: { key: 'EC-256', signWith: stranger('EC-256'), bundle: hinted({}) },
    because: /it is by another key, or was changed/,
  },
  'an artifact signed with Ed25519, of which the hash alone is there': {
    at,
    plan: { content: 'artifact', key: 'Ed25519' },
    because: /over a hash alone neither Ed25519 nor RSA-PSS can be verified/,
  },
  ...Object.fromEntries(
    kinds
      .filter((kind) => !kind.startsWith('RSA'))
      .map((kind) => [
        `a signature by another ${kind} key`,
        { at, plan: { key: kind, signWith: stranger(kind) }, because: /does not verify/ },
      ]),
  ),
} satisfies SigstoreMutations);

function payloadOf(bundle: Readonly<Record<string, unknown>>): string {
  const { payload } = bundle['dsseEnvelope'] as { readonly payload: string };
  return Buffer.from(payload, 'base64').toString();
}

// The sixth of the fifteen: no key is taken to sign with SHA-256 for want of a hash.
for (const kind of kinds) {
  t.test(`a statement signed with ${kind} by the hash of its own verifies`, async (t) => {
    t.equal((await runBundle({ key: kind })).stoppedBy, undefined);
  });
}

for (const kind of ['EC-256', 'RSA-2048'] as const) {
  t.test(`an artifact signed with ${kind} verifies by its hash`, async (t) => {
    t.equal((await runBundle({ content: 'artifact', key: kind })).stoppedBy, undefined);
  });
}

for (const kind of kinds) {
  t.test(`a large statement signed with ${kind} verifies, and a wrong one does not`, async (t) => {
    const predicate = 'x'.repeat(300 * 1024);
    const plan = { key: kind, statement: (s: object) => ({ ...s, predicate }) } as const;
    t.equal((await runBundle(plan)).stoppedBy, undefined);
    const other = kind === 'RSA-2048' ? testKey('RSA-3072', 'x') : stranger(kind);
    t.equal((await runBundle({ ...plan, signWith: other })).stoppedBy, at);
  });
}
