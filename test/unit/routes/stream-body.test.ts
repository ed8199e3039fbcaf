import { once } from 'node:events';
import { Readable } from 'node:stream';
import t from 'tap';
import type { TrustedBlob } from '../../../src/gate/trusted-content.ts';
import { digestOf } from '../../../src/oci/digest.ts';
import { readPieces } from '../../../src/storage/read-pieces.ts';
import { admitted, makeBlob } from '../../support/fake-gate.ts';
import { connectTo, listen, makeRouteServer } from '../../support/route-server.ts';

const bytes = Buffer.alloc(1024, 1);
const url = `/v2/demo/app/blobs/${digestOf(bytes)}`;
const requestText = `GET ${url} HTTP/1.1\r\nHost: a\r\n\r\n`;

/** A blob whose opening is in the test's hand. */
function heldBlob() {
  const asked = Promise.withResolvers<AbortSignal>();
  const opened = Promise.withResolvers<Readable>();
  const open: TrustedBlob['open'] = (signal) => {
    asked.resolve(signal);
    return opened.promise;
  };
  return { blob: makeBlob(bytes, { open }), asked: asked.promise, opened };
}

t.test('headers go before the first byte has come', async (t) => {
  const body = new Readable({ read: () => undefined });
  const blob = makeBlob(bytes, { open: async () => body });
  const port = await listen(makeRouteServer(t, { admitBlob: async () => blob }));
  const socket = await connectTo(t, port);
  socket.write(requestText);
  const [head] = (await once(socket, 'data')) as [Buffer];
  t.match(head.toString(), /^HTTP\/1\.1 200 OK\r\n[^]*Content-Length: 1024\r\n[^]*\r\n\r\n$/);
  body.push(bytes);
  body.push(null);
  const [rest] = (await once(socket, 'data')) as [Buffer];
  t.strictSame(rest, bytes);
});

t.test('an opening that is too late is aborted, answered with 503, and closed', async (t) => {
  const { blob, asked, opened } = heldBlob();
  const { server } = makeRouteServer(
    t,
    { admitBlob: async () => blob },
    { limits: { answerDeadlineMs: 20 } },
  );
  const answer = await server.inject({ url });
  t.equal(answer.statusCode, 503);
  t.equal((await asked).aborted, true);
  const body = Readable.from([bytes]);
  const closed = once(body, 'close');
  opened.resolve(body);
  await closed;
  t.equal(body.destroyed, true);
});

t.test('an opening for a client that has gone is aborted, and closed', async (t) => {
  const { blob, asked, opened } = heldBlob();
  const routes = makeRouteServer(t, { admitBlob: async () => blob });
  const socket = await connectTo(t, await listen(routes));
  socket.write(requestText);
  const signal = await asked;
  const aborted = once(signal, 'abort');
  socket.destroy();
  await aborted;
  const body = Readable.from([bytes]);
  const closed = once(body, 'close');
  opened.resolve(body);
  await closed;
  t.equal(body.destroyed, true);
  t.strictSame(routes.logLines, [], 'a client that leaves is no event');
});

t.test('an opening that fails after the deadline hurts nobody', async (t) => {
  const { blob, opened } = heldBlob();
  const { server } = makeRouteServer(
    t,
    { admitBlob: async () => blob },
    { limits: { answerDeadlineMs: 20 } },
  );
  t.equal((await server.inject({ url })).statusCode, 503);
  opened.reject(new Error('too late'));
  t.equal((await server.inject({ url: '/v2/' })).statusCode, 200);
});

t.test('a stream that is cut while its reader stalls ends the connection alone', async (t) => {
  const reading = Promise.withResolvers<void>();
  const size = 64 * 1024 * 1024;
  const source = {
    async read(into: Uint8Array, position: number) {
      if (position > 0) reading.resolve();
      return into.byteLength;
    },
    ready: (position: number) => (position < size ? size - position : 'end'),
    whenMore: () => undefined,
    onEnd: () => undefined,
  } as const;
  const body = readPieces(source, 0, 128 * 1024);
  const small = makeBlob(bytes, { open: async () => body });
  const blob = admitted({ ...small, descriptor: { ...small.descriptor, size } });
  const routes = makeRouteServer(t, { admitBlob: async () => blob });
  const socket = await connectTo(t, await listen(routes));
  socket.pause().write(requestText);
  await reading.promise;
  const closed = once(socket, 'close');
  body.destroy(new Error('it took nothing'));
  socket.resume();
  await closed;
  t.match(routes.logLines, [{ message: 'a stream failed, and its connection was cut' }]);
  t.equal(routes.logLines.length, 1);
});
