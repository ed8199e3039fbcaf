import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { systemClock } from '../../src/kernel/clock.ts';
import type { WarmReport } from '../../src/compose/warm.ts';
import { type AppKit, signatureOf, startAt, writeConfiguration } from '../support/app-kit.ts';
import { type Artifact, buildImage, buildIndex, closureOf } from '../support/build-image.ts';
import { metricOf } from '../support/content-kit.ts';
import { makeFakeClock } from '../support/fake-clock.ts';
import { type Run, runInProcess } from '../support/run-assay.ts';
import { openScriptedRegistry, type ScriptedRegistry } from '../support/scripted-registry.ts';

const mebibyte = 1024 * 1024;
const signed = buildImage({ name: 'signed', layerSizes: [3 * mebibyte, 2 * mebibyte] });
const multi = buildIndex();

interface WarmKit {
  readonly registry: ScriptedRegistry;
  readonly file: string;
  warm(images: string, ...words: readonly string[]): Promise<Run>;
  /** What it prints for programs, with the exit code. */
  report(images: string): Promise<WarmReport & { readonly code: number | null }>;
}

/** A registry with a signed image, a signed index, and an unsigned image. */
async function openWarmKit(t: Test): Promise<WarmKit> {
  const registry = await openScriptedRegistry(t);
  registry.put('app', signed, 'v1');
  registry.put('multi', multi, 'v1');
  registry.put('app', buildImage({ name: 'unsigned' }), 'unsigned');
  registry.put('app', signatureOf(signed.descriptor));
  registry.put('multi', signatureOf(multi.descriptor));
  const file = writeConfiguration(t, { upstreams: { reg: registry.origin } });
  const warm = (images: string, ...words: readonly string[]): Promise<Run> => {
    const list = join(file, '..', 'images.yaml');
    writeFileSync(list, images);
    return runInProcess(['cache', 'warm', '-f', list, '--config', file, ...words]);
  };
  return {
    registry,
    file,
    warm,
    async report(images) {
      const { code, stdout } = await warm(images, '--json');
      return { ...(JSON.parse(stdout) as WarmReport), code };
    },
  };
}

async function pullsAll(t: Test, kit: AppKit, path: string, artifact: Artifact): Promise<void> {
  const { manifests, blobs } = closureOf(artifact);
  for (const { descriptor, bytes } of manifests) {
    const answer = await kit.ask(`${path}/manifests/${descriptor.digest}`);
    t.equal(answer.status, 200);
    t.ok(answer.body.equals(bytes), 'the manifest');
  }
  for (const { descriptor, bytes } of blobs) {
    const answer = await kit.ask(`${path}/blobs/${descriptor.digest}`);
    t.equal(answer.status, 200);
    t.ok(answer.body.equals(bytes), `${descriptor.size} bytes`);
  }
}

t.test('what was warmed is served by digest with no upstream at all', async (t) => {
  const { registry, file, report } = await openWarmKit(t);
  const { code, images, isComplete } = await report('images: [reg/app:v1, reg/multi:v1]');
  t.equal(code, 0);
  t.ok(isComplete);
  t.match(images, [
    { reference: 'reg/app:v1', outcome: 'trusted', digest: signed.descriptor.digest, blobs: 3 },
    { reference: 'reg/multi:v1', outcome: 'trusted', digest: multi.descriptor.digest },
  ]);
  await registry.close();
  const kit = await startAt(t, file);
  await pullsAll(t, kit, 'reg/app', signed);
  await pullsAll(t, kit, 'reg/multi', multi);
});

t.test(
  'while upstream is away tags are served as they last pointed, said and counted',
  async (t) => {
    const { registry, file, report } = await openWarmKit(t);
    t.equal((await report('images: [reg/app:v1]')).code, 0);
    await registry.close();
    const clock = makeFakeClock(new Date(systemClock.now().getTime() + 120_000).toISOString());
    const kit = await startAt(t, file, clock);
    for (const method of ['GET', 'HEAD']) {
      const answer = await kit.ask('reg/app/manifests/v1', { method });
      t.equal(answer.status, 200, method);
      t.equal(answer.headers.get('docker-content-digest'), signed.descriptor.digest);
      t.match(answer.headers.get('warning'), /^299 - ".*this tag may have moved"$/);
    }
    t.equal(metricOf(await kit.metrics(), 'assay_stale_tags_total'), 2);
    clock.advanceMs(3_600_000);
    const late = await kit.ask('reg/app/manifests/v1');
    t.equal(late.status, 503, 'not for longer than lifetimes.staleTag');
    const byDigest = await kit.ask(`reg/app/manifests/${signed.descriptor.digest}`);
    t.equal(byDigest.status, 200, 'by digest it needs nobody');
  },
);

t.test('run again, it fetches nothing that is stored', async (t) => {
  const { registry, warm, report } = await openWarmKit(t);
  const layers = closureOf(signed).blobs.filter(({ descriptor }) => descriptor.size >= mebibyte);
  const fetches = (): number =>
    layers.reduce((sum, { descriptor }) => {
      const seen = registry.seen(`/v2/app/blobs/${descriptor.digest}`);
      return sum + seen.filter(({ method }) => method === 'GET').length;
    }, 0);
  await report('images: [reg/app:v1]');
  t.equal(fetches(), 2);
  const again = await report('images: [reg/app:v1]');
  t.equal(fetches(), 2);
  t.equal(again.images[0]?.bytes, again.images[0]?.bytesAtHand);
  const { stdout } = await warm('images: [reg/app:v1]');
  t.match(
    stdout,
    /^trusted {2}reg\/app:v1 {2}3 blobs, 5\.\d MiB\n1 of 1 image stored: 0 B fetched, /,
  );
});

t.test('only the platforms that are listed are fetched', async (t) => {
  const { registry, report } = await openWarmKit(t);
  const [first, ...others] = multi.children;
  const listed = '{ reference: reg/multi:v1, platforms: [linux/amd64] }';
  const { code, images } = await report(`images: [${listed}]`);
  t.equal(code, 0);
  t.equal(images[0]?.blobs, first?.blobs.length);
  for (const { descriptor } of others) {
    t.equal(registry.seen(`/v2/multi/manifests/${descriptor.digest}`).length, 0);
  }
  const missing = await report('images: [{ reference: reg/multi:v1, platforms: [plan9/mips] }]');
  t.equal(missing.code, 1);
  t.match(missing.images, [{ outcome: 'absent', because: /nothing for plan9\/mips/ }]);
});

t.test(
  'what is denied or not there is told with its reason, and keeps nothing else from being stored',
  async (t) => {
    const { report, warm } = await openWarmKit(t);
    const list = 'images: [reg/app:unsigned, reg/app:none, reg/app:v1]';
    const { code, images } = await report(list);
    t.equal(code, 1);
    t.match(images, [
      { outcome: 'denied', reason: 'unsigned', verdict: /^[0-9a-f]{12}$/, blobs: 0 },
      { outcome: 'absent' },
      { outcome: 'trusted' },
    ]);
    const { stdout } = await warm(list);
    t.match(stdout, /^denied {3}reg\/app:unsigned {2}unsigned: /m);
    t.match(stdout, /^absent {3}reg\/app:none {2}/m);
    t.match(stdout, /^1 of 3 images stored: /m);
  },
);

t.test('what could not be fetched is told, and worth another try', async (t) => {
  const { registry, report } = await openWarmKit(t);
  const layer = signed.blobs[1]?.descriptor.digest ?? '';
  registry.setFault(({ path }) => (path.endsWith(layer) ? { status: 500 } : undefined));
  const { code, images } = await report('images: [reg/app:v1]');
  t.equal(code, 2);
  t.match(images, [{ outcome: 'failed', because: /./ }]);
  registry.setFault(undefined);
  t.equal((await report('images: [reg/app:v1]')).code, 0);
});

t.test('it works beside a live server, which serves what was stored', async (t) => {
  const { registry, file, report } = await openWarmKit(t);
  const kit = await startAt(t, file);
  t.equal((await report('images: [reg/app:v1]')).code, 0);
  const before = registry.requests.length;
  await pullsAll(t, kit, 'reg/app', signed);
  t.equal(registry.requests.length, before);
});

t.test('wrong usage is told apart from a bad configuration', async (t) => {
  const { file, warm } = await openWarmKit(t);
  const missing = await runInProcess(['cache', 'warm', '--config', file]);
  t.equal(missing.code, 64);
  t.match(missing.stderr, /--file is missing/);
  const bad = await warm('images: [quay.io/app:v1]');
  t.equal(bad.code, 64);
  t.match(bad.stderr, /images.yaml:1:10: images\[0\]: "quay.io" is no upstream/);
  t.equal((await warm('images: [reg/app:v1]', '--concurrency', '0')).code, 64);
  const none = await runInProcess(['cache', 'warm', '-f', 'x.yaml', '--config', `${file}.none`]);
  t.equal(none.code, 78);
});
