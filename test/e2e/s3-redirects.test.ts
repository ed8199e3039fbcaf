import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import type { AppKit } from '../support/app-kit.ts';
import { untilTrue } from '../support/redis-server.ts';
import { metricOf } from '../support/replicas-kit.ts';
import {
  blobPathsOf,
  hashOf,
  largeImage,
  openSharingFleet,
  uploadedPattern,
} from '../support/s3-fleet.ts';

const layer = largeImage.blobs[1]!.descriptor;
const path = `reg/app/blobs/${layer.digest}`;

const askFor = (replica: AppKit, asked: string, method = 'GET'): Promise<Response> =>
  fetch(`${replica.oci}/v2/${asked}`, { redirect: 'manual', method });

/** A replica that sends clients to S3, and has brought the layer there. */
async function openSending(t: Test) {
  const fleet = await openSharingFleet(t, 1, { s3: { redirects: 'verified' } });
  if (fleet === undefined) return undefined;
  const [replica] = [fleet.all[0]!];
  t.equal((await replica.ask('reg/app/manifests/2.0')).status, 200);
  for (const asked of blobPathsOf(largeImage)) {
    const first = await askFor(replica, asked);
    t.equal(first.status, 200, 'what nobody has looked at is sent by Assay');
    await first.arrayBuffer();
  }
  await untilTrue(async () => (await metricOf(replica, uploadedPattern)) >= 3);
  return { ...fleet, replica };
}

t.test('a verified blob is had from S3 by a URL of a minute', async (t) => {
  const sending = await openSending(t);
  if (sending === undefined) return;
  const { replica, s3 } = sending;
  const answer = await askFor(replica, path);
  t.equal(answer.status, 307);
  const location = new URL(answer.headers.get('location')!);
  t.equal(location.origin, s3.address.endpoint);
  t.equal(location.searchParams.get('X-Amz-Expires'), '60');
  t.equal(answer.headers.get('cache-control'), 'no-store');
  t.equal(hashOf(Buffer.from(await (await fetch(location)).arrayBuffer())), layer.digest);
  const part = await fetch(location, { headers: { range: 'bytes=5-9' } });
  t.strictSame([part.status, (await part.arrayBuffer()).byteLength], [206, 5]);
  const head = await askFor(replica, path, 'HEAD');
  t.strictSame([head.status, head.headers.get('content-length')], [200, String(layer.size)]);
  t.equal(await metricOf(replica, /^assay_blob_handovers_total\{to="s3"\}/), 1);
});

t.test(
  'what was changed in S3 is not handed out, and neither is what is not admitted',
  async (t) => {
    const sending = await openSending(t);
    if (sending === undefined) return;
    const { replica, s3 } = sending;
    const elsewhere = await askFor(replica, path.replace('reg/app', 'reg/other'));
    t.strictSame([elsewhere.status, elsewhere.headers.get('location')], [404, null]);
    const file = join(s3.folder, 'assay/blobs/sha256', layer.digest.slice('sha256:'.length));
    const bytes = readFileSync(file);
    bytes[9]! ^= 1;
    // By S3 itself, so that the object is another one for it too.
    const { openS3Client } = await import('../../src/storage/s3-client.ts');
    const client = openS3Client(s3.address);
    t.teardown(() => client.close());
    const key = `assay/blobs/sha256/${layer.digest.slice('sha256:'.length)}`;
    await client.put(key, bytes, { digest: 'none' }, AbortSignal.timeout(20_000));
    const answer = await askFor(replica, path);
    t.equal(answer.status, 200, 'Assay sends it itself');
    t.equal(hashOf(Buffer.from(await answer.arrayBuffer())), layer.digest);
    writeFileSync(file, bytes.subarray(1));
    t.equal((await askFor(replica, path)).status, 200);
  },
);
