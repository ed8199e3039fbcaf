import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import t from 'tap';
import { openerOf } from '../../../src/gate/part.ts';
import { mediaTypes } from '../../../src/oci/media-types.ts';
import { parseRepositoryPath, type RepositoryPath } from '../../../src/oci/repository.ts';
import { matching } from '../../../src/storage/matching.ts';
import { StorageError } from '../../../src/storage/storage-error.ts';
import type { BlobContent, BlobWish } from '../../../src/upstream/content-source.ts';
import { makeContent } from '../../contract/blob-store.ts';
import { makeMemorySource } from '../../support/memory-source.ts';
import { makeCountingMetrics } from '../../support/silence.ts';

const { bytes, name } = makeContent(200_000);
const { size } = name;
const part = { ...name, mediaType: mediaTypes.octets };
const repository = { upstream: 'reg', path: parseRepositoryPath('app') as RepositoryPath };
const { signal } = new AbortController();

type Given = (wish: BlobWish | undefined) => BlobContent | undefined;

function makeOpener(give: Given) {
  const metrics = makeCountingMetrics();
  const wishes: (BlobWish | undefined)[] = [];
  const source = {
    ...makeMemorySource(),
    openBlob: async (_path: unknown, _digest: unknown, _signal: unknown, wish?: BlobWish) => {
      wishes.push(wish);
      return give(wish);
    },
  };
  return { ...openerOf(repository, part, { source: () => source, matching, metrics }), wishes };
}

const streamOf = (first = 0, last = size - 1): Readable =>
  Readable.from([bytes.subarray(first, last + 1)]);
const wrong = Buffer.from(bytes);
wrong[5]! ^= 1;

t.test('bytes that nobody has looked at are verified on their way', async (t) => {
  const right = makeOpener(() => ({ size, stream: streamOf() }));
  t.ok((await buffer(await right.open(signal))).equals(bytes));
  t.strictSame(right.wishes, [{ size, range: undefined }]);
  const bad = makeOpener(() => ({ size, stream: Readable.from([wrong]) }));
  await t.rejects(buffer(await bad.open(signal)), { code: 'CONTENT_MISMATCH' });
});

t.test('what was verified, or is withheld till then, goes on as it is', async (t) => {
  for (const proof of ['stored', 'withheld'] as const) {
    const stream = streamOf();
    const opener = makeOpener(() => ({ size, stream, proof }));
    t.equal(await opener.open(signal), stream, proof);
  }
});

t.test('a part of what was verified is given as it is', async (t) => {
  const range = { first: 5, last: 9 };
  const opener = makeOpener((wish) => ({
    size,
    stream: streamOf(5, 9),
    range: wish?.range,
    proof: 'stored',
  }));
  const opened = await opener.openRange(range, signal);
  t.strictSame(opened.range, range);
  t.ok((await buffer(opened.stream)).equals(bytes.subarray(5, 10)));
  t.strictSame(opener.wishes, [{ size, range }]);
});

t.test('a rest of unverified bytes is the end of the whole, verified', async (t) => {
  const range = { first: 150_000, last: size - 1 };
  const opened = await makeOpener(() => ({ size, stream: streamOf() })).openRange(range, signal);
  t.strictSame(opened.range, range);
  t.ok((await buffer(opened.stream)).equals(bytes.subarray(150_000)));
  const bad = makeOpener(() => ({ size, stream: Readable.from([wrong]) }));
  const { stream } = await bad.openRange(range, signal);
  await t.rejects(buffer(stream), { code: 'CONTENT_MISMATCH' }, 'the wrong byte was before it');
});

t.test('any other part of unverified bytes is the whole', async (t) => {
  for (const range of [
    { first: 0, last: 9 },
    { first: 5, last: size - 2 },
  ]) {
    const opener = makeOpener(() => ({ size, stream: streamOf() }));
    const opened = await opener.openRange(range, signal);
    t.equal(opened.range, undefined);
    t.ok((await buffer(opened.stream)).equals(bytes));
  }
});

t.test('a range of all is all of it', async (t) => {
  const range = { first: 0, last: size - 1 };
  const opened = await makeOpener(() => ({ size, stream: streamOf() })).openRange(range, signal);
  t.strictSame(opened.range, range);
  t.ok((await buffer(opened.stream)).equals(bytes));
});

t.test('a part that nobody has looked at is not taken: the whole is asked for', async (t) => {
  const unverified = streamOf(150_000);
  const opener = makeOpener((wish) =>
    wish?.range === undefined
      ? { size, stream: streamOf() }
      : { size, stream: unverified, range: { first: 150_000 } },
  );
  const range = { first: 150_000, last: size - 1 };
  const opened = await opener.openRange(range, signal);
  t.ok((await buffer(opened.stream)).equals(bytes.subarray(150_000)));
  t.equal(unverified.destroyed, true);
  t.strictSame(opener.wishes, [
    { size, range },
    { size, range: undefined },
  ]);
});

t.test('a source that says another size, or has nothing, is no answer', async (t) => {
  const stream = streamOf();
  const other = makeOpener(() => ({ size: 5, stream }));
  await t.rejects(other.open(signal), { code: 'BAD_UPSTREAM', message: /upstream has 5 bytes/ });
  t.equal(stream.destroyed, true);
  const range = { first: 1, last: 2 };
  await t.rejects(makeOpener(() => undefined).openRange(range, signal), { code: 'BLOB_UNKNOWN' });
});

t.test(
  'what a store finds wrong is upstream’s fault; what it can not do is worth a retry',
  async (t) => {
    for (const [code, seen] of [
      ['CONTENT_MISMATCH', 'BAD_UPSTREAM'],
      ['STORAGE_FAILED', 'UNAVAILABLE'],
    ] as const) {
      const opener = makeOpener(() => {
        throw new StorageError(code, 'no');
      });
      await t.rejects(opener.open(signal), { code: seen });
    }
  },
);
