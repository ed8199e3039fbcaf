import { isDeepStrictEqual } from 'node:util';
import * as fc from 'fast-check';
import t from 'tap';
import { checkCrlSignature } from '../../src/crypto/crl-check.ts';
import { type CrlEntry, findEntries } from '../../src/crypto/crl-entries.ts';
import { type Crl, readCrl } from '../../src/crypto/crl.ts';
import { EnvelopeError } from '../../src/crypto/envelope-error.ts';
import { answerOf, type OcspAnswer } from '../../src/crypto/ocsp-answer.ts';
import { readOcspResponse } from '../../src/crypto/ocsp-response.ts';
import * as asn1 from '../support/der-encoder.ts';
import { holds } from '../support/holds.ts';
import { mutationsOf } from '../support/mutations-of.ts';
import { makeDelegate, makeRevocationCase } from '../support/revocation-kit.ts';
import { buildCrl, pointName } from '../support/test-crl.ts';
import { buildOcsp } from '../support/test-ocsp.ts';

const { leaf, issuer, root, read } = makeRevocationCase();
const [certificate, authority] = read;
const now = new Date('2030-01-01T00:00:00Z');
const delegate = makeDelegate();
const random = fc.uint8Array({ maxLength: 300 });

/** What the work returns; undefined where it refused as it should. */
function attempt<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch (error) {
    if (error instanceof EnvelopeError) return undefined;
    throw error;
  }
}

const answer = (bytes: Uint8Array): OcspAnswer | undefined =>
  attempt(() => answerOf(readOcspResponse(bytes), certificate, authority, now));

const response = buildOcsp({
  issuer,
  signer: delegate,
  certificates: [delegate],
  answers: [
    { certificate: root, status: 'unknown' },
    { certificate: leaf, status: { reason: 4, invalidityDate: '2029-01-01T00:00:00Z' } },
  ],
});

t.test('whatever its bytes, an OCSP response is read or refused as malformed', async (t) => {
  await holds(
    t,
    'random bytes',
    fc.property(random, (bytes) => answer(bytes) === undefined),
  );
});

t.test('an OCSP response with anything changed says the same or nothing', async (t) => {
  const said = answer(response);
  t.match(said, { status: { kind: 'revoked' } });
  await holds(
    t,
    'some bytes changed',
    fc.property(mutationsOf(response), (bytes) => {
      const changed = answer(bytes);
      return changed === undefined || isDeepStrictEqual(changed, said);
    }),
  );
});

const list = buildCrl({
  issuer,
  revoked: [
    { certificate: root, reason: 1 },
    { certificate: leaf, reason: 4, invalidityDate: '2029-01-01T00:00:00Z' },
  ],
  freshestUrls: ['http://a/delta'],
  scope: [pointName('http://a/list'), asn1.implicit(3, Uint8Array.of(6, 0x40))],
});

function entriesIn({ entries }: Crl): readonly CrlEntry[] {
  const steps = findEntries(entries, certificate.serialNumber);
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
  }
}

t.test('whatever its bytes, a revocation list is read or refused as malformed', async (t) => {
  const tryRead = (bytes: Uint8Array): void => {
    attempt(() => entriesIn(readCrl(bytes)));
  };
  await holds(t, 'random bytes', fc.property(random, tryRead));
  await holds(t, 'some bytes changed', fc.property(mutationsOf(list), tryRead));
  await holds(
    t,
    'random entries',
    fc.property(random, (entries) => {
      attempt(() => entriesIn({ ...readCrl(list), entries }));
    }),
  );
});

t.test('a revocation list with anything changed says the same or nothing', async (t) => {
  const said = entriesIn(readCrl(list));
  t.match(said, [{ reason: 'superseded' }]);
  await holds(
    t,
    'some bytes changed',
    fc.asyncProperty(mutationsOf(list), async (bytes) => {
      const crl = attempt(() => readCrl(bytes));
      if (crl === undefined) return true;
      try {
        await checkCrlSignature(crl, authority);
      } catch (error) {
        return error instanceof EnvelopeError;
      }
      return isDeepStrictEqual(entriesIn(crl), said);
    }),
  );
});
