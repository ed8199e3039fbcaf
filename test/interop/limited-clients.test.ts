import t, { type Test } from 'tap';
import { systemClock } from '../../src/kernel/clock.ts';
import { signatureOf, startAppKit } from '../support/app-kit.ts';
import { makeFakeClock } from '../support/fake-clock.ts';
import { startFakeRegistry } from '../support/fake-registry.ts';
import { untilTrue } from '../support/redis-server.ts';
import { requireTool } from '../support/require-tool.ts';
import type { Client } from './support/client.ts';
import { hostsToml, requireContainerd, startContainerd } from './support/containerd-client.ts';
import { makeLayoutClient } from './support/layout-clients.ts';
import { makePullableImage } from './support/pullable-image.ts';
import { makeSkopeoClient } from './support/skopeo-client.ts';
import { makeTemporaryFolder } from './support/temporary-folder.ts';

// Real clients that are told to come back later (429 with Retry-After).
t.setTimeout(120_000);

const repository = 'acme/app';
const key = 'reg.test';

/** A proxy whose only client has used up what it may miss, until the clock goes on. */
async function openKit(t: Test) {
  const registry = await startFakeRegistry();
  t.teardown(() => registry.close());
  const image = makePullableImage(t.fullname);
  registry.put(repository, image, 'v1');
  registry.put(repository, signatureOf(image.descriptor));
  const clock = makeFakeClock(systemClock.now().toISOString());
  const app = await startAppKit(t, {
    upstreams: { [key]: registry.url },
    config: { limits: { client: { misses: { burst: 1, perMinute: 60 } } } },
    clock,
  });
  t.equal((await app.ask(`${key}/${repository}/manifests/absent`)).status, 404);
  const wasRefused = (): boolean => app.lines.some((line) => line['limit'] === 'client-misses');
  return {
    app,
    image,
    refused: () => untilTrue(wasRefused, 60_000),
    goOn: () => clock.advanceMs(1_000),
  };
}

type Open = (t: Test, origin: string) => Promise<Client | undefined>;

const patient: Readonly<Record<string, Open>> = {
  async skopeo(t, origin) {
    const program = requireTool(t, 'skopeo');
    if (program === undefined) return undefined;
    const folder = await makeTemporaryFolder(t);
    return makeSkopeoClient({ program, proxy: new URL(origin).host, folder });
  },
  async crane(t, origin) {
    const program = requireTool(t, 'crane');
    if (program === undefined) return undefined;
    const folder = await makeTemporaryFolder(t);
    return makeLayoutClient('crane', { program, proxy: new URL(origin).host, folder });
  },
};

for (const [name, openClient] of Object.entries(patient)) {
  t.test(`${name} comes back by itself, and pulls`, async (t) => {
    const { app, image, refused, goOn } = await openKit(t);
    const client = await openClient(t, app.oci);
    if (client === undefined) return;
    const pulling = client.pull(key, repository, 'v1');
    await refused();
    goOn();
    const { code, output, read } = await pulling;
    t.equal(code, 0, output);
    for (const { descriptor, bytes } of image.blobs) {
      t.ok((await read(descriptor.digest))?.equals(bytes), descriptor.digest);
    }
  });
}

t.test('containerd tries again at once, says why it fails, and pulls later', async (t) => {
  const { app, image, refused, goOn } = await openKit(t);
  const programs = requireContainerd(t);
  if (programs === undefined) return;
  const folder = await makeTemporaryFolder(t);
  const hosts = { [key]: hostsToml(app.oci) };
  const client = await startContainerd(t, { ...programs, folder, hosts });
  const first = await client.pull(key, repository, 'v1');
  await refused();
  t.not(first.code, 0);
  t.match(first.output, '429 Too Many Requests');
  const counted = /^assay_over_limit_total\{limit="client-misses"\} (\d+)$/m;
  const refusals = Number(counted.exec(await app.metrics())?.[1]);
  t.ok(refusals > 1, `it asked ${refusals} times`);
  goOn();
  const second = await client.pull(key, repository, 'v1');
  t.equal(second.code, 0, second.output);
  for (const { descriptor, bytes } of image.blobs) {
    t.ok((await second.read(descriptor.digest))?.equals(bytes), descriptor.digest);
  }
});
