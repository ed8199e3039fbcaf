import { createHash } from 'node:crypto';
import t from 'tap';
import { isSameBytes } from '../../../../src/crypto/same-bytes.ts';
import {
  hashOf,
  hashOfPayload,
  hashOfSigned,
  signedBytesOf,
} from '../../../../src/formats/sigstore/content.ts';
import { preAuth } from '../../../support/sigstore-bundle.ts';

const payload = Buffer.from('{}');
const dsse = { kind: 'dsse', payloadType: 'a', payload } as const;
const sha = (name: string, bytes: Uint8Array): Uint8Array =>
  new Uint8Array(createHash(name).update(bytes).digest());

t.test('small and large bytes, shared with a thread and not, have the same hash', async (t) => {
  for (const size of [10, 300 * 1024]) {
    const bytes = Buffer.alloc(size, 'a');
    const shared = new Uint8Array(new SharedArrayBuffer(size));
    shared.set(bytes);
    // A view must not be taken for all that it is a view of.
    const view = Buffer.alloc(size + 2, 'a').subarray(1, -1);
    for (const name of ['sha256', 'sha384', 'sha512'] as const) {
      for (const each of [bytes, shared, view]) {
        t.ok(isSameBytes(await hashOf(name, each), sha(name, bytes)), `${name} of ${size}`);
      }
    }
  }
});

t.test('what is signed of a statement is its encoding, of a payload the payload', async (t) => {
  t.ok(isSameBytes(signedBytesOf(dsse), preAuth('a', payload)));
  t.equal(signedBytesOf({ kind: 'simple-signing', payload }), payload);
  t.ok(isSameBytes(await hashOfPayload(dsse, 'sha384'), sha('sha384', payload)));
  t.ok(
    isSameBytes(
      (await hashOfSigned(dsse, 'sha256')) ?? payload,
      sha('sha256', preAuth('a', payload)),
    ),
  );
});

t.test(
  'hashes that were worked out with the reading are taken, each for what it is of',
  async (t) => {
    const hashes = { payload: Buffer.from('p'), signed: Buffer.from('s') };
    const known = { ...dsse, hashes };
    t.equal(await hashOfPayload(known, 'sha256'), hashes.payload);
    t.equal(await hashOfSigned(known, 'sha256'), hashes.signed);
    t.ok(
      isSameBytes(await hashOfPayload(known, 'sha512'), sha('sha512', payload)),
      'of no other kind',
    );
  },
);

t.test('of an artifact there is the one hash that the bundle states', async (t) => {
  const artifact = { kind: 'artifact', hash: 'sha384', digest: payload } as const;
  t.equal(await hashOfSigned(artifact, 'sha384'), payload);
  t.equal(await hashOfSigned(artifact, 'sha256'), undefined);
});
