import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import { connect, type AddressInfo, type Socket } from 'node:net';
import t, { type Test } from 'tap';
import { sendPieces } from '../../../src/routes/send-pieces.ts';
import type { Pieces } from '../../../src/storage/read-pieces.ts';
import { makeContent } from '../../contract/blob-store.ts';

const mebibyte = 1024 * 1024;
const { bytes } = makeContent(5 * mebibyte);

/** All of the bytes, as many at a time as asked for; sizes of the reads are noted. */
function piecesOf(all: Buffer, readyAtATime = Infinity): Pieces & { readonly reads: number[] } {
  let position = 0;
  const reads: number[] = [];
  return {
    reads,
    ready: async () => Math.min(all.length - position, readyAtATime),
    async read(into) {
      const count = all.copy(into, 0, position);
      reads.push(count);
      position += count;
      return count;
    },
  };
}

interface Sending {
  readonly socket: Socket;
  readonly response: ServerResponse;
}

/** A response to a client that reads nothing by itself. */
async function openResponse(t: Test): Promise<Sending> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1').pause();
  t.teardown(() => {
    socket.destroy();
    server.closeAllConnections();
    server.close();
  });
  socket.write('GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
  const [, response] = (await once(server, 'request')) as [unknown, ServerResponse];
  return { socket, response };
}

async function bodyOf(socket: Socket): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of socket) chunks.push(chunk as Buffer);
  const all = Buffer.concat(chunks);
  return all.subarray(all.indexOf('\r\n\r\n') + 4);
}

t.test('all is sent: little at first, then in larger and larger pieces', async (t) => {
  const { socket, response } = await openResponse(t);
  response.setHeader('Content-Length', bytes.length);
  const pieces = piecesOf(bytes);
  const sending = sendPieces(pieces, response, bytes.length);
  t.ok((await bodyOf(socket)).equals(bytes));
  await sending;
  t.equal(pieces.reads[0], 16 * 1024);
  t.equal(pieces.reads[1], 128 * 1024);
  t.equal(Math.max(...pieces.reads), mebibyte);
});

t.test('nothing is an answer of nothing', async (t) => {
  const { socket, response } = await openResponse(t);
  response.setHeader('Content-Length', 0);
  const body = bodyOf(socket);
  await sendPieces(piecesOf(Buffer.alloc(0)), response, 0);
  t.equal((await body).length, 0);
});

t.test('no byte past the promised ones is sent, whatever the source has', async (t) => {
  for (const promised of [1, 10_000, 200_000]) {
    const { socket, response } = await openResponse(t);
    response.setHeader('Content-Length', promised);
    const pieces = piecesOf(bytes);
    const sending = sendPieces(pieces, response, promised).finally(() => response.destroy());
    await t.rejects(sending, { message: `the stream has more than ${promised} bytes` });
    t.ok((await bodyOf(socket)).length <= promised);
    t.equal(
      pieces.reads.reduce((sum, read) => sum + read, 0),
      promised,
    );
  }
});

t.test('a source that ends early or fails is an error', async (t) => {
  const { response } = await openResponse(t);
  const early = sendPieces(piecesOf(bytes.subarray(0, 10)), response, 11);
  await t.rejects(early, { message: 'the stream ended after 10 of 11 bytes' });
  const next = await openResponse(t);
  const failing: Pieces = {
    ready: async () => 5,
    read: () => Promise.reject(new Error('no disk')),
  };
  await t.rejects(sendPieces(failing, next.response, 11), { message: 'no disk' });
});

t.test(
  'a client that leaves ends it, while it takes nothing and while nothing comes',
  async (t) => {
    const taking = await openResponse(t);
    const pieces = piecesOf(bytes);
    const endless: Pieces = { ...pieces, ready: async () => 5, read: async (into) => into.length };
    const sending = sendPieces(endless, taking.response, Number.MAX_SAFE_INTEGER);
    taking.socket.destroy();
    await t.rejects(sending);
    const waiting = await openResponse(t);
    const silent: Pieces = { ...pieces, ready: () => new Promise(() => undefined) };
    const idle = sendPieces(silent, waiting.response, 10);
    waiting.socket.destroy();
    await t.rejects(idle, { message: 'the client has gone' });
    await t.rejects(sendPieces(silent, waiting.response, 10), { message: 'the client has gone' });
  },
);

t.test('a client that takes nothing is sent one piece, and no more is read', async (t) => {
  const { socket, response } = await openResponse(t);
  const { bytes: much } = makeContent(32 * mebibyte);
  response.setHeader('Content-Length', much.length);
  const pieces = piecesOf(much, 100_000);
  const sending = sendPieces(pieces, response, much.length);
  let before = -1;
  while (pieces.reads.length !== before || response.writableLength === 0) {
    before = pieces.reads.length;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  t.ok(response.writableLength <= 100_000, `${response.writableLength} bytes wait`);
  t.ok((await bodyOf(socket)).equals(much));
  await sending;
});
