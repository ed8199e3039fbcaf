import { readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { untilTrue } from '../support/redis-server.ts';
import { metricOf } from '../support/replicas-kit.ts';
import { hashOf, largeImage, openSharingFleet, uploadedPattern } from '../support/s3-fleet.ts';

const layer = largeImage.blobs[1]!.descriptor;

for (const [what, spoil, because] of [
  [
    'wrong',
    (file: string) => {
      const bytes = readFileSync(file);
      bytes[bytes.length - 1]! ^= 1;
      writeFileSync(file, bytes);
    },
    'bytes',
  ],
  ['short', (file: string) => truncateSync(file, layer.size - 1), 'size'],
  ['gone', (file: string) => rmSync(file), undefined],
] as const) {
  t.test(
    `no client completes content that is ${what} in S3, and the next one gets it`,
    async (t) => {
      const fleet = await openSharingFleet(t, 1);
      if (fleet === undefined) return;
      const first = fleet.all[0]!;
      const path = `reg/app/blobs/${layer.digest}`;
      t.equal((await first.ask('reg/app/manifests/2.0')).status, 200);
      t.equal((await first.ask(path)).status, 200);
      await untilTrue(async () => (await metricOf(first, uploadedPattern)) >= 1);
      spoil(join(fleet.s3.folder, 'assay/blobs/sha256', layer.digest.slice('sha256:'.length)));
      const late = await fleet.add();
      const tried = await late.ask(path).catch(() => 'cut' as const);
      if (tried === 'cut') t.equal(because, 'bytes', 'only what had begun is cut');
      else t.equal(hashOf(tried.body), layer.digest);
      await untilTrue(async () => {
        const again = await late.ask(path).catch(() => undefined);
        return again !== undefined && hashOf(again.body) === layer.digest;
      });
      const bad = await metricOf(late, /^assay_s3_bad_objects_total/);
      t.equal(bad, because === undefined ? 0 : 1);
      const aside = readdirSync(join(fleet.s3.folder, 'assay')).includes('quarantine');
      t.equal(aside, because !== undefined, 'put aside for a person to look at');
    },
  );
}
