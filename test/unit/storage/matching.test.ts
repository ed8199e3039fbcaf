import { createHash } from 'node:crypto';
import { Readable, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import * as fc from 'fast-check';
import t from 'tap';
import { digestOf } from '../../../src/oci/digest.ts';
import { matching } from '../../../src/storage/matching.ts';
import { StorageError } from '../../../src/storage/storage-error.ts';
import { holds } from '../../support/holds.ts';

const kibibyte = 1024;

function bytesOf(size: number): Buffer {
  return createHash('shake256', { outputLength: Math.max(size, 1) })
    .update('matching')
    .digest()
    .subarray(0, size);
}

function chunksOf(bytes: Buffer, size: number): Buffer[] {
  const chunks: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += size) chunks.push(bytes.subarray(at, at + size));
  return chunks;
}

interface Passed {
  readonly bytes: Buffer;
  readonly error: unknown;
}

/** What came out before the end or the error. */
async function pass(
  chunks: readonly Buffer[],
  expected: { digest: ReturnType<typeof digestOf>; size: number },
): Promise<Passed> {
  const received: Buffer[] = [];
  const sink = new Writable({
    write(chunk: Buffer, _encoding, done) {
      received.push(chunk);
      done();
    },
  });
  const error: unknown = await pipeline(Readable.from(chunks), matching(expected), sink).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  return { bytes: Buffer.concat(received), error };
}

function isMismatch(error: unknown, what: string): boolean {
  return (
    error instanceof StorageError &&
    error.code === 'CONTENT_MISMATCH' &&
    error.message.includes(what)
  );
}

for (const size of [0, 1, 100, 64 * kibibyte - 1, 64 * kibibyte, 64 * kibibyte + 1, 300_000]) {
  t.test(`${size} bytes pass that are what was named`, async (t) => {
    const bytes = bytesOf(size);
    for (const algorithm of ['sha256', 'sha512'] as const) {
      const expected = { digest: digestOf(bytes, algorithm), size };
      const passed = await pass(chunksOf(bytes, 16_384), expected);
      t.equal(passed.error, undefined);
      t.ok(passed.bytes.equals(bytes), algorithm);
    }
  });

  t.test(`${size} bytes with another end never come whole`, async (t) => {
    const bytes = Buffer.concat([bytesOf(size), Buffer.of(1)]);
    const expected = { digest: digestOf(bytes), size: bytes.length };
    const wrong = Buffer.from(bytes);
    wrong[wrong.length - 1] = 2;
    const { bytes: received, error } = await pass(chunksOf(wrong, 16_384), expected);
    t.ok(isMismatch(error, 'has other bytes'), String(error));
    t.ok(received.length <= Math.max(0, wrong.length - 64 * kibibyte), `${received.length} came`);
  });
}

t.test('the byte after the size is refused, and what is held back stays', async (t) => {
  const bytes = bytesOf(200_000);
  const expected = { digest: digestOf(bytes.subarray(0, 150_000)), size: 150_000 };
  const { bytes: received, error } = await pass(chunksOf(bytes, 10_000), expected);
  t.ok(isMismatch(error, 'goes on after its 150000 bytes'), String(error));
  t.ok(received.length <= 150_000 - 64 * kibibyte);
});

t.test('one byte for an empty blob is refused', async (t) => {
  const expected = { digest: digestOf(Buffer.alloc(0)), size: 0 };
  const { bytes, error } = await pass([Buffer.of(1)], expected);
  t.ok(isMismatch(error, 'goes on after its 0 bytes'), String(error));
  t.equal(bytes.length, 0);
});

t.test('a stream that ends early is refused', async (t) => {
  const bytes = bytesOf(200_000);
  const expected = { digest: digestOf(bytes), size: bytes.length };
  const cut = bytes.subarray(0, 199_999);
  const { bytes: received, error } = await pass(chunksOf(cut, 16_384), expected);
  t.ok(isMismatch(error, 'ended after 199999 of 200000 bytes'), String(error));
  t.ok(received.length <= 200_000 - 64 * kibibyte);
});

t.test('the error names the digest', async (t) => {
  const digest = digestOf(Buffer.from('expected'));
  const { error } = await pass([Buffer.from('whatever')], { digest, size: 8 });
  t.match(String(error), digest);
});

t.test('bytes come while more are still to come', async (t) => {
  const bytes = bytesOf(400_000);
  const transform = matching({ digest: digestOf(bytes), size: bytes.length });
  transform.write(bytes.subarray(0, 60_000));
  transform.write(bytes.subarray(60_000, 130_000));
  const first = transform.read() as Buffer;
  t.ok(first.equals(bytes.subarray(0, 60_000)), 'what is before the last 64 KiB');
  t.equal(transform.read(), null, 'and no more');
  transform.destroy();
});

t.test('chunks pass by reference', async (t) => {
  const chunk = bytesOf(100_000);
  const bytes = Buffer.concat([chunk, chunk]);
  const transform = matching({ digest: digestOf(bytes), size: bytes.length });
  transform.write(chunk);
  transform.end(chunk);
  t.equal((transform.read(100_000) as Buffer).buffer, chunk.buffer);
  transform.destroy();
});

t.test('a whole blob in chunks of one byte passes', async (t) => {
  const bytes = bytesOf(70_000);
  const expected = { digest: digestOf(bytes), size: bytes.length };
  const passed = await pass(chunksOf(bytes, 1), expected);
  t.equal(passed.error, undefined);
  t.ok(passed.bytes.equals(bytes));
});

t.test('what is held back is bounded', async (t) => {
  const expected = { digest: digestOf(Buffer.from('x')), size: 10_000_000 };
  const transform = matching(expected);
  let given = 0;
  let taken = 0;
  for (let step = 0; step < 400; step += 1) {
    const chunk = Buffer.alloc(10_000);
    given += chunk.length;
    transform.write(chunk);
    taken += (transform.read() as Buffer | null)?.length ?? 0;
  }
  t.ok(given - taken <= 64 * kibibyte + 2 * 10_000, `${given - taken} bytes are held`);
  transform.destroy();
});

t.test('properties', async (t) => {
  const cases = fc.record({
    bytes: fc.uint8Array({ maxLength: 400 }),
    chunk: fc.integer({ min: 1, max: 50 }),
    withheldBytes: fc.integer({ min: 1, max: 100 }),
    flip: fc.nat(),
  });
  await holds(
    t,
    'the same bytes come out, and any flipped bit fails with the end held back',
    fc.asyncProperty(cases, async ({ bytes, chunk, withheldBytes, flip }) => {
      const good = Buffer.from(bytes);
      const expected = { digest: digestOf(good), size: good.length };
      const run = async (input: Buffer): Promise<[Buffer, unknown]> => {
        const received: Buffer[] = [];
        const stream = Readable.from(chunksOf(input, chunk));
        const error: unknown = await pipeline(
          stream,
          matching(expected, { withheldBytes }),
          async (source) => {
            for await (const each of source) received.push(each as Buffer);
          },
        ).then(
          () => undefined,
          (thrown: unknown) => thrown,
        );
        return [Buffer.concat(received), error];
      };
      const [out, error] = await run(good);
      if (error !== undefined || !out.equals(good)) return false;
      if (good.length === 0) return true;
      const bad = Buffer.from(good);
      const at = flip % good.length;
      bad[at] = (bad[at] ?? 0) ^ 1;
      const [early, failure] = await run(bad);
      return isMismatch(failure, 'other bytes') && early.length < good.length;
    }),
  );
});
