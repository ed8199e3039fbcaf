import * as fc from 'fast-check';
import t from 'tap';
import { isSignedBy } from '../../src/crypto/certificate-signature.ts';
import { readCertificate } from '../../src/crypto/certificate.ts';
import { EnvelopeError } from '../../src/crypto/envelope-error.ts';
import { holds } from '../support/holds.ts';
import { mutationsOf } from '../support/mutations-of.ts';
import { makeChain } from '../support/test-ca.ts';

const chain = makeChain({
  leaf: {
    subject: 'C=US, ST=WA, O=acme, OU=a+CN=b, E=a@b',
    ocspUrls: ['http://a/'],
    crlUrls: ['http://b/'],
    basicConstraints: { isCa: false },
  },
});

/** A certificate, or undefined where the reader refused it as it should. */
function tryRead(bytes: Uint8Array): ReturnType<typeof readCertificate> | undefined {
  try {
    return readCertificate(bytes);
  } catch (error) {
    if (error instanceof EnvelopeError) return undefined;
    throw error;
  }
}

t.test('whatever its bytes, a certificate is read or refused as malformed', async (t) => {
  await holds(
    t,
    'random bytes',
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => tryRead(bytes) === undefined),
  );
  await holds(
    t,
    'a certificate with some bytes changed',
    fc.property(mutationsOf(chain.leaf.der), (bytes) => {
      tryRead(bytes);
    }),
  );
});

t.test('a certificate with any bit flipped is not signed by its issuer', async (t) => {
  const issuer = readCertificate(chain.certificates[1]?.der ?? chain.root.der);
  const { der } = chain.leaf;
  await holds(
    t,
    'one flipped bit',
    fc.property(fc.nat(der.length * 8 - 1), (bit) => {
      const flipped = Buffer.from(der);
      flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      const certificate = tryRead(flipped);
      if (certificate === undefined) return true;
      try {
        return !isSignedBy(certificate, issuer);
      } catch (error) {
        return error instanceof EnvelopeError;
      }
    }),
  );
});
