import * as fc from 'fast-check';
import t from 'tap';
import { EnvelopeError } from '../../src/crypto/envelope-error.ts';
import { readCoseEnvelope } from '../../src/formats/notation-cose.ts';
import { readJwsEnvelope } from '../../src/formats/notation-jws.ts';
import { readSignedAttributes } from '../../src/formats/notation/signed-attributes.ts';
import { signatureFormats } from '../../src/formats/index.ts';
import { buildImage } from '../support/build-image.ts';
import { holds } from '../support/holds.ts';
import { mutationsOf } from '../support/mutations-of.ts';
import { makeCase } from '../support/notation-case.ts';
import { runSteps } from '../support/run-steps.ts';
import { notationSignature } from '../support/sign-notation.ts';

const image = buildImage();
const readers = { jws: readJwsEnvelope, cose: readCoseEnvelope } as const;

for (const format of ['jws', 'cose'] as const) {
  const { envelope, chain } = notationSignature({
    format,
    of: image.descriptor,
    expiry: '2031-01-01T00:00:00Z',
  });

  t.test(`whatever its bytes, a ${format} envelope is read or refused as malformed`, async (t) => {
    const tryRead = (bytes: Uint8Array): void => {
      try {
        readSignedAttributes(readers[format](bytes));
      } catch (error) {
        if (!(error instanceof EnvelopeError)) throw error;
      }
    };
    const random = fc.uint8Array({ maxLength: 300 });
    await holds(t, 'random bytes', fc.property(random, tryRead));
    await holds(t, 'some bytes changed', fc.property(mutationsOf(envelope), tryRead));
  });

  t.test(`a ${format} envelope with any byte changed proves another signer or none`, async (t) => {
    const { subject, requirement, context } = makeCase({ of: image.descriptor, chain });
    const [jws, cose] = signatureFormats;
    const examine = (bytes: Uint8Array) =>
      (format === 'jws' ? jws : cose).examine(
        { bytes, annotations: {} },
        subject,
        requirement,
        context,
      );
    const good = await runSteps(examine(envelope));
    t.equal(good.stoppedBy, undefined);
    await holds(
      t,
      'one changed byte',
      fc.asyncProperty(
        fc.nat(envelope.length - 1),
        fc.integer({ min: 1, max: 255 }),
        async (at, mask) => {
          const changed = Buffer.from(envelope);
          changed[at] = (changed[at] ?? 0) ^ mask;
          const { stoppedBy, proven } = await runSteps(examine(changed));
          // Only unsigned bytes may change: the name of the signing agent, or JSON's own freedom.
          return stoppedBy !== undefined || proven.signer?.subject === good.proven.signer?.subject;
        },
      ),
    );
  });
}
