import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { composeApp } from '../../src/compose/app.ts';
import type { Config } from '../../src/config/schema.ts';
import { type Digest, digestOf, encodedOf, parseDigest } from '../../src/oci/digest.ts';
import { partsOf, readManifest } from '../../src/oci/manifest.ts';

import { buildImage } from '../support/build-image.ts';
import { startFakeRegistry } from '../support/fake-registry.ts';
import { get, loadStarter, repositoryRoot as root, startApp } from '../support/start-starter.ts';

async function startStarter(t: Test, change: (config: Config) => Config = (config) => config) {
  return await startApp(t, change(await loadStarter(t)));
}

/** What the demo's layout holds under a digest. */
function stored(digest: Digest): Promise<Buffer> {
  return readFile(join(root, 'config', 'demo', 'blobs', 'sha256', encodedOf(digest)));
}

/** Pulls as a client does: the manifest, its children, every blob; returns how many came. */
async function pullAll(
  t: Test,
  oci: string,
  repository: string,
  reference: string,
): Promise<number> {
  const answer = await get(`${oci}/v2/${repository}/manifests/${reference}`);
  t.equal(answer.status, 200, `${repository} ${reference}`);
  const bytes = Buffer.from(await answer.arrayBuffer());
  const digest = parseDigest(answer.headers.get('docker-content-digest') ?? '');
  if (digest === undefined) throw new Error('no digest');
  t.equal(digestOf(bytes), digest);
  t.same(bytes, await stored(digest));
  const manifest = readManifest(bytes, answer.headers.get('content-type') ?? undefined);
  let count = 1;
  for (const part of partsOf(manifest)) {
    if (manifest.kind === 'index') {
      count += await pullAll(t, oci, repository, part.digest);
      continue;
    }
    const blob = await get(`${oci}/v2/${repository}/blobs/${part.digest}`);
    t.equal(blob.status, 200, part.digest);
    t.same(Buffer.from(await blob.arrayBuffer()), await stored(part.digest));
    count += 1;
  }
  return count;
}

const accepted = [
  { repository: 'demo/app', tag: 'signed-jws', parts: 3 },
  { repository: 'demo/app', tag: 'signed-cose', parts: 3 },
  { repository: 'demo/app', tag: 'multi-arch', parts: 7 },
  { repository: 'demo/app', tag: 'exempted', parts: 3 },
  { repository: 'demo/legacy', tag: 'unsigned', parts: 3 },
  { repository: 'demo/chart', tag: 'signed', parts: 3 },
  { repository: 'demo/chart', tag: '0.1.0', parts: 3 },
  { repository: 'demo/cosign', tag: 'signed-tag', parts: 3 },
  { repository: 'demo/cosign', tag: 'signed-bundle', parts: 3 },
  { repository: 'demo/service', tag: 'attested', parts: 3 },
  { repository: 'demo/service', tag: 'attested-tags', parts: 3 },
];

t.test('what is signed, exempted or audited comes through byte for byte', async (t) => {
  const { oci } = await startStarter(t);
  for (const { repository, tag, parts } of accepted) {
    t.equal(await pullAll(t, oci, repository, tag), parts);
  }
});

t.test('what is served without trust says so in a warning', async (t) => {
  const { oci } = await startStarter(t);
  const warning = async (repository: string, tag: string): Promise<string | null> =>
    (await get(`${oci}/v2/${repository}/manifests/${tag}`)).headers.get('warning');
  t.equal(await warning('demo/app', 'signed-jws'), null);
  t.match(await warning('demo/app', 'exempted'), /^299 - ".*exempt/);
  t.match(await warning('demo/legacy', 'unsigned'), /^299 - ".*audit/);
});

const refused = [
  { path: 'app', tag: 'unsigned', reason: 'unsigned' },
  { path: 'app', tag: 'tampered', reason: 'signature-invalid' },
  { path: 'app', tag: 'wrong-signer', reason: 'no-trusted-signer' },
  { path: 'app', tag: 'expired', reason: 'signature-expired' },
  { path: 'cosign', tag: 'wrong-key', reason: 'no-trusted-signer' },
  { path: 'service', tag: 'no-sbom', reason: 'attestation-missing' },
  { path: 'service', tag: 'other-builder', reason: 'attestation-condition' },
];

t.test(
  'everything else is refused with its reason, on GET and HEAD, by tag and digest',
  async (t) => {
    const { oci, admin } = await startStarter(t);
    const index = JSON.parse(await readFile(join(root, 'config/demo/index.json'), 'utf8')) as {
      manifests: { digest: Digest; annotations?: Record<string, string> }[];
    };
    for (const { path, tag, reason } of refused) {
      const entry = index.manifests.find(
        ({ annotations }) =>
          annotations?.['org.opencontainers.image.ref.name'] === `${path}:${tag}`,
      );
      for (const reference of [tag, String(entry?.digest)]) {
        const url = `${oci}/v2/demo/${path}/manifests/${reference}`;
        const head = await get(url, { method: 'HEAD' });
        t.equal(head.status, 403, `HEAD ${reference}`);
        const [, id] =
          /^(?:[a-z-]+) \(id ([0-9a-f]+)\)$/.exec(head.headers.get('x-assay-reason') ?? '') ?? [];
        t.equal(head.headers.get('x-assay-reason'), `${reason} (id ${id})`);
        const answer = await get(url);
        t.equal(answer.status, 403, `GET ${reference}`);
        const { errors } = (await answer.json()) as { errors: { code: string; message: string }[] };
        t.match(errors, [
          { code: 'DENIED', message: /^requested access to the resource is denied: / },
        ]);
        const explained = await fetch(`${admin}/v1/verdicts/${id}`);
        t.match(await explained.json(), { id, kind: 'untrusted', reason, scope: `demo/${path}` });
      }
      const manifest = readManifest(await stored(entry?.digest as Digest), undefined);
      for (const { digest } of partsOf(manifest)) {
        const blob = await get(`${oci}/v2/demo/${path}/blobs/${digest}`);
        t.equal(blob.status, 403, `blob of ${tag}`);
      }
    }
  },
);

t.test('a registry of which no rule speaks is denied for that', async (t) => {
  const image = buildImage({ name: 'nginx' });
  const registry = await startFakeRegistry();
  t.teardown(() => registry.close());
  registry.put('library/nginx', image, '1.27');
  const { oci } = await startStarter(t, (config) => ({
    ...config,
    upstreams: { ...config.upstreams, 'docker.io': { url: registry.url, plainHttp: 'allowed' } },
  }));
  for (const reference of ['1.27', image.descriptor.digest]) {
    const answer = await get(`${oci}/v2/docker.io/library/nginx/manifests/${reference}`);
    t.equal(answer.status, 403);
    t.match(answer.headers.get('x-assay-reason'), /^no-rule \(id [0-9a-f]+\)$/);
  }
});

t.test('the admin API is on its own listener alone', async (t) => {
  const { oci, admin } = await startStarter(t);
  const ready = await fetch(`${admin}/readyz`);
  t.equal(ready.status, 200);
  t.match(await ready.json(), { ready: true, checks: [{ ok: true }, { ok: true }, { ok: true }] });
  const metrics = await (await fetch(`${admin}/metrics`)).text();
  t.match(metrics, /^assay_policy_info\{digest="[0-9a-f]{64}",revision=""\} 1$/m);
  t.match(metrics, /^assay_trust_anchor_expiry_timestamp_seconds\{store="ca:demo",/m);
  for (const path of ['/livez', '/readyz', '/metrics', '/v1/verdicts/abc']) {
    t.not((await fetch(`${oci}${path}`)).status, 200, path);
  }
});

t.test('while it drains it is not ready, and still serves', async (t) => {
  const { app, oci, admin } = await startStarter(t);
  app.beginDraining();
  const ready = await fetch(`${admin}/readyz`);
  t.equal(ready.status, 503);
  t.match(await ready.json(), { ready: false, checks: [{ ok: false, says: 'shutting down' }] });
  t.equal((await get(`${oci}/v2/demo/app/manifests/signed-jws`)).status, 200);
});

t.test('a port that is taken is named', async (t) => {
  const { oci } = await startStarter(t);
  const port = Number(new URL(oci).port);
  const config = await loadStarter(t);
  const app = await composeApp({ ...config, listen: { ...config.listen, port } });
  t.teardown(() => app.close());
  await t.rejects(app.listen(), {
    code: 'ADDRESS_UNUSABLE',
    message: `listen: 127.0.0.1:${port} can not be used: another process listens there`,
  });
});
