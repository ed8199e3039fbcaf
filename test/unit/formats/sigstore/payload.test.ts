import t from 'tap';
import { image } from '../../../support/sigstore-bundle.ts';
import { assertSigstoreMutations, runBundle } from '../../../support/sigstore-case.ts';

type Statement = Readonly<Record<string, unknown>>;

const at = 'payload-names-subject';
const hex = image.descriptor.digest.slice(7);
const withSubjects = (...subject: readonly unknown[]) => ({
  statement: (statement: Statement) => ({ ...statement, subject }),
});
const other = { digest: { sha256: '0'.repeat(64) } };

// The first of the fifteen: @sigstore/verify compares neither subject nor payload type.
assertSigstoreMutations(t, {
  'a statement about another manifest': {
    plan: withSubjects(other),
    at,
    because: /over other content: its subject is not sha256:/,
  },
  'a good statement under another manifest': {
    subject: { digest: `sha256:${'0'.repeat(64)}` as typeof image.descriptor.digest },
    at,
    because: /over other content/,
  },
  'a statement about many others': {
    plan: withSubjects(...Array.from({ length: 1024 }, () => other)),
    at,
    because: /none of its 1024 subjects/,
  },
  'a statement with the hash of a weak algorithm alone': {
    plan: withSubjects({ digest: { sha1: hex, md5: hex, sha512: hex } }),
    at,
    because: /over other content/,
  },
  'a statement with the hash in upper case': {
    plan: withSubjects({ digest: { sha256: hex.toUpperCase() } }),
    at,
    because: /over other content/,
  },
  'a statement with the hash behind its algorithm': {
    plan: withSubjects({ digest: { sha256: `sha256:${hex}` } }),
    at,
    because: /over other content/,
  },
  'a statement with the hash of the algorithm in another case': {
    plan: withSubjects({ digest: { SHA256: hex } }),
    at,
    because: /over other content/,
  },
  'a statement with the hash as a name': {
    plan: withSubjects({ name: image.descriptor.digest, digest: {} }),
    at,
    because: /over other content/,
  },
  'a statement without a subject': { plan: withSubjects(), at, because: /no subject/ },
  'a payload of another type': {
    plan: { payloadType: 'application/vnd.in-toto+json; a=b' },
    at,
    because: /its payloadType is "application\/vnd\.in-toto\+json; a=b"/,
  },
  'a payload that is no JSON': {
    plan: { payload: Buffer.from('hello') },
    at,
    because: /the statement can not be read: it is no JSON/,
  },
  'a payload that is a list': {
    plan: { payload: Buffer.from('[]') },
    at,
    because: /it is no object/,
  },
  'a payload with a name that stands twice': {
    plan: { payload: Buffer.from('{"subject":[],"subject":[]}') },
    at,
    because: /"subject" stands twice/,
  },
  'a statement of another version': {
    plan: { statement: (s) => ({ ...s, _type: 'https://in-toto.io/Statement/v2' }) },
    at,
    because: /_type/,
  },
  'an artifact of another hash': {
    plan: { content: 'artifact' },
    subject: { digest: `sha256:${'0'.repeat(64)}` as typeof image.descriptor.digest },
    at,
    because: /over other content: sha256:[0-9a-f]{64}, not sha256:0/,
  },
});

t.test('a manifest with a digest by SHA-512 is matched by that hash alone', async (t) => {
  const digest = `sha512:${'a'.repeat(128)}` as typeof image.descriptor.digest;
  const plan = withSubjects({ digest: { sha512: 'a'.repeat(128), sha256: hex } });
  t.equal((await runBundle(plan, { subject: { digest } })).stoppedBy, undefined);
  const bySha256 = await runBundle(withSubjects({ digest: { sha256: hex } }), {
    subject: { digest },
  });
  t.equal(bySha256.stoppedBy, at);
});
