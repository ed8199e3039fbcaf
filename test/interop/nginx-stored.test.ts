import { once } from 'node:events';
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { Agent, request as requestOverTls } from 'node:https';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import t, { type Test } from 'tap';
import { type AppKit, signatureOf, startAppKit } from '../support/app-kit.ts';
import { buildImage } from '../support/build-image.ts';
import { startFakeRegistry } from '../support/fake-registry.ts';
import { writeNginxFront } from '../support/nginx-front.ts';
import { metricOf } from '../support/replicas-kit.ts';
import { requireTool } from '../support/require-tool.ts';
import { makeServerCertificate } from '../support/server-certificate.ts';
import { freePort, listening, runCommand, startProcess } from './support/process.ts';

// deploy/nginx/stored-content.conf before one replica: nginx sends what is stored.
const image = buildImage({ name: 'stored', layerSizes: [3 * 1024 * 1024 + 5, 2_000] });
const unsigned = buildImage({ name: 'unsigned', layerSizes: [200_000] });
const [, layer, small] = image.blobs;
const bytes = Buffer.from(layer!.bytes);
const tls = makeServerCertificate();
const path = `reg/app/blobs/${layer!.descriptor.digest}`;

interface Answer {
  readonly status: number | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

interface Front {
  readonly replica: AppKit;
  ask(path: string, headers?: Readonly<Record<string, string>>, method?: string): Promise<Answer>;
  handedOver(): Promise<number>;
}

async function openFront(t: Test, folderOfNginx?: string): Promise<Front | undefined> {
  const nginx = requireTool(t, 'nginx');
  if (nginx === undefined) return undefined;
  const registry = await startFakeRegistry();
  t.teardown(() => registry.close());
  registry.put('app', image, '1.0');
  registry.put('app', signatureOf(image.descriptor));
  registry.put('app', unsigned, 'unsigned');
  const replica = await startAppKit(t, {
    upstreams: { reg: registry.url },
    config: {
      listen: { host: '127.0.0.1', port: 0, trustedProxies: ['127.0.0.1/32'] },
      storage: { path: './data', accelLocation: '/assay-content/' },
    },
  });
  const port = await freePort();
  const folder = join(t.testdirName, 'nginx');
  const stored = folderOfNginx ?? join(t.testdirName, 'data', 'blobs');
  const replicas = [replica.port, replica.port];
  const words = writeNginxFront({ folder, port, replicas, tls, stored });
  const checked = await runCommand(nginx, ['-t', ...words]);
  t.equal(checked.code, 0, checked.output);
  await listening(startProcess(t, nginx, words), port);
  const agent = new Agent({ keepAlive: true, maxSockets: 1, ca: tls.ca });
  t.teardown(() => agent.destroy());
  return {
    replica,
    async ask(asked, headers = {}, method = 'GET') {
      const url = `https://127.0.0.1:${port}/v2/${asked}`;
      const request = requestOverTls(url, { agent, method, servername: 'localhost', headers });
      request.end();
      const [answer] = (await once(request, 'response')) as [IncomingMessage];
      const body = await buffer(answer);
      return { status: answer.statusCode, headers: answer.headers, body };
    },
    handedOver: () => metricOf(replica, /^assay_blob_handovers_total\{to="nginx"\}/),
  };
}

/** Admitted, and stored. */
async function openStored(t: Test, folderOfNginx?: string): Promise<Front | undefined> {
  const front = await openFront(t, folderOfNginx);
  if (front === undefined) return undefined;
  t.equal((await front.ask('reg/app/manifests/1.0')).status, 200);
  const first = await front.ask(path);
  t.ok(first.body.equals(bytes), 'what is being fetched comes through Assay');
  t.equal(await front.handedOver(), 0);
  while ((await front.replica.app.content.store.stat(layer!.descriptor.digest)) === undefined) {
    await new Promise(setImmediate);
  }
  return front;
}

t.test('what is stored is sent by nginx, with all that Assay says of it', async (t) => {
  const front = await openStored(t);
  if (front === undefined) return;
  const { status, headers, body } = await front.ask(path);
  t.equal(status, 200);
  t.ok(body.equals(bytes));
  t.match(headers, {
    'content-length': String(bytes.length),
    'content-type': 'application/octet-stream',
    'docker-content-digest': layer!.descriptor.digest,
    etag: `"${layer!.descriptor.digest}"`,
    'cache-control': 'no-cache, no-transform',
    'accept-ranges': 'bytes',
    'oci-namespace': 'reg',
  });
  t.notHas(headers, 'x-accel-redirect');
  t.equal(await front.handedOver(), 1);
});

t.test('ranges and conditions come out as without it', async (t) => {
  const front = await openStored(t);
  if (front === undefined) return;
  const total = bytes.length;
  for (const [range, first, end] of [
    ['bytes=1000000-', 1_000_000, total],
    ['bytes=5-9', 5, 10],
    ['bytes=-7', total - 7, total],
  ] as const) {
    const part = await front.ask(path, { range });
    t.equal(part.status, 206, range);
    t.equal(part.headers['content-range'], `bytes ${first}-${end - 1}/${total}`);
    t.ok(part.body.equals(bytes.subarray(first, end)));
  }
  const behind = await front.ask(path, { range: `bytes=${total}-` });
  t.strictSame([behind.status, behind.headers['content-range']], [416, `bytes */${total}`]);
  const several = await front.ask(path, { range: 'bytes=0-1,5-6' });
  t.strictSame([several.status, several.body.length], [200, total]);
  const other = await front.ask(path, { range: 'bytes=0-1', 'if-range': '"another"' });
  t.strictSame([other.status, other.body.length], [200, total]);
  const etag = `"${layer!.descriptor.digest}"`;
  t.equal((await front.ask(path, { 'if-none-match': etag })).status, 304);
  const since = { 'if-modified-since': new Date(Date.UTC(2100, 1)).toUTCString() };
  t.equal((await front.ask(path, since)).status, 200, 'times mean nothing');
  const head = await front.ask(path, {}, 'HEAD');
  t.strictSame([head.status, head.headers['content-length']], [200, String(total)]);
});

t.test(
  'nobody gets into the folder by himself, and what is denied is not handed over',
  async (t) => {
    const front = await openStored(t);
    if (front === undefined) return;
    const name = layer!.descriptor.digest.slice('sha256:'.length);
    for (const asked of [`../assay-content/sha256/${name}`, `..%2fassay-content/sha256/${name}`]) {
      t.ok((await front.ask(asked)).status! >= 400, asked);
    }
    const before = await front.handedOver();
    const denied = await front.ask(`reg/app/blobs/${unsigned.blobs[1]!.descriptor.digest}`);
    t.equal(denied.status, 403);
    const direct = await front.ask(`reg/app/blobs/${small!.descriptor.digest}`);
    t.ok(direct.body.equals(Buffer.from(small!.bytes)), 'small ones come from Assay');
    t.equal(await front.handedOver(), before);
  },
);

t.test('whoever comes past nginx gets the bytes from Assay', async (t) => {
  const front = await openStored(t);
  if (front === undefined) return;
  const answer = await fetch(`http://127.0.0.1:${front.replica.port}/v2/${path}`);
  t.ok(Buffer.from(await answer.arrayBuffer()).equals(bytes));
  const elsewhere = { 'x-assay-stored-at': '/elsewhere/' };
  const through = await front.ask(path, elsewhere);
  t.ok(through.body.equals(bytes), 'what clients say of it goes no further');
  t.equal(await front.handedOver(), 1);
});

t.test('what is let go before nginx looks for it is sent by Assay', async (t) => {
  // A folder that is not there: as if all of it had gone just now.
  const front = await openStored(t, join(t.testdirName, 'gone'));
  if (front === undefined) return;
  for (const [range, part] of [
    [undefined, bytes],
    ['bytes=5-9', bytes.subarray(5, 10)],
  ] as const) {
    const answer = await front.ask(path, range === undefined ? {} : { range });
    t.equal(answer.status, range === undefined ? 200 : 206);
    t.ok(answer.body.equals(part));
    t.equal(answer.headers['docker-content-digest'], layer!.descriptor.digest);
    t.equal(answer.headers['etag'], `"${layer!.descriptor.digest}"`);
  }
  t.equal(await front.handedOver(), 2, 'nginx was asked to');
});
