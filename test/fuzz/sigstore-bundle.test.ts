import * as fc from 'fast-check';
import t from 'tap';
import { EnvelopeError } from '../../src/crypto/envelope-error.ts';
import { readBundleParts } from '../../src/formats/sigstore/bundle-parts.ts';
import { readStatementHead } from '../../src/formats/sigstore/statement-head.ts';
import { sigstoreBundle } from '../../src/formats/sigstore-bundle.ts';
import { holds } from '../support/holds.ts';
import { mutationsOf } from '../support/mutations-of.ts';
import { runSteps } from '../support/run-steps.ts';
import { image, makeBundle } from '../support/sigstore-bundle.ts';
import { contextFor, requirementFor } from '../support/sigstore-case.ts';

const maxBytes = 2 ** 20;
const plan = { timestamps: [{}] };
const { bytes } = makeBundle(plan);

function tryRead(untrusted: Uint8Array): void {
  try {
    readBundleParts(untrusted, maxBytes);
  } catch (error) {
    if (!(error instanceof EnvelopeError)) throw error;
  }
}

t.test('whatever its bytes, a bundle is read or refused as malformed', async (t) => {
  t.doesNotThrow(() => readBundleParts(bytes, maxBytes));
  await holds(t, 'some bytes changed', fc.property(mutationsOf(bytes), tryRead));
  await holds(
    t,
    'any JSON',
    fc.property(fc.json(), (text) => tryRead(Buffer.from(text))),
  );
});

type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json };

/** Every way to a value in the document. */
function waysIn(value: Json, way: readonly string[] = []): readonly (readonly string[])[] {
  if (typeof value !== 'object' || value === null) return [way];
  const below = Object.entries(value).flatMap(([name, each]) => waysIn(each, [...way, name]));
  return [way, ...below];
}

function withValue(value: Json, [name, ...way]: readonly string[], other: unknown): unknown {
  if (name === undefined) return other;
  if (typeof value !== 'object' || value === null) return value;
  const copy = structuredClone(value) as Record<string, unknown>;
  copy[name] = withValue((value as Record<string, Json>)[name] ?? null, way, other);
  return copy;
}

const document = JSON.parse(bytes.toString()) as Json;
const place = fc.constantFrom(...waysIn(document).filter((way) => way.length > 0));
const other = fc.oneof(
  fc.constant(undefined),
  fc.jsonValue(),
  fc.constantFrom('', 'AAAA', '0', -1, 2 ** 53, [], {}, [[]], null),
);

t.test(
  'whatever one value of it is, a bundle is read or refused, and no other error comes',
  async (t) => {
    await holds(
      t,
      'one value replaced',
      fc.property(place, other, (way, value) =>
        tryRead(Buffer.from(JSON.stringify(withValue(document, way, value)))),
      ),
    );
  },
);

t.test(
  'no bundle with some bytes changed proves anything that the good one does not',
  async (t) => {
    const context = contextFor();
    const examine = async (untrusted: Uint8Array) =>
      await runSteps(
        sigstoreBundle.examine(
          { bytes: untrusted, annotations: {} },
          image.descriptor,
          requirementFor(plan, { minTimestamps: 1 }),
          context,
        ),
      );
    const good = await examine(bytes);
    t.equal(good.stoppedBy, undefined);
    await holds(
      t,
      'some bytes changed',
      fc.asyncProperty(mutationsOf(bytes), async (changed) => {
        const { stoppedBy, proven } = await examine(changed);
        // A space in the JSON, or the hint at a place, may change and nothing be wrong.
        if (stoppedBy === undefined) {
          return JSON.stringify(proven.signer) === JSON.stringify(good.proven.signer);
        }
        return proven.signer === undefined;
      }),
    );
  },
);

t.test('whatever its bytes, a statement is read or has a problem', async (t) => {
  const statement = Buffer.from(
    '{"_type":"https://in-toto.io/Statement/v1","subject":[{"digest":{"sha256":"00"}}],"predicateType":"a"}',
  );
  t.notOk('problem' in readStatementHead(statement));
  const reads = (untrusted: Uint8Array): void => void readStatementHead(untrusted);
  await holds(t, 'some bytes changed', fc.property(mutationsOf(statement), reads));
});
