import { join } from 'node:path';
import t, { type Test } from 'tap';
import {
  publishAirgap,
  type PublishOverrides,
  type PublishReport,
} from '../../src/compose/airgap-publish.ts';
import { loadConfig } from '../../src/config/load.ts';
import { digestOf } from '../../src/oci/digest.ts';
import { signatureOf } from '../support/app-kit.ts';
import { buildImage, closureOf } from '../support/build-image.ts';
import { writeFullBundle } from '../support/bundle-kit.ts';
import { type PushFault, type PushRegistry, startPushRegistry } from '../support/push-registry.ts';
import { openSeed } from '../support/seeded-random.ts';
import { makeZone, type ZoneKit } from '../support/zone-kit.ts';

const app = buildImage({ name: 'app', layerSizes: [90_000, 300] });
const signature = signatureOf(app.descriptor);
const images = [{ name: 'docker.io/library/app:1.0', artifact: app, evidence: [signature] }];
const tagged = 'docker.io/library/app:1.0';

const mebibyte = 1024 * 1024;

async function publish(
  zone: ZoneKit,
  { origin }: PushRegistry,
  overrides: PublishOverrides = {},
  signal = new AbortController().signal,
): Promise<PublishReport> {
  const wish = { to: origin, plainHttp: 'allowed', onProgress: () => undefined } as const;
  return publishAirgap(await loadConfig(zone.file), wish, signal, {
    clock: zone.clock,
    wait: async () => undefined,
    chunkBytes: 30_000,
    ...overrides,
  });
}

async function prepare(t: Test) {
  const zone = makeZone(t);
  await zone.import(await writeFullBundle({ folder: join(zone.folder, 'in'), images }));
  return { zone, registry: await startPushRegistry(t) };
}

/** All of it, under the names of what it is. */
function checkWhole(t: Test, { blobs, manifests }: PushRegistry): void {
  for (const [name, bytes] of [...blobs, ...manifests]) {
    const [, digest] = name.split('@');
    if (digest !== undefined && digestOf(bytes) !== digest) t.fail(`${name} is other bytes`);
  }
  t.ok(manifests.get(tagged)?.equals(app.bytes));
  for (const { descriptor } of closureOf(app).blobs) {
    t.ok(blobs.has(`docker.io/library/app@${descriptor.digest}`));
  }
  t.ok(manifests.has(`docker.io/library/app@${signature.descriptor.digest}`));
}

const answersWith =
  (status: number, path: RegExp, method?: string): PushFault =>
  (request, response) => {
    const isIt = path.test(request.url ?? '') && (method ?? request.method) === request.method;
    if (isIt) {
      request.resume();
      response.writeHead(status, { 'retry-after': '1' }).end();
    }
    return isIt;
  };

const cutsOff: PushFault = (request) => {
  if (request.method !== 'PATCH') return false;
  request.once('data', () => request.destroy());
  return true;
};

const hangs: PushFault = (request) => request.method === 'PUT' || request.method === 'PATCH';

const faults: readonly (readonly [string, PushFault])[] = [
  ['asks for a pause without an end', answersWith(429, /./)],
  ['breaks at each blob', answersWith(500, /\/blobs\/uploads\//)],
  ['breaks at each manifest', answersWith(500, /\/manifests\//, 'PUT')],
  ['breaks at the tag alone', answersWith(503, /\/manifests\/1\.0$/, 'PUT')],
  ['cuts each upload off', cutsOff],
  ['never answers what it is sent', hangs],
];

for (const [what, fault] of faults) {
  t.test(`a registry that ${what} gets no tag, and all of it once it is well`, async (t) => {
    const { zone, registry } = await prepare(t);
    registry.breakBy(fault);
    const limits = { headersMs: 300, totalMs: 300 };
    const broken = await publish(zone, registry, { limits });
    t.match(broken.images, [{ outcome: 'failed', because: /127\.0\.0\.1/ }]);
    t.notOk(registry.manifests.has(tagged));
    registry.breakBy(undefined);
    t.match((await publish(zone, registry)).images, [{ outcome: 'trusted' }]);
    checkWhole(t, registry);
    const again = await publish(zone, registry);
    t.match(again.images, [{ outcome: 'trusted', sentBytes: 0, manifests: 0 }]);
  });
}

t.test('a registry that breaks now and then gets all of it in one run', async (t) => {
  const { zone, registry } = await prepare(t);
  let requests = 0;
  registry.breakBy((request, response) => {
    requests += 1;
    if (requests % 8 !== 0) return false;
    return requests % 16 === 0
      ? cutsOff(request, response)
      : answersWith(503, /./)(request, response);
  });
  t.match((await publish(zone, registry)).images, [{ outcome: 'trusted' }]);
  checkWhole(t, registry);
});

t.test('stopped at any moment, no tag is there before all that it names', async (t) => {
  const random = openSeed(t);
  const { zone, registry } = await prepare(t);
  for (let round = 0; round < 4; round += 1) {
    registry.blobs.clear();
    registry.manifests.clear();
    const stopping = new AbortController();
    let left = random.between(0, 14);
    registry.breakBy(() => {
      left -= 1;
      if (left < 0) stopping.abort();
      return false;
    });
    await publish(zone, registry, {}, stopping.signal);
    if (registry.manifests.has(tagged)) checkWhole(t, registry);
    registry.breakBy(undefined);
    t.match((await publish(zone, registry)).images, [{ outcome: 'trusted' }]);
    checkWhole(t, registry);
  }
});

t.test('a registry that is slower than the disk gets the bytes that there are', async (t) => {
  const zone = makeZone(t);
  const large = buildImage({ name: 'large', layerSizes: [24 * mebibyte] });
  const evidence = [signatureOf(large.descriptor)];
  const folder = join(zone.folder, 'in');
  const name = 'docker.io/library/large:1.0';
  await zone.import(
    await writeFullBundle({
      folder,
      images: [{ name, artifact: large, evidence }],
      volumeBytes: 32 * mebibyte,
      chunkBytes: mebibyte,
    }),
  );
  const registry = await startPushRegistry(t);
  const report = await publish(zone, registry, { chunkBytes: 32 * mebibyte });
  t.match(report.images, [{ outcome: 'trusted' }]);
  const layer = closureOf(large).blobs.at(-1)!.descriptor.digest;
  const sent = registry.blobs.get(`docker.io/library/large@${layer}`);
  t.equal(sent && digestOf(sent), layer);
  const starts = registry.requests.filter((line) => line.startsWith('POST'));
  t.equal(new Set(starts).size, 1);
  t.equal(
    starts.length,
    closureOf(large).blobs.length + closureOf(evidence[0]!).blobs.length,
    'each at the first try',
  );
});
