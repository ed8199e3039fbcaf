import * as fc from 'fast-check';
import t from 'tap';
import { normalizeBer } from '../../src/crypto/ber.ts';
import { readCertificate } from '../../src/crypto/certificate.ts';
import { EnvelopeError } from '../../src/crypto/envelope-error.ts';
import { findTimestampSigner } from '../../src/crypto/timestamp-signer.ts';
import { readTimestampResponse, readTimestampToken } from '../../src/crypto/timestamp-token.ts';
import { readTstInfo } from '../../src/crypto/tst-info.ts';
import { trustTimestampAuthority } from '../../src/trust/timestamp-authority.ts';
import { holds } from '../support/holds.ts';
import { mutationsOf } from '../support/mutations-of.ts';
import {
  indefinite,
  pieces,
  timestampResponse,
  timestampToken,
  tstInfo,
} from '../support/sign-timestamp.ts';
import { makeAuthority } from '../support/test-authority.ts';

const message = Buffer.from('hello');
const authority = makeAuthority();
const roots = [{ certificate: readCertificate(authority.root.der) }];
const token = timestampToken(message, { authority });
const info = tstInfo(message);

/** What the reader returns, or undefined where it refused the bytes as it should. */
function tryRead<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof EnvelopeError) return undefined;
    throw error;
  }
}

/** Reads a token and asks whether it proves a time. */
function trustedBy(bytes: Uint8Array): string | undefined {
  return tryRead(() => {
    const read = readTimestampToken(bytes);
    const signer = findTimestampSigner(read);
    if (signer.kind === 'none') return undefined;
    const answer = trustTimestampAuthority({ token: read, signer: signer.certificate, roots });
    return answer.kind === 'trusted' ? answer.time.earliest.toISOString() : undefined;
  });
}

const readers: Readonly<Record<string, readonly [Uint8Array, (bytes: Uint8Array) => unknown]>> = {
  'a TSTInfo': [info, readTstInfo],
  'a timestamp token': [token, readTimestampToken],
  'a timestamp token in BER': [timestampToken(message, { encoding: 'ber' }), readTimestampToken],
  'the answer of an authority': [timestampResponse(token), readTimestampResponse],
};

t.test('whatever its bytes, what claims to be a timestamp is read or refused', async (t) => {
  const all = Object.values(readers);
  await holds(
    t,
    'random bytes',
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      for (const [, read] of all) tryRead(() => read(bytes));
    }),
  );
  for (const [what, [good, read]] of Object.entries(readers)) {
    t.doesNotThrow(() => read(good));
    const property = fc.property(mutationsOf(good), (bytes) => void tryRead(() => read(bytes)));
    await holds(t, `${what} with some bytes changed`, property);
  }
});

t.test('a token with a byte changed proves the same time or none', async (t) => {
  const proven = trustedBy(token);
  t.type(proven, 'string');
  await holds(
    t,
    'one changed byte',
    fc.property(fc.nat(token.length - 1), fc.integer({ min: 1, max: 255 }), (at, mask) => {
      const changed = Buffer.from(token);
      changed[at] = (changed[at] ?? 0) ^ mask;
      const now = trustedBy(changed);
      return now === undefined || now === proven;
    }),
  );
});

t.test('BER becomes DER that stays as it is, and no larger than it was', async (t) => {
  const element = fc.letrec<{ element: Uint8Array }>((tie) => ({
    element: fc.oneof(
      { maxDepth: 6 },
      fc.uint8Array({ maxLength: 40 }).map((content) => pieces(content)),
      fc
        .uint8Array({ maxLength: 40 })
        .map((content) => Buffer.from([4, content.length, ...content])),
      fc.array(tie('element'), { maxLength: 4 }).map((members) => indefinite(0x30, ...members)),
      fc.array(tie('element'), { maxLength: 4 }).map((members) => indefinite(0xa0, ...members)),
    ),
  })).element;
  await holds(
    t,
    'structures with marked ends',
    fc.property(element, (ber) => {
      const der = normalizeBer(ber, 1_000_000);
      return (
        der.length <= ber.length + 2 && Buffer.compare(normalizeBer(der, 1_000_000), der) === 0
      );
    }),
  );
});
