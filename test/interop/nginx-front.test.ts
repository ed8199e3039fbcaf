import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { Agent, request as requestOverTls } from 'node:https';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import t, { type Test } from 'tap';
import { manifestMediaTypes } from '../../src/oci/media-types.ts';
import { type AppKit, signatureOf } from '../support/app-kit.ts';
import { buildImage, buildIndex } from '../support/build-image.ts';
import { startFakeRegistry } from '../support/fake-registry.ts';
import { writeNginxFront } from '../support/nginx-front.ts';
import { hasRedis, startRedis } from '../support/redis-server.ts';
import { metricOf, pathsOf, redisAt, startReplicas } from '../support/replicas-kit.ts';
import { requireTool } from '../support/require-tool.ts';
import { makeServerCertificate } from '../support/server-certificate.ts';
import { freePort, listening, runCommand, startProcess } from './support/process.ts';

// deploy/nginx/nginx.conf, with this machine's ports in it, in front of two replicas.
const index = buildIndex({ name: 'fronted', attestation: 'without' });
const image = buildImage({ name: 'large', layerSizes: [3 * 1024 * 1024 + 5] });
const broken = buildImage({ name: 'broken', layerSizes: [3 * 1024 * 1024 + 5] });
const unsigned = buildImage({ name: 'unsigned' });
const tls = makeServerCertificate();

interface Answer {
  readonly status: number | undefined;
  readonly phrase: string | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

interface Front {
  readonly folder: string;
  readonly replicas: readonly AppKit[];
  ask(path: string, headers?: Readonly<Record<string, string>>, method?: string): Promise<Answer>;
}

async function openFront(t: Test): Promise<Front | undefined> {
  const nginx = requireTool(t, 'nginx');
  if (nginx === undefined || !hasRedis(t)) return undefined;
  const registry = await startFakeRegistry();
  t.teardown(() => registry.close());
  registry.put('app', index, '1.0');
  registry.put('app', signatureOf(index.descriptor));
  registry.put('app', image, '2.0');
  registry.put('app', signatureOf(image.descriptor));
  registry.put('app', unsigned, 'unsigned');
  // Of the right size, as its descriptor says, and with one other byte at the end.
  const blobs = broken.blobs.map((blob) => {
    const bytes = Buffer.from(blob.bytes);
    bytes[bytes.length - 1]! ^= 1;
    return blob === broken.blobs.at(-1) ? { ...blob, bytes } : blob;
  });
  registry.put('app', { ...broken, blobs }, 'broken');
  registry.put('app', signatureOf(broken.descriptor));

  const { all: replicas } = await startReplicas(t, 2, {
    upstreams: { reg: registry.url },
    redis: redisAt(await startRedis(t)),
    config: { hosts: { 'mirror.example': 'reg' } },
  });
  const port = await freePort();
  const folder = join(t.testdirName, 'nginx');
  const words = writeNginxFront({
    folder,
    port,
    replicas: replicas.map((replica) => replica.port),
    tls,
  });
  const checked = await runCommand(nginx, ['-t', ...words]);
  t.equal(checked.code, 0, checked.output);
  t.notMatch(checked.output, 'warn');
  await listening(startProcess(t, nginx, words), port);
  const agent = new Agent({ keepAlive: true, maxSockets: 1, ca: tls.ca });
  t.teardown(() => agent.destroy());
  return {
    folder,
    replicas,
    async ask(path, headers = {}, method = 'GET') {
      const accept = manifestMediaTypes.join(', ');
      const url = `https://127.0.0.1:${port}/v2/${path}`;
      const options = { agent, method, servername: 'localhost' };
      const request = requestOverTls(url, { ...options, headers: { accept, ...headers } });
      request.end();
      const [answer] = (await once(request, 'response')) as [IncomingMessage];
      const { statusCode: status, statusMessage: phrase, headers: received } = answer;
      return { status, phrase, headers: received, body: await buffer(answer) };
    },
  };
}

const hashOf = (bytes: Buffer): string =>
  `sha256:${createHash('sha256').update(bytes).digest('hex')}`;

t.test('an image comes whole through nginx, from both replicas in turn', async (t) => {
  const front = await openFront(t);
  if (front === undefined) return;
  for (const path of pathsOf('reg/app', '1.0', index)) {
    const { status, body, headers } = await front.ask(path);
    t.equal(status, 200, path);
    if (path.includes('sha256:')) t.equal(hashOf(body), path.slice(path.lastIndexOf('/') + 1));
    else t.equal(headers['docker-content-digest'], hashOf(body));
  }
  for (const replica of front.replicas) {
    t.ok((await metricOf(replica, /^assay_requests_total/)) >= 2, 'each was asked');
  }
  const kept = await readdir(join(front.folder, 'proxy'), { recursive: true });
  t.strictSame(kept, [], 'nothing was written to its disk');
});

t.test('names, ranges, methods and reasons pass through nginx as they are', async (t) => {
  const front = await openFront(t);
  if (front === undefined) return;
  const byHost = await front.ask('app/manifests/2.0', { host: 'mirror.example:8443' });
  t.equal(byHost.status, 200, 'the Host header chooses the upstream');
  const head = await front.ask('reg/app/manifests/2.0', {}, 'HEAD');
  t.equal(head.headers['docker-content-digest'], image.descriptor.digest);
  t.equal(head.headers['content-length'], String(image.bytes.length));
  const { descriptor, bytes } = image.blobs.at(-1)!;
  const part = await front.ask(`reg/app/blobs/${descriptor.digest}`, { range: 'bytes=1000000-' });
  t.equal(part.status, 206);
  t.equal(part.headers['content-range'], `bytes 1000000-${descriptor.size - 1}/${descriptor.size}`);
  t.ok(part.body.equals(Buffer.from(bytes).subarray(1_000_000)));
  const denied = await front.ask('reg/app/manifests/unsigned');
  t.equal(denied.status, 403);
  t.match(denied.phrase, /^Forbidden: unsigned \(id [0-9a-f]+\)$/, 'what old containerd shows');
  t.match(JSON.parse(denied.body.toString()), { errors: [{ code: 'DENIED' }] });
  const pushed = await front.ask('reg/app/blobs/uploads/', { 'content-length': '0' }, 'POST');
  t.equal(pushed.status, 405);
});

t.test('content that Assay cuts off is cut off by nginx too', async (t) => {
  const front = await openFront(t);
  if (front === undefined) return;
  t.equal((await front.ask('reg/app/manifests/broken')).status, 200);
  const { digest } = broken.blobs.at(-1)!.descriptor;
  const whole = front.ask(`reg/app/blobs/${digest}`).then(({ status }) => status);
  const outcome = await whole.catch(() => 'cut');
  t.ok(outcome === 'cut' || outcome === 502, `nobody has all of it: ${String(outcome)}`);
});

t.test('a replica that is gone is not noticed by clients', async (t) => {
  const front = await openFront(t);
  if (front === undefined) return;
  t.equal((await front.ask('reg/app/manifests/2.0')).status, 200);
  const [gone, stays] = [front.replicas[0]!, front.replicas[1]!];
  gone.app.destroyConnections();
  await gone.app.close();
  for (let count = 0; count < 6; count += 1) {
    t.equal((await front.ask('reg/app/manifests/2.0')).status, 200);
  }
  t.ok((await metricOf(stays, /^assay_requests_total/)) >= 6);
});
