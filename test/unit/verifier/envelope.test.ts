import { Readable } from 'node:stream';
import t from 'tap';
import type { SignatureFormat } from '../../../src/formats/signature-format.ts';
import type { Descriptor } from '../../../src/oci/descriptor.ts';
import { digestOf } from '../../../src/oci/digest.ts';
import type { RepositoryPath } from '../../../src/oci/repository.ts';
import type { ContentSource } from '../../../src/upstream/content-source.ts';
import { makeBudget } from '../../../src/verifier/budget.ts';
import type { Candidate, EnvelopeLead, ReadFrom } from '../../../src/verifier/candidate.ts';
import { isTooLarge, readEnvelope } from '../../../src/verifier/envelope.ts';
import { makeFakeClock } from '../../support/fake-clock.ts';
import { never } from '../../support/gate-kit.ts';

const bytes = Buffer.from('an envelope');
const layer: Descriptor = {
  mediaType: 'application/jose+json',
  digest: digestOf(bytes),
  size: bytes.byteLength,
};
const format = { id: 'toy', maxEnvelopeBytes: bytes.byteLength } as unknown as SignatureFormat;
const lead: EnvelopeLead = {
  path: 'app' as RepositoryPath,
  manifest: digestOf(Buffer.from('a manifest')),
  format,
  layer,
  index: 0,
  isSeveral: false,
};

interface Answered {
  readonly candidate: Candidate;
  /** What was answered, where an answer came. */
  readonly stream: Readable | undefined;
}

async function answered(
  content: Buffer | undefined,
  { size, of = lead }: { readonly size?: number; readonly of?: EnvelopeLead } = {},
): Promise<Answered> {
  const stream = content && Readable.from([content], { objectMode: false });
  const openBlob = async () => stream && { stream, ...(size !== undefined && { size }) };
  const from: ReadFrom = {
    source: { openBlob } as unknown as ContentSource,
    budget: makeBudget({ maxCandidates: 1, maxBytes: 1, maxMs: 60_000 }, makeFakeClock(), never()),
    readMs: 60_000,
  } as ReadFrom;
  return { candidate: await readEnvelope(of, from), stream };
}

t.test('bytes of the size and digest that the manifest names are a signature', async (t) => {
  for (const size of [undefined, bytes.byteLength]) {
    const { candidate } = await answered(bytes, size === undefined ? {} : { size });
    t.match(candidate, { kind: 'signature', digest: lead.manifest, untrusted: { bytes } });
    t.notOk('envelope' in candidate);
  }
});

t.test("a layer's annotations come with its bytes, and none are none", async (t) => {
  const annotations = { who: 'alice' };
  const { candidate } = await answered(bytes, {
    of: { ...lead, layer: { ...layer, annotations } },
  });
  t.strictSame('untrusted' in candidate && candidate.untrusted.annotations, annotations);
  const bare = await answered(bytes);
  t.strictSame('untrusted' in bare.candidate && bare.candidate.untrusted.annotations, {});
});

t.test('one of several is named by its own digest and place too', async (t) => {
  const of = { ...lead, index: 3, isSeveral: true };
  const { candidate } = await answered(bytes, { of });
  t.match(candidate, { kind: 'signature', envelope: { digest: layer.digest, index: 3 } });
});

t.test('bytes that the digest does not name are the fault of the upstream', async (t) => {
  const other = Buffer.from('on envelope');
  for (const content of [other, bytes.subarray(1), Buffer.concat([bytes, bytes])]) {
    const { candidate, stream } = await answered(content);
    t.match(candidate, { kind: 'unfetched', because: /not what the digest names/ });
    t.ok(candidate.kind === 'unfetched' && candidate.because.includes(layer.digest));
    t.ok(stream?.destroyed);
  }
});

t.test('an answer of another length is not read at all', async (t) => {
  const { candidate, stream } = await answered(bytes, { size: bytes.byteLength + 1 });
  t.match(candidate, { kind: 'unfetched', because: /not what the digest names/ });
  t.equal(stream?.readableDidRead, false);
  t.ok(stream?.destroyed);
});

t.test('an envelope that is not there may come later', async (t) => {
  const { candidate } = await answered(undefined);
  t.match(candidate, {
    kind: 'broken',
    format: 'toy',
    isLasting: false,
    because: /does not exist/,
  });
});

t.test('an envelope larger than its format allows stays so, and is not asked for', async (t) => {
  t.equal(isTooLarge(lead), false, 'as large as it may be');
  const of = { ...lead, layer: { ...layer, size: layer.size + 1 } };
  t.equal(isTooLarge(of), true);
  const { candidate, stream } = await answered(bytes, { of });
  const because = `its envelope is larger than ${bytes.byteLength} bytes`;
  t.match(candidate, { kind: 'broken', format: 'toy', isLasting: true, because });
  t.equal(stream?.destroyed, false);
});
