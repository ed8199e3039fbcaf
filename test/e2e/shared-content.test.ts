import t from 'tap';
import type { AppKit } from '../support/app-kit.ts';
import type { Artifact } from '../support/build-image.ts';
import { untilTrue } from '../support/redis-server.ts';
import { metricOf, pathsOf } from '../support/replicas-kit.ts';
import {
  blobPathsOf,
  digestIn,
  fetchesOf,
  hashOf,
  largeImage,
  openSharingFleet,
  sharedIndex,
  uploadedPattern,
} from '../support/s3-fleet.ts';

const layer = largeImage.blobs[1]!.descriptor;
const untilShared = (replica: AppKit, count: number): Promise<void> =>
  untilTrue(async () => (await metricOf(replica, uploadedPattern)) >= count);

t.test('many clients of three replicas make upstream give each digest once', async (t) => {
  const fleet = await openSharingFleet(t, 3);
  if (fleet === undefined) return;
  const { all } = fleet;
  const pull = async (client: number, tag: string, of: Artifact): Promise<void> => {
    const manifests = [`reg/app/manifests/${tag}`];
    const paths = tag === '1.0' ? pathsOf('reg/app', tag, of) : [...manifests, ...blobPathsOf(of)];
    for (const [step, path] of paths.entries()) {
      const { status, body } = await all[(client + step) % all.length]!.ask(path);
      if (status !== 200) throw new Error(`${path} is ${status}`);
      if (path.includes('sha256:') && hashOf(body) !== digestIn(path)) throw new Error(path);
    }
  };
  const clients = Array.from({ length: 24 }, (_, client) =>
    client % 2 === 0 ? pull(client, '1.0', sharedIndex) : pull(client, '2.0', largeImage),
  );
  const outcomes = await Promise.allSettled(clients);
  t.strictSame(
    outcomes.flatMap((each) => (each.status === 'rejected' ? [String(each.reason)] : [])),
    [],
    'each gets all of it, and what it asked for',
  );
  const counts = fetchesOf(fleet.registry);
  t.ok(counts.size >= 8, 'manifests, configs, layers and signatures');
  t.strictSame(
    [...counts].filter(([, count]) => count !== 1),
    [],
    'once in all',
  );
});

t.test('a new replica has all of it without upstream, also when that is gone', async (t) => {
  const fleet = await openSharingFleet(t, 1);
  if (fleet === undefined) return;
  const [first] = [fleet.all[0]!];
  const paths = ['reg/app/manifests/2.0', ...blobPathsOf(largeImage)];
  for (const path of paths) t.equal((await first.ask(path)).status, 200);
  await untilShared(first, blobPathsOf(largeImage).length);
  const late = await fleet.add();
  await fleet.registry.close();
  for (const path of paths) {
    const { status, body } = await late.ask(path);
    t.equal(status, 200, path);
    if (path.includes('sha256:')) t.equal(hashOf(body), digestIn(path));
  }
  t.ok((await metricOf(late, /^assay_bytes_saved_total\{tier="shared"\}/)) > layer.size);
});
