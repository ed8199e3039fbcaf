import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import t from 'tap';
import { parseReceipt } from '../../src/airgap/receipt.ts';
import type { Digest } from '../../src/oci/digest.ts';
import { type AppKit, reasonOf, type Reply, signatureOf } from '../support/app-kit.ts';
import { buildImage, buildIndex, closureOf } from '../support/build-image.ts';
import { writeFullBundle } from '../support/bundle-kit.ts';
import { metricOf } from '../support/content-kit.ts';
import { runInProcess } from '../support/run-assay.ts';
import { makeZone } from '../support/zone-kit.ts';

const app = buildImage({ name: 'app', layerSizes: [100_000, 300] });
const multi = buildIndex();
const signature = signatureOf(app.descriptor);
const images = [
  { name: 'docker.io/library/app:1.0', artifact: app, evidence: [signature] },
  { name: 'ghcr.io/acme/multi', artifact: multi, evidence: [signatureOf(multi.descriptor)] },
];

t.test('what was imported is served, by tag and by digest, with its signatures', async (t) => {
  const zone = makeZone(t);
  const bundle = await writeFullBundle({ folder: join(zone.folder, 'in'), images });
  t.ok(bundle.volumes.length > 2, 'a layer lies in several volumes');
  const report = await zone.import(bundle);
  t.match(report, { outcome: 'published', generation: 1, sequence: 1 });
  t.strictSame(
    report.images.map(({ outcome }) => outcome),
    ['trusted', 'trusted'],
  );
  const kit = await zone.serve();
  const byTag = await kit.ask('docker.io/library/app/manifests/1.0');
  t.equal(byTag.status, 200);
  t.ok(byTag.body.equals(app.bytes));
  for (const { descriptor, bytes } of closureOf(app).blobs) {
    const answer = await kit.ask(`docker.io/library/app/blobs/${descriptor.digest}`);
    t.equal(answer.status, 200);
    t.ok(answer.body.equals(bytes), `${descriptor.size} bytes`);
  }
  for (const { descriptor, bytes } of closureOf(multi).manifests.toReversed()) {
    const answer = await kit.ask(`ghcr.io/acme/multi/manifests/${descriptor.digest}`);
    t.equal(answer.status, 200, descriptor.digest);
    t.ok(answer.body.equals(bytes));
  }
  const referrers = await kit.ask(`docker.io/library/app/referrers/${app.descriptor.digest}`);
  t.match(JSON.parse(referrers.body.toString()), {
    manifests: [{ digest: signature.descriptor.digest }],
  });
});

t.test(
  'a server at work serves the next bundle without a restart, and denies at once',
  async (t) => {
    const zone = makeZone(t);
    const first = await writeFullBundle({ folder: join(zone.folder, '1'), images });
    const kit = await zone.serve();
    t.equal((await kit.ask('docker.io/library/app/manifests/1.0')).status, 404, 'nothing is here');
    await zone.import(first);
    const served = await answers(kit, 'docker.io/library/app/manifests/1.0', 200);
    t.ok(served.body.equals(app.bytes));

    const next = buildImage({ name: 'next' });
    const second = await writeFullBundle({
      folder: join(zone.folder, '2'),
      sequence: 2,
      base: 1,
      previous: first.asPrevious,
      images: [
        { ...images[1]!, name: 'ghcr.io/acme/multi' },
        {
          name: 'docker.io/library/next:1.0',
          artifact: next,
          evidence: [signatureOf(next.descriptor)],
        },
      ],
      assumed: assumedOf(images[1]!),
      denials: [
        {
          target: { kind: 'digest', digest: app.descriptor.digest },
          because: 'CVE-2030-1',
          since: new Date('2030-01-01T00:00:00Z'),
        },
      ],
    });
    t.match(await zone.import(second), { outcome: 'published', generation: 2, denied: 1 });
    const denied = await answers(
      kit,
      `docker.io/library/app/manifests/${app.descriptor.digest}`,
      403,
    );
    t.equal(reasonOf(denied), 'denylisted');
    // What is asked for too early is remembered as absent, by a clock that stands still here.
    await servesGeneration(kit, 2);
    t.equal((await answers(kit, 'docker.io/library/next/manifests/1.0', 200)).status, 200);
    t.equal((await kit.ask(`ghcr.io/acme/multi/manifests/${multi.descriptor.digest}`)).status, 200);
    const layer = closureOf(app).blobs.at(-1)!.descriptor.digest;
    t.equal((await kit.ask(`docker.io/library/app/blobs/${layer}`)).status, 404, 'nor what it has');
  },
);

t.test('revocations alone are imported in an emergency, and the content stays', async (t) => {
  const zone = makeZone(t);
  const first = await writeFullBundle({ folder: join(zone.folder, '1'), images });
  await zone.import(first);
  const emergency = await writeFullBundle({
    folder: join(zone.folder, '4'),
    kind: 'revocation',
    sequence: 4,
    previous: { sequence: 3, snapshot: first.snapshot },
    images: [],
    revocationAsOf: '2030-01-02T00:00:00Z',
    denials: [
      {
        target: { kind: 'repository', repository: 'docker.io/library/app' },
        because: 'stolen',
        since: new Date('2030-01-01T00:00:00Z'),
      },
    ],
  });
  t.match(await zone.import(emergency), { outcome: 'published', sequence: 4, denied: 1 });
  const kit = await zone.serve();
  t.equal((await kit.ask('docker.io/library/app/manifests/1.0')).status, 403);
  t.equal((await kit.ask(`ghcr.io/acme/multi/manifests/${multi.descriptor.digest}`)).status, 200);
  const fourth = await writeFullBundle({
    folder: join(zone.folder, '5'),
    sequence: 5,
    base: 3,
    previous: emergency.asPrevious,
    images,
    assumed: images.flatMap(assumedOf),
  });
  await t.rejects(zone.import(fourth), { code: 'GAP', message: /bundles 2 to 3 first/ });
});

t.test('old knowledge of revocations is warned of, then refused, and told', async (t) => {
  const zone = makeZone(t, { airgap: { revocationMaxAge: { warn: '7d', deny: '30d' } } });
  const revocationAsOf = '2030-01-01T00:00:00Z';
  await zone.import(
    await writeFullBundle({ folder: join(zone.folder, '1'), images, revocationAsOf }),
  );
  const kit = await zone.serve();
  const path = 'docker.io/library/app/manifests/1.0';
  const fresh = await kit.ask(path);
  t.equal(fresh.status, 200);
  t.equal(fresh.headers.get('warning'), null);
  t.equal(metricOf(await kit.metrics(), 'assay_airgap_sequence'), 1);
  t.equal(metricOf(await kit.metrics(), 'assay_airgap_revocation_age_seconds'), 86_400);

  zone.clock.advanceMs(8 * dayMs);
  for (const method of ['GET', 'HEAD']) {
    const old = await kit.ask(path, { method });
    t.equal(old.status, 200);
    t.match(old.headers.get('warning'), /^299 - "what is known of revocations is 9 days old/);
  }
  const layer = closureOf(app).blobs.at(-1)!.descriptor.digest;
  t.match((await kit.ask(`docker.io/library/app/blobs/${layer}`)).headers.get('warning'), /9 days/);

  zone.clock.advanceMs(22 * dayMs);
  const stale = await kit.ask(path);
  t.equal(stale.status, 403);
  t.equal(reasonOf(stale), 'revocation-stale');
  t.equal((await kit.ask(`docker.io/library/app/blobs/${layer}`)).status, 403);
  t.equal((await kit.ask(`docker.io/library/app/referrers/${app.descriptor.digest}`)).status, 403);
  const ready = (await (await fetch(`${kit.admin}/readyz`)).json()) as { checks: object[] };
  t.match(
    ready.checks.find((check) => 'name' in check && check.name === 'air gap'),
    { ok: true, says: /generation 1, bundle 1; .*31 days ago.*deny: refused/ },
  );

  const newer = await writeFullBundle({
    folder: join(zone.folder, '2'),
    kind: 'revocation',
    sequence: 2,
    previous: { sequence: 1, snapshot: (await readSnapshot(zone)) as Digest },
    images: [],
    created: '2030-01-31T00:00:00Z',
    revocationAsOf: '2030-01-31T00:00:00Z',
    expires: { timestamp: '2030-03-01T00:00:00Z' },
  });
  await zone.import(newer);
  const again = await answers(kit, path, 200);
  t.equal(again.headers.get('warning'), null);
});

t.test('with --keep-trusted the rest is served; else nothing of it is', async (t) => {
  const zone = makeZone(t, {
    rules: [{ repositories: ['docker.io/**'], require: { signedBy: 'acme' } }],
  });
  const bundle = await writeFullBundle({ folder: join(zone.folder, 'in'), images });
  const refused = await zone.import(bundle);
  t.match(refused, { outcome: 'refused', generation: undefined, receipt: undefined });
  t.match(refused.images, [
    { reference: 'docker.io/library/app:1.0', outcome: 'trusted' },
    { reference: /^ghcr.io\/acme\/multi@/, outcome: 'denied', reason: 'no-rule' },
  ]);
  const kit = await zone.serve();
  t.equal((await kit.ask('docker.io/library/app/manifests/1.0')).status, 404);
  t.match(await zone.import(bundle, { keepTrusted: true }), {
    outcome: 'published',
    generation: 1,
  });
  t.equal((await answers(kit, 'docker.io/library/app/manifests/1.0', 200)).status, 200);
  const absent = await kit.ask(`ghcr.io/acme/multi/manifests/${multi.descriptor.digest}`);
  t.equal(absent.status, 404, 'its upstream is none of this zone');
  const again = await zone.import(bundle, { keepTrusted: true });
  t.match(again, { outcome: 'held', generation: 1 }, 'the same images of the same bundle');
});

t.test('the command says what it did, and what it did not', async (t) => {
  const zone = makeZone(t);
  const bundle = await writeFullBundle({
    folder: join(zone.folder, 'in'),
    images,
    created: '2026-11-01T00:00:00Z',
    expires: { timestamp: '2049-01-01T00:00:00Z' },
  });
  const run = (...words: readonly string[]) =>
    runInProcess(['airgap', 'import', '--config', zone.file, ...words]);
  const first = await run(bundle.folder);
  t.equal(first.code, 0, first.stderr);
  t.match(first.stdout, /^trusted {2}docker.io\/library\/app:1.0 /m);
  t.match(first.stdout, /^bundle 1 of stream [0-9a-f]{32}: published as generation 1$/m);
  const [, receipt = ''] = /^receipt for the sender:\n(\S+)$/m.exec(first.stdout) ?? [];
  t.ok(receipt.length < 400);
  t.match(parseReceipt(receipt), { sequence: 1, snapshot: bundle.snapshot, leftOut: 0 });
  t.match((await run(bundle.folder)).stdout, /is in force already as generation 1/);
  const json = JSON.parse((await run(bundle.folder, '--json')).stdout) as object;
  t.match(json, { outcome: 'held', receipt });
  t.equal((await run()).code, 64);
  t.equal((await run(bundle.folder, '--keep-trusted', '--all-or-nothing')).code, 64);
  const nothing = await run(zone.folder);
  t.match(nothing, { code: 2, stderr: /no bundle that is finished/ });
});

const dayMs = 86_400_000;

function assumedOf({ artifact, evidence }: (typeof images)[number]): readonly Digest[] {
  return [artifact, ...evidence].flatMap((each) => {
    const { manifests, blobs } = closureOf(each);
    return [...manifests, ...blobs].map(({ descriptor }) => descriptor.digest);
  });
}

/** Asks until the server has taken over what was imported, which it does within a second. */
async function answers(kit: AppKit, path: string, status: number): Promise<Reply> {
  for (let tries = 0; ; tries += 1) {
    const reply = await kit.ask(path);
    if (reply.status === status || tries === 300) return reply;
    await pause(100);
  }
}

async function servesGeneration(kit: AppKit, generation: number): Promise<void> {
  for (let tries = 0; tries < 300; tries += 1) {
    const metrics = await kit.metrics();
    if (metrics.includes(`assay_airgap_generation ${generation}\n`)) return;
    await pause(100);
  }
}

async function readSnapshot({ store }: { readonly store: string }): Promise<string> {
  const published = JSON.parse(await readFile(join(store, 'published.json'), 'utf8')) as object;
  return 'snapshot' in published ? String(published.snapshot) : '';
}
