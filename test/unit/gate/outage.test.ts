import { once } from 'node:events';
import { connect, createServer, type AddressInfo } from 'node:net';
import { readFile } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { PassThrough, Readable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { HeadObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { Redis } from 'ioredis';
import t, { type Test } from 'tap';
import { fetch as undiciFetch, request } from 'undici';
import { UnavailableError } from '../../../src/gate/gate-error.ts';
import { isOutage } from '../../../src/gate/outage.ts';
import { fromUpstream } from '../../../src/gate/upstream-failure.ts';
import { StorageError } from '../../../src/storage/storage-error.ts';

type Fail = (port: number) => Promise<unknown>;

/** Against a server that takes connections and cuts them as soon as they say something. */
const failures: Readonly<Record<string, Fail>> = {
  'a cut connection of undici': (port) => request(`http://127.0.0.1:${port}/`),
  'a cut connection of fetch': (port) => fetch(`http://127.0.0.1:${port}/`),
  "a cut connection of undici's fetch": (port) => undiciFetch(`http://127.0.0.1:${port}/`),
  'a cut connection of the client of S3': (port) => askS3(`http://127.0.0.1:${port}`),
  'a refused connection': () => once(connect(1, '127.0.0.1'), 'connect'),
  'a lost connection of the client of Redis': (port) => askRedis(port),
  'a stream that ended too early': () => {
    const cut = new Readable({ read() {} });
    setImmediate(() => cut.destroy());
    return pipeline(cut, new PassThrough());
  },
  'a file that is not there': () => readFile('/nowhere/at/all'),
  'a wait that was ended': () => delay(60_000, undefined, { signal: AbortSignal.abort() }),
  'a deadline': async () =>
    AbortSignal.abort(new DOMException('', 'TimeoutError')).throwIfAborted(),
};

for (const [what, fail] of Object.entries(failures)) {
  t.test(`${what} is no mistake of ours, and worth a retry`, async (t) => {
    const port = await startCutting(t);
    const error: unknown = await fail(port).then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    t.equal(isOutage(error), true, String(error));
    const waiting = new AbortController().signal;
    await t.rejects(fromUpstream(Promise.reject(error as Error), waiting), {
      name: UnavailableError.name,
      code: 'UNAVAILABLE',
      cause: error as Error,
    });
  });
}

t.test('what S3 answers is none, whatever it says', async (t) => {
  for (const [name, status] of [
    ['InvalidRange', 416],
    ['PreconditionFailed', 412],
    ['NoSuchKey', 404],
    ['InternalError', 500],
  ] as const) {
    const error = Object.assign(new Error(name), { name, $metadata: { httpStatusCode: status } });
    t.equal(isOutage(error), true, name);
  }
});

t.test('a mistake of ours stays one', async (t) => {
  const closed = Object.assign(new Error('bad file descriptor'), {
    code: 'EBADF',
    syscall: 'read',
  });
  const argument = Object.assign(new TypeError('x'), { code: 'ERR_INVALID_ARG_TYPE' });
  const undici = Object.assign(new Error('x'), { code: 'UND_ERR_INVALID_ARG' });
  const mistakes = [new TypeError('x'), new RangeError('x'), new Error('x'), 'x', undefined];
  for (const error of [...mistakes, closed, argument, undici]) {
    t.equal(isOutage(error), false, String(error));
    const passed = fromUpstream(Promise.reject(error as Error), new AbortController().signal);
    t.equal(await passed.catch((thrown: unknown) => thrown), error);
  }
});

t.test('errors of our layers are told apart by themselves', async (t) => {
  t.equal(isOutage(new StorageError('STORAGE_FAILED', 'x')), false);
});

async function startCutting(t: Test): Promise<number> {
  const server = createServer((socket) => {
    socket.on('error', () => undefined).once('data', () => socket.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.close());
  return (server.address() as AddressInfo).port;
}

async function askS3(endpoint: string): Promise<unknown> {
  const credentials = { accessKeyId: 'a', secretAccessKey: 'b' };
  const client = new S3Client({ endpoint, region: 'r', credentials, maxAttempts: 1 });
  try {
    return await client.send(new HeadObjectCommand({ Bucket: 'bucket', Key: 'key' }));
  } finally {
    client.destroy();
  }
}

async function askRedis(port: number): Promise<unknown> {
  const client = new Redis(port, '127.0.0.1', { maxRetriesPerRequest: 0, lazyConnect: true });
  client.on('error', () => undefined);
  try {
    return await client.get('key');
  } finally {
    client.disconnect();
  }
}
