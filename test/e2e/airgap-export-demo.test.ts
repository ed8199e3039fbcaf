import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { loadConfig } from '../../src/config/load.ts';
import { nameOf } from '../../src/airgap/plan.ts';
import { type ExportKit, makeExportKit } from '../support/export-kit.ts';
import { loadStarter, repositoryRoot } from '../support/start-starter.ts';
import { writeFileSync } from 'node:fs';

const signed = [
  'app:signed-jws',
  'app:signed-cose',
  'app:multi-arch',
  'chart:0.1.0',
  'cosign:signed-tag',
  'cosign:signed-bundle',
  'service:attested',
  'service:attested-tags',
];

/** The starter's configuration, with a store of its own and without a network. */
async function openDemo(t: Test): Promise<ExportKit> {
  const { storage } = await loadStarter(t);
  const config = join(repositoryRoot, 'config');
  const file = join(storage.path, '..', 'assay.yaml');
  writeFileSync(
    file,
    JSON.stringify({
      upstreams: { demo: { layout: join(config, 'demo') } },
      trustPolicy: join(config, 'trust-policy.yaml'),
      trust: {
        store: join(config, 'trust'),
        sigstore: { root: 'public-good' },
        offline: true,
      },
      storage: { path: './data' },
    }),
  );
  t.ok(await loadConfig(file));
  return makeExportKit(file);
}

const blobsFolder = join(repositoryRoot, 'config', 'demo', 'blobs', 'sha256');

t.test('what Notation and cosign signed goes along with all of it, byte for byte', async (t) => {
  const kit = await openDemo(t);
  const list = `images: [${signed.map((name) => `demo/${name}`).join(', ')}]`;
  const report = await kit.report(list, 'out');
  t.equal(report.code, 0);
  t.same(
    report.images.map(({ outcome }) => outcome),
    signed.map(() => 'trusted'),
  );
  const { document, contents } = await kit.open('out');
  t.same(
    document.images.map(nameOf),
    signed.map((name) => `demo/${name}`),
  );
  for (const [digest, bytes] of contents) {
    t.ok(bytes.equals(readFileSync(join(blobsFolder, digest.slice('sha256:'.length)))), digest);
  }
  const evidenceOf = (name: string) =>
    document.images.find((image) => nameOf(image) === `demo/${name}`)?.evidence ?? [];
  t.equal(evidenceOf('app:signed-jws').length, 1);
  t.match(evidenceOf('cosign:signed-tag'), [{ tag: /^sha256-[0-9a-f]{64}\.sig$/ }]);
  t.same(
    evidenceOf('service:attested-tags')
      .map(({ tag }) => tag?.slice(-4))
      .toSorted(),
    ['.att', '.sig'],
  );
  t.equal(evidenceOf('service:attested').length, 3, 'a signature and two attestations');
  const listed = document.images.flatMap(({ root, children, evidence }) => [
    root,
    ...children,
    ...evidence.map(({ manifest }) => manifest),
  ]);
  for (const { digest, size } of listed) t.equal(contents.get(digest)?.length, size, digest);
});

t.test('the trust material in use goes along, under the names that a zone reads', async (t) => {
  const kit = await openDemo(t);
  await kit.report('images: [demo/app:signed-jws, demo/cosign:signed-tag]', 'out');
  const { document, trust } = await kit.open('out');
  const paths = document.trust.map(({ path }) => path);
  for (const path of ['policy.yaml', 'keys/demo.pub', 'sigstore/default.json']) {
    t.ok(paths.includes(`trust/${path}`), path);
  }
  t.ok(paths.some((path) => /^trust\/x509\/ca\/demo\/[^/]+$/.test(path)));
  const key = join(repositoryRoot, 'config', 'keys', 'demo.pub');
  t.ok(trust.get('trust/keys/demo.pub')?.equals(readFileSync(key)));
  t.match(JSON.parse(String(trust.get('trust/sigstore/default.json'))), { tlogs: [{}] });
});

t.test('whatever the gate does not trust keeps the bundle from being written', async (t) => {
  const kit = await openDemo(t);
  const list = `images: [${['signed-jws', 'unsigned', 'tampered', 'exempted']
    .map((tag) => `demo/app:${tag}`)
    .join(', ')}]`;
  const report = await kit.report(list, 'out');
  t.equal(report.code, 1);
  t.match(report, {
    outcome: 'refused',
    images: [
      { outcome: 'trusted' },
      { outcome: 'denied', reason: 'unsigned' },
      { outcome: 'denied', because: /./ },
      { outcome: 'waived', because: /exempted from verification until/ },
    ],
  });
  t.equal(report.bundle, undefined);
  await t.rejects(kit.open('out'), { code: 'METADATA_MISSING' });

  const rest = await kit.report(list, 'out', '--skip-denied');
  t.equal(rest.code, 0);
  t.equal(rest.outcome, 'written');
  t.same(
    rest.images.map(({ outcome }) => outcome),
    ['trusted', 'denied', 'denied', 'waived'],
  );
  const { document } = await kit.open('out');
  t.same(document.images.map(nameOf), ['demo/app:signed-jws']);
});

t.test('what does not exist is not left out by asking to leave out what is denied', async (t) => {
  const kit = await openDemo(t);
  const list = 'images: [demo/app:signed-jws, demo/app:none]';
  const report = await kit.report(list, 'out', '--skip-denied');
  t.equal(report.code, 1);
  t.match(report.images, [{ outcome: 'trusted' }, { outcome: 'absent' }]);
  const { stdout } = await kit.run(list, 'out');
  t.match(stdout, /^absent {3}demo\/app:none {2}/m);
  t.match(stdout, /^nothing was written: 1 of 2 images can not go along$/m);
});
