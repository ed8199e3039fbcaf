import t, { type Test } from 'tap';
import type { ServerResponse } from 'node:http';
import { signatureOf, startAppKit } from '../support/app-kit.ts';
import { buildImage } from '../support/build-image.ts';
import { startFakeRegistry } from '../support/fake-registry.ts';
import { refuseS3, type S3Request, startFakeS3 } from '../support/fake-s3.ts';
import { hashOf } from '../support/s3-fleet.ts';
import { opening, openS3Kit } from '../support/s3-kit.ts';
import { configurationOf } from '../support/s3-server.ts';

// One that is read whole before it is given, and one that is passed on as it comes.
const image = buildImage({ name: 'errors', layerSizes: [200_000, 3 * 1024 * 1024] });

type Break = (response: ServerResponse, bytes: Buffer) => unknown;

/** What S3 may do when it is asked for content. */
const breaks: Readonly<Record<string, Break>> = {
  'that there is no such key': (response) => refuseS3(response, 404, 'NoSuchKey'),
  'that the range is invalid': (response) => refuseS3(response, 416, 'InvalidRange'),
  'that a precondition failed': (response) => refuseS3(response, 412, 'PreconditionFailed'),
  'that it moved': (response) => refuseS3(response, 301, 'PermanentRedirect'),
  'that it is refused': (response) => refuseS3(response, 403, 'AccessDenied'),
  'that it is slow': (response) => refuseS3(response, 503, 'SlowDown'),
  'with XML that is none': (response) => response.writeHead(500).end('<Error><Code>'),
  'with what is no HTTP': (response) => response.socket?.end('what?\r\n\r\n'),
  'by hanging up': (response) => response.socket?.resetAndDestroy(),
  'and hangs up after its headers': (response, bytes) => {
    response.writeHead(200, { etag: '"e"', 'content-length': bytes.length }).flushHeaders();
    setImmediate(() => response.destroy());
  },
  'and hangs up in the middle': (response, bytes) => {
    response.writeHead(200, { etag: '"e"', 'content-length': bytes.length });
    response.write(bytes.subarray(0, bytes.length / 2), () => response.destroy());
  },
};

for (const [what, breakOff] of Object.entries(breaks)) {
  t.test(`S3 answers ${what}: clients get all of it from upstream, and never 500`, async (t) => {
    const { s3, app } = await openShared(t);
    let broken = 0;
    s3.setFault(({ method, key }: S3Request, response) => {
      if (method !== 'GET' || !/\/(?:blobs|kept)\//.test(key)) return undefined;
      broken += 1;
      breakOff(response, s3.objects.get(key)?.bytes ?? Buffer.alloc(10));
      return 'handled';
    });
    t.equal((await app.ask('reg/app/manifests/v1')).status, 200);
    for (const { descriptor } of image.blobs) {
      const { status, body } = await app.ask(`reg/app/blobs/${descriptor.digest}`);
      t.equal(status, 200);
      t.equal(hashOf(body), descriptor.digest);
    }
    t.ok(broken > 0, 'S3 was asked');
    t.notMatch(await app.metrics(), /^assay_requests_total\{.*status="5/m);
  });
}

/** All content of the image lies in the bucket, and none of it with the app. */
async function openShared(t: Test) {
  const s3 = await startFakeS3(t);
  const { shared } = openS3Kit(t, s3.address);
  for (const { descriptor, bytes } of image.blobs) {
    const { digest, size } = descriptor;
    const content = { name: { digest, size }, bytes: Buffer.from(bytes) };
    await shared.share(content.name, opening(content));
  }
  const registry = await startFakeRegistry();
  t.teardown(() => registry.close());
  registry.put('app', image, 'v1');
  registry.put('app', signatureOf(image.descriptor));
  const storage = { path: './data', s3: configurationOf(s3.address) };
  const app = await startAppKit(t, { upstreams: { reg: registry.url }, config: { storage } });
  return { s3, app };
}
