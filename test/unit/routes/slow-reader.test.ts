import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import t, { type Test } from 'tap';
import { cutOffSlowReader } from '../../../src/routes/slow-reader.ts';
import { connectTo } from '../../support/route-server.ts';

/** A response on a real connection, with the client's end of it. */
async function open(t: Test) {
  const server = createServer().listen(0, '127.0.0.1');
  t.teardown(() => server.close());
  await once(server, 'listening');
  const client = await connectTo(t, (server.address() as AddressInfo).port);
  client.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
  const [, response] = (await once(server, 'request')) as [unknown, ServerResponse];
  return { client, response };
}

t.test('a client that takes nothing is cut off', async (t) => {
  const { client, response } = await open(t);
  client.pause();
  const stop = cutOffSlowReader(response, { intervalMs: 20, minBytes: 1024 });
  t.teardown(stop);
  const endless = new Readable({
    read() {
      this.push(Buffer.alloc(64 * 1024));
    },
  });
  endless.pipe(response);
  t.teardown(() => endless.destroy());
  await once(response, 'close');
  t.equal(response.destroyed, true);
});

t.test('a client that waits for us is not', async (t) => {
  const { client, response } = await open(t);
  const stop = cutOffSlowReader(response, { intervalMs: 5, minBytes: 1024 });
  t.teardown(stop);
  response.write('begin');
  await once(client, 'data');
  for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setTimeout(resolve, 5));
  t.equal(response.destroyed, false);
  response.end('end');
  const [end] = (await once(client, 'data')) as [Buffer];
  t.match(end.toString(), 'end');
});
