import { PassThrough, Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import * as zlib from 'node:zlib';
import t from 'tap';
import { decodedBody, paced } from '../../../src/upstream/body.ts';
import { UpstreamError } from '../../../src/upstream/upstream-error.ts';
import { makeFakeClock } from '../../support/fake-clock.ts';

const pace = { minBytesPerSecond: 1000, rateWindowMs: 60_000 };
const asIs = (error: unknown): Error => error as Error;

/** Chunks of so many bytes, each after so many milliseconds of upstream's time. */
function slowly(chunks: number, bytes: number, ms: number) {
  const clock = makeFakeClock();
  const source = Readable.from(
    (function* () {
      for (let chunk = 0; chunk < chunks; chunk += 1) {
        clock.advanceMs(ms);
        yield Buffer.alloc(bytes);
      }
    })(),
    { highWaterMark: 1 },
  );
  return { clock, source };
}

t.test('a body above the pace passes, however long it takes', async (t) => {
  const { clock, source } = slowly(100, 15_000, 10_000);
  t.equal((await buffer(paced(source, pace, clock, asIs))).length, 1_500_000);
});

t.test('a body below the pace fails after the window', async (t) => {
  const { clock, source } = slowly(100, 5_000, 10_000);
  await t.rejects(buffer(paced(source, pace, clock, asIs)), {
    code: 'UPSTREAM_TIMEOUT',
    message: /slower than 1000 bytes a second/,
  });
  t.ok(clock.monotonicMs() <= 90_000);
  t.ok(source.destroyed);
});

t.test('a slow body that ends within the window passes', async (t) => {
  const { clock, source } = slowly(5, 1, 10_000);
  t.equal((await buffer(paced(source, pace, clock, asIs))).length, 5);
});

t.test('a fast start does not pay for a slow rest', async (t) => {
  const clock = makeFakeClock();
  const source = Readable.from(
    (function* () {
      clock.advanceMs(60_000);
      yield Buffer.alloc(10_000_000);
      for (let chunk = 0; chunk < 10; chunk += 1) {
        clock.advanceMs(30_000);
        yield Buffer.alloc(10);
      }
    })(),
    { highWaterMark: 1 },
  );
  await t.rejects(buffer(paced(source, pace, clock, asIs)), { code: 'UPSTREAM_TIMEOUT' });
});

t.test('time that the reader takes does not count', async (t) => {
  const { clock, source } = slowly(20, 20_000, 1);
  let received = 0;
  for await (const chunk of paced(source, pace, clock, asIs)) {
    received += (chunk as Buffer).length;
    clock.advanceMs(120_000);
  }
  t.equal(received, 400_000);
});

t.test('an error of the source comes as what it is made into', async (t) => {
  const source = new Readable({ read: () => undefined });
  const stream = paced(source, pace, makeFakeClock(), (cause) => {
    return new UpstreamError('UPSTREAM_FAILED', 'named', { cause });
  });
  const read = buffer(stream);
  const broken = new Error('broken');
  source.destroy(broken);
  await t.rejects(read, { code: 'UPSTREAM_FAILED', message: 'named', cause: broken });
});

for (const begun of [false, true]) {
  t.test(
    `a reader that leaves ${begun ? 'in the middle' : 'before it began'} closes the source`,
    async (t) => {
      const source = new PassThrough();
      const stream = paced(source, pace, makeFakeClock(), asIs);
      if (begun) {
        source.write('x');
        await new Promise((resolve) => stream.once('readable', resolve));
        stream.read();
      }
      const closed = new Promise((resolve) => source.once('close', resolve));
      stream.on('error', () => undefined).destroy();
      await closed;
      t.ok(source.destroyed);
    },
  );
}

/** A body in zstd whose window is of so many bytes, as a power of two. */
function zstd(content: Uint8Array, windowLog: number): Parameters<typeof decodedBody>[0] {
  const params = { [zlib.constants.ZSTD_c_windowLog]: windowLog };
  const body = Readable.from([zlib.zstdCompressSync(content, { params })]);
  const headers = { 'content-encoding': 'zstd' };
  return { headers, body } as unknown as Parameters<typeof decodedBody>[0];
}

t.test('zstd takes no more memory for an answer than RFC 9659 lets it', async (t) => {
  // What is smaller than the window gets a smaller one.
  const content = Buffer.alloc((1 << 24) + 1, 'content');
  t.ok(content.equals(await buffer(decodedBody(zstd(content, 23)))));
  await t.rejects(buffer(decodedBody(zstd(content, 24))), /requires too much memory/);
});
