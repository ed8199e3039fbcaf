import { buffer } from 'node:stream/consumers';
import type { Test } from 'tap';
import { digestOf } from '../../src/oci/digest.ts';
import type { BlobStore, ContentName, Staging } from '../../src/storage/blob-store.ts';

/** A store, and the same content as another process sees it. */
export interface StoreUnderTest {
  readonly store: BlobStore;
  other(): Promise<BlobStore>;
}

export interface Content {
  readonly name: ContentName;
  readonly bytes: Buffer;
}

/** Bytes that differ at every place, so that a part at the wrong place is found. */
export function makeContent(size: number, seed = 1, algorithm?: 'sha256' | 'sha512'): Content {
  const bytes = Buffer.alloc(size);
  for (let at = 0; at < size; at += 1) bytes[at] = (at * 31 + (at >> 8) * 17 + seed * 101) & 0xff;
  return { name: { digest: digestOf(bytes, algorithm), size }, bytes };
}

/** Stores content in pieces. */
export async function store(into: BlobStore, { name, bytes }: Content): Promise<void> {
  const staging = await begun(into, name);
  const middle = bytes.length >> 1;
  await staging.append([bytes.subarray(0, middle), bytes.subarray(middle)]);
  if (!staging.matches()) throw new Error('the content does not match');
  await staging.commit();
  await staging.release();
}

export async function begun(into: BlobStore, name: ContentName): Promise<Staging> {
  const staging = await into.begin(name);
  if (typeof staging === 'string') throw new Error(`it is ${staging}`);
  return staging;
}

export async function readBack(
  from: BlobStore,
  name: ContentName,
  start = 0,
  end = name.size,
): Promise<Buffer | undefined> {
  const blob = await from.open(name);
  return blob && buffer(blob.read(start, end));
}

/** What every `BlobStore` keeps to. */
export function blobStoreContract(t: Test, make: (t: Test) => Promise<StoreUnderTest>): void {
  const small = makeContent(1000);
  const large = makeContent(700_000, 2);

  for (const content of [small, large, makeContent(0, 3), makeContent(5000, 4, 'sha512')]) {
    const { digest, size } = content.name;
    const what = `${size} bytes of ${digest.slice(0, 6)}`;
    t.test(`${what} that were committed are read back, here and by another`, async (t) => {
      const { store: here, other } = await make(t);
      await store(here, content);
      t.ok((await readBack(here, content.name))?.equals(content.bytes));
      t.ok((await readBack(await other(), content.name))?.equals(content.bytes));
      t.match(await here.stat(digest), { digest, size, isOpen: false });
    });
  }

  t.test('any part is read back', async (t) => {
    const { store: here } = await make(t);
    await store(here, large);
    for (const [start, end] of [
      [0, 1],
      [0, 300_000],
      [131_071, 131_073],
      [699_999, 700_000],
      [5, 5],
    ] as const) {
      const part = await readBack(here, large.name, start, end);
      t.ok(part?.equals(large.bytes.subarray(start, end)), `${start} to ${end}`);
    }
  });

  t.test('what was never stored is not there, and neither is unfinished content', async (t) => {
    const { store: here, other } = await make(t);
    t.equal(await here.open(small.name), undefined);
    t.equal(await here.stat(small.name.digest), undefined);
    const staging = await begun(here, small.name);
    await staging.append([small.bytes]);
    t.equal(await here.open(small.name), undefined);
    t.equal(await (await other()).open(small.name), undefined);
    await staging.discard();
    await staging.release();
  });

  t.test('stored content of another size than asked for is nothing', async (t) => {
    const { store: here } = await make(t);
    await store(here, small);
    t.equal(await here.open({ ...small.name, size: 999 }), undefined);
    t.ok(await readBack(here, small.name));
  });

  t.test('other bytes than the digest names can not be committed', async (t) => {
    const { store: here } = await make(t);
    for (const wrong of [
      Buffer.concat([small.bytes.subarray(0, 999), Buffer.of(0xff)]),
      small.bytes.subarray(0, 999),
      Buffer.concat([small.bytes, Buffer.of(0)]),
    ]) {
      const staging = await begun(here, small.name);
      await staging.append([wrong]);
      t.equal(staging.matches(), false);
      await t.rejects(staging.commit(), TypeError);
      await staging.discard();
      await staging.release();
    }
    t.equal(await here.open(small.name), undefined);
  });

  t.test('one at a time stores a digest; with the end of one the next may', async (t) => {
    const { store: here, other } = await make(t);
    const there = await other();
    const staging = await begun(here, small.name);
    t.equal(await there.begin(small.name), 'taken');
    t.equal(await here.begin(small.name), 'taken');
    const another = await begun(there, large.name);
    await another.discard();
    await another.release();
    await staging.discard();
    await staging.release();
    await store(there, small);
    t.equal(await here.begin(small.name), 'stored');
  });

  t.test('what was kept is gone on with by whoever begins next', async (t) => {
    const { store: here, other } = await make(t);
    const there = await other();
    const first = await begun(here, large.name);
    t.equal(first.prefixBytes, 0);
    await first.noteValidator('"v1"');
    await first.append([large.bytes.subarray(0, 300_000)]);
    await first.keep();
    await first.release();
    const second = await begun(there, large.name);
    t.equal(second.prefixBytes, 300_000);
    t.equal(second.validator, '"v1"');
    const piece = Buffer.alloc(10);
    t.equal(await second.read(piece, 299_990), 10);
    t.ok(piece.equals(large.bytes.subarray(299_990, 300_000)));
    await second.append([large.bytes.subarray(300_000)]);
    t.ok(second.matches());
    await second.commit();
    await second.release();
    t.ok((await readBack(here, large.name))?.equals(large.bytes));
  });

  t.test('what was discarded is begun anew', async (t) => {
    const { store: here } = await make(t);
    const first = await begun(here, small.name);
    await first.append([small.bytes.subarray(0, 500)]);
    await first.discard();
    await first.release();
    const second = await begun(here, small.name);
    t.equal(second.prefixBytes, 0);
    await second.discard();
    await second.release();
  });

  t.test('staged bytes are read while they come and after the commit', async (t) => {
    const { store: here } = await make(t);
    const staging = await begun(here, small.name);
    await staging.append([small.bytes.subarray(0, 600)]);
    const into = Buffer.alloc(1000);
    t.equal(await staging.read(into, 0), 600);
    await staging.append([small.bytes.subarray(600)]);
    t.ok(staging.matches());
    await staging.commit();
    t.equal(await staging.read(into, 0), 1000);
    t.ok(into.equals(small.bytes));
    await staging.release();
  });

  t.test('another process follows what is being stored, till it is', async (t) => {
    const { store: here, other } = await make(t);
    const there = await other();
    t.equal(await there.follow(small.name), undefined);
    const staging = await begun(here, small.name);
    const followed = await there.follow(small.name);
    t.equal(await followed?.progress(), 0);
    await staging.append([small.bytes.subarray(0, 600)]);
    t.equal(await followed?.progress(), 600);
    const into = Buffer.alloc(600);
    t.equal(await followed?.read(into, 0), 600);
    t.ok(into.equals(small.bytes.subarray(0, 600)));
    await staging.append([small.bytes.subarray(600)]);
    t.ok(staging.matches());
    await staging.commit();
    await staging.release();
    t.equal(await followed?.progress(), 'stored');
    await followed?.release();
  });

  t.test('who follows sees it when the other gives up', async (t) => {
    const { store: here, other } = await make(t);
    for (const end of ['keep', 'discard'] as const) {
      const staging = await begun(here, small.name);
      await staging.append([small.bytes.subarray(0, 600)]);
      const followed = await (await other()).follow(small.name);
      await staging[end]();
      await staging.release();
      t.equal(await followed?.progress(), 'lost');
      await followed?.release();
    }
  });

  t.test('content of another size is not followed', async (t) => {
    const { store: here, other } = await make(t);
    const staging = await begun(here, small.name);
    t.equal(await (await other()).follow({ ...small.name, size: 999 }), undefined);
    await staging.discard();
    await staging.release();
  });

  for (const into of ['trash', 'quarantine'] as const) {
    t.test(
      `content moved into ${into} is gone at once, and whoever reads it gets all`,
      async (t) => {
        const { store: here } = await make(t);
        await store(here, large);
        const blob = await here.open(large.name);
        t.equal((await here.stat(large.name.digest))?.isOpen, true);
        t.equal(await here.remove(large.name.digest, into), true);
        t.equal(await here.open(large.name), undefined);
        t.equal(await here.remove(large.name.digest, into), false);
        const { blobs, quarantined } = await here.usage();
        const [files, bytes] = into === 'quarantine' ? [1, large.name.size] : [0, 0];
        t.strictSame(
          { blobs, quarantined },
          { blobs: { files: 0, bytes: 0 }, quarantined: { files, bytes } },
        );
        t.ok(blob && (await buffer(blob.read(0, large.name.size))).equals(large.bytes));
        await store(here, large);
        t.ok(await readBack(here, large.name));
      },
    );
  }

  t.test('all that is stored is listed and counted', async (t) => {
    const { store: here } = await make(t);
    const strong = makeContent(3000, 5, 'sha512');
    t.strictSame((await here.usage()).blobs, { files: 0, bytes: 0 });
    await store(here, small);
    await store(here, strong);
    const staging = await begun(here, large.name);
    await staging.append([large.bytes.subarray(0, 2000)]);
    const listed: string[] = [];
    for await (const { digest } of here.list()) listed.push(digest);
    t.strictSame(listed.toSorted(), [small.name.digest, strong.name.digest].toSorted());
    const { blobs, partial } = await here.usage();
    t.strictSame(blobs, { files: 2, bytes: 4000 });
    t.strictSame(partial, { files: 1, bytes: 2000 });
    await here.remove(small.name.digest);
    t.strictSame((await here.usage()).blobs, { files: 1, bytes: 3000 });
    await staging.discard();
    await staging.release();
  });

  t.test('a reader that stops lets go of the content', async (t) => {
    const { store: here } = await make(t);
    await store(here, large);
    const blob = await here.open(large.name);
    const stream = blob?.read(0, large.name.size);
    for await (const _ of stream ?? []) break;
    t.equal((await here.stat(large.name.digest))?.isOpen, false);
    const unread = await here.open(large.name);
    await unread?.close();
    await unread?.close();
    t.equal((await here.stat(large.name.digest))?.isOpen, false);
  });

  t.test('a sweep leaves alone what is stored and what is under way', async (t) => {
    const { store: here, other } = await make(t);
    await store(here, small);
    const staging = await begun(here, large.name);
    await staging.append([large.bytes.subarray(0, 2000)]);
    await (await other()).sweep(new AbortController().signal);
    await staging.append([large.bytes.subarray(2000)]);
    t.ok(staging.matches());
    await staging.commit();
    await staging.release();
    t.ok((await readBack(here, small.name))?.equals(small.bytes));
    t.ok((await readBack(here, large.name))?.equals(large.bytes));
  });

  t.test('a healthy store takes content', async (t) => {
    const { store: here } = await make(t);
    t.strictSame(here.health(), { state: 'writable' });
  });
}
