import t from 'tap';
import { untilTrue } from '../support/redis-server.ts';
import { metricOf, pathsOf } from '../support/replicas-kit.ts';
import {
  blobPathsOf,
  digestIn,
  hashOf,
  largeImage,
  openSharingFleet,
  sharedIndex,
  uploadedPattern,
} from '../support/s3-fleet.ts';

const layer = largeImage.blobs[1]!.descriptor;

t.test('without S3 replicas go on, and use it when it is back', async (t) => {
  const fleet = await openSharingFleet(t, 2);
  if (fleet === undefined) return;
  const { s3, all } = fleet;
  await s3.kill();
  for (const replica of all) {
    for (const path of ['reg/app/manifests/2.0', ...blobPathsOf(largeImage)]) {
      const { status, body } = await replica.ask(path);
      t.equal(status, 200, path);
      if (path.includes('sha256:')) t.equal(hashOf(body), digestIn(path));
    }
  }
  const probes = (await (await fetch(`${all[0]!.admin}/readyz`)).json()) as object;
  t.match(JSON.stringify(probes), /goes on without it/);
  await s3.start();
  await untilTrue(async () => (await metricOf(all[0]!, /^assay_s3_up /)) === 1);
  for (const path of pathsOf('reg/app', '1.0', sharedIndex)) {
    t.equal((await all[0]!.ask(path)).status, 200);
  }
  await untilTrue(async () => (await metricOf(all[0]!, uploadedPattern)) > 0);
});

t.test('a S3 that hangs holds up no client for long', async (t) => {
  const fleet = await openSharingFleet(t, 1);
  if (fleet === undefined) return;
  const [replica] = fleet.all;
  t.equal((await replica!.ask('reg/app/manifests/2.0')).status, 200);
  fleet.s3.signal('SIGSTOP');
  const { status, body } = await replica!.ask(`reg/app/blobs/${layer.digest}`);
  t.strictSame([status, hashOf(body)], [200, layer.digest], 'from upstream, after a deadline');
  fleet.s3.signal('SIGCONT');
});

t.test('credentials that are refused cost nothing but the sharing', async (t) => {
  const credentials = { accessKeyId: 'tester', secretAccessKey: 'not the one of the tests' };
  const fleet = await openSharingFleet(t, 1, { s3: { credentials } });
  if (fleet === undefined) return;
  const replica = fleet.all[0]!;
  for (const path of ['reg/app/manifests/2.0', ...blobPathsOf(largeImage)]) {
    t.equal((await replica.ask(path)).status, 200, path);
  }
  await untilTrue(
    async () => (await metricOf(replica, /^assay_s3_errors_total\{.*because="refused"/)) > 0,
  );
  t.notMatch(JSON.stringify(replica.lines), /not the one of the tests/);
});
