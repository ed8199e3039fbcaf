import { once } from 'node:events';
import { createServer, type AddressInfo, connect, type Socket } from 'node:net';
import t, { type Test } from 'tap';
import { makeConnections, refuseConnection } from '../../../src/routes/connection.ts';

/** What a peer gets when its connection is refused for an error of this code. */
async function refusalOf(t: Test, code: string | undefined, answering = false): Promise<string> {
  const server = createServer().listen(0, '127.0.0.1');
  t.teardown(() => server.close());
  await once(server, 'listening');
  const client = connect((server.address() as AddressInfo).port, '127.0.0.1');
  client.on('error', () => undefined);
  const [socket] = (await once(server, 'connection')) as [Socket];
  const connections = makeConnections(4);
  if (answering) connections.begin(socket);
  const chunks: Buffer[] = [];
  client.on('data', (chunk: Buffer) => chunks.push(chunk));
  const closed = once(client, 'close');
  refuseConnection(Object.assign(new Error('x'), code && { code }), socket, connections);
  await closed;
  return Buffer.concat(chunks).toString();
}

t.test(
  'what is no HTTP is answered by the kind of its error, and the connection ends',
  async (t) => {
    const rows = [
      ['HPE_INVALID_METHOD', '400 Bad Request', /no valid HTTP/],
      ['HPE_HEADER_OVERFLOW', '431 Request Header Fields Too Large', /headers are too large/],
      ['HPE_CHUNK_EXTENSIONS_OVERFLOW', '413 Payload Too Large', /of a chunk are too large/],
      ['ERR_HTTP_REQUEST_TIMEOUT', '408 Request Timeout', /took too long/],
      [undefined, '400 Bad Request', /no valid HTTP/],
    ] as const;
    for (const [code, status, message] of rows) {
      const answer = await refusalOf(t, code);
      const [head = '', body = ''] = answer.split('\r\n\r\n');
      t.ok(head.startsWith(`HTTP/1.1 ${status}\r\n`), `${code}: ${head}`);
      t.match(head, '\r\nConnection: close');
      t.match(head, `\r\nContent-Length: ${body.length}`);
      t.match(JSON.parse(body), { errors: [{ code: 'UNSUPPORTED', message }] });
    }
  },
);

t.test('in the middle of an answer nothing is written', async (t) => {
  t.equal(await refusalOf(t, 'HPE_INVALID_METHOD', true), '');
});

t.test('requests of a connection are counted up to the bound', async (t) => {
  const connections = makeConnections(2);
  const [one, other] = [{}, {}];
  t.equal(connections.isAnswering(one), false);
  t.equal(connections.begin(one), true);
  t.equal(connections.begin(one), true);
  t.equal(connections.begin(one), false);
  t.equal(connections.begin(other), true, 'each connection for itself');
  for (let index = 0; index < 3; index++) connections.end(one);
  t.equal(connections.isAnswering(one), false);
  t.equal(connections.isAnswering(other), true);
  t.equal(connections.begin(one), true);
});

t.test('the last answer of a connection is remembered as such', async (t) => {
  const connections = makeConnections(2);
  const [one, other] = [{}, {}];
  connections.markLast(one);
  t.equal(connections.isLast(one), true);
  t.equal(connections.isLast(other), false);
});
