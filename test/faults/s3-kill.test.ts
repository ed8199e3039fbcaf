import { setTimeout as delay } from 'node:timers/promises';
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import t from 'tap';
import { manifestMediaTypes } from '../../src/oci/media-types.ts';
import { signatureOf, writeConfiguration } from '../support/app-kit.ts';
import { makeBarrier } from '../support/barrier.ts';
import { buildImage } from '../support/build-image.ts';
import { hasRedis, startRedis, untilTrue } from '../support/redis-server.ts';
import { redisAt, stateKey } from '../support/replicas-kit.ts';
import { hashOf } from '../support/s3-fleet.ts';
import { openS3Kit } from '../support/s3-kit.ts';
import { startS3 } from '../support/s3-server.ts';
import { openScriptedRegistry } from '../support/scripted-registry.ts';
import { type ServeProcess, startServe } from '../support/serve-process.ts';

// More than two parts of an upload.
const image = buildImage({ name: 'killed', layerSizes: [20 * 1024 * 1024 + 1] });
const layer = image.blobs[1]!.descriptor;
const path = `/v2/app/blobs/${layer.digest}`;
const none = new AbortController().signal;

t.test(
  'kill -9 in the middle of an upload: nothing is to be seen of it, and another replica takes over',
  async (t) => {
    const s3 = await startS3(t);
    if (s3 === undefined || !hasRedis(t)) return;
    const redis = await startRedis(t);
    const registry = await openScriptedRegistry(t);
    registry.put('app', image, 'v1');
    registry.put('app', signatureOf(image.descriptor));
    const file = writeConfiguration(t, {
      upstreams: { reg: registry.origin },
      config: {
        state: { keys: [stateKey] },
        redis: redisAt(redis),
        storage: { path: './data', s3: s3.configuration },
      },
    });
    const first = await startServe(t, replicaOf(file, 1));
    const second = await startServe(t, replicaOf(file, 2));
    for (const replica of [first, second]) {
      t.equal((await ask(replica, 'manifests/v1')).status, 200);
    }
    // Upstream stops after 17 MiB: two parts are on their way by then, and never the third.
    const until = makeBarrier();
    t.teardown(() => until.release());
    registry.setFault((request, answer) =>
      request.method === 'GET' && request.path === path
        ? { ...answer, pauseAt: { bytes: 17 * 1024 * 1024, until } }
        : undefined,
    );
    const cut = ask(first, `blobs/${layer.digest}`)
      .then((answer) => answer.arrayBuffer())
      .catch(() => 'cut');
    await untilTrue(async () =>
      /^assay_s3_seconds_count\{operation="upload"\} [3-9]/m.test(await first.metrics()),
    );
    const waiting = ask(second, `blobs/${layer.digest}`);
    await untilTrue(async () =>
      /^assay_coalesced_total\{operation="fill-elsewhere"\} [1-9]/m.test(await second.metrics()),
    );
    const before = fetches();
    await first.kill();
    registry.setFault(undefined);
    t.equal(await cut, 'cut');

    const kit = openS3Kit(t, s3.address, { limits: { keepStagingMs: 0 } });
    t.equal(await kit.shared.open({ digest: layer.digest, size: layer.size }, 0, none), undefined);
    const answer = await waiting;
    t.equal(answer.status, 200, 'it begins while nobody knows yet');
    t.equal(hashOf(Buffer.from(await answer.arrayBuffer())), layer.digest);
    t.equal(fetches(), before + 1, 'the one who waited fetched it');
    await untilTrue(async () =>
      /^assay_s3_uploads_total\{outcome="stored"\} [1-9]/m.test(await second.metrics()),
    );
    t.ok(
      (await kit.shared.open({ digest: layer.digest, size: layer.size }, 0, none)) !== undefined,
    );
    await delay(5);
    t.ok((await kit.shared.sweep(none)).files >= 1, 'what the dead one left is swept away');
    t.equal((await kit.shared.sweep(none)).files, 0);

    function fetches(): number {
      return registry.seen(path).filter(({ method }) => method === 'GET').length;
    }
  },
);

function replicaOf(file: string, index: number): string {
  const config = JSON.parse(readFileSync(file, 'utf8')) as { storage: object };
  const own = join(dirname(file), `replica-${index}.yaml`);
  const storage = { ...config.storage, path: `./data-${index}` };
  writeFileSync(own, JSON.stringify({ ...config, storage }));
  return own;
}

function ask({ oci }: ServeProcess, what: string): Promise<Response> {
  const headers = { accept: manifestMediaTypes.join(', ') };
  return fetch(`${oci}/v2/reg/app/${what}`, { headers });
}
