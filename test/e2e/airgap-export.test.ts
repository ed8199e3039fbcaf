import { X509Certificate } from 'node:crypto';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { nameOf } from '../../src/airgap/plan.ts';
import { openReceiptKey } from '../../src/airgap/receipt.ts';
import type { Digest } from '../../src/oci/digest.ts';
import { systemFiles } from '../../src/storage/file-system.ts';
import { acme, signatureOf, writeConfiguration } from '../support/app-kit.ts';
import {
  type Artifact,
  buildBlob,
  buildImage,
  buildIndex,
  buildManifest,
  closureOf,
} from '../support/build-image.ts';
import { type ExportKit, filesBelow, makeExportKit } from '../support/export-kit.ts';
import { openScriptedRegistry, type ScriptedRegistry } from '../support/scripted-registry.ts';

const base = buildBlob(
  'application/vnd.oci.image.layer.v1.tar+gzip',
  Buffer.alloc(200_000, 'base'),
);

/** An image of a common layer and one of its own. */
function imageOf(name: string, size: number): Artifact {
  const own = buildImage({ name, layerSizes: [size] });
  const [config = base, layer = base] = own.blobs;
  return buildManifest({ config, layers: [base, layer] });
}

const one = imageOf('one', 30_000);
const two = imageOf('two', 50_000);

function publicKeyIn(certificate: string): string {
  const { publicKey } = new X509Certificate(certificate);
  return publicKey.export({ format: 'pem', type: 'spki' }).toString();
}

interface Site {
  readonly registry: ScriptedRegistry;
  readonly kit: ExportKit;
}

async function openSite(t: Test, rules?: readonly object[]): Promise<Site> {
  const registry = await openScriptedRegistry(t);
  for (const [image, tag] of [
    [one, 'v1'],
    [two, 'v2'],
  ] as const) {
    registry.put('app', image, tag);
    registry.put('app', signatureOf(image.descriptor));
  }
  const upstreams = { reg: registry.origin };
  const file = writeConfiguration(t, { upstreams, ...(rules && { rules }) });
  return { registry, kit: await makeExportKit(file) };
}

function digestsOf(...artifacts: readonly Artifact[]): readonly Digest[] {
  const all = artifacts.flatMap((artifact) => {
    const { manifests, blobs } = closureOf(artifact);
    return [...manifests, ...blobs].map(({ descriptor }) => descriptor.digest);
  });
  return [...new Set(all)].toSorted();
}

t.test('a delta carries exactly what is new, and says what it takes to be there', async (t) => {
  const { kit } = await openSite(t);
  const first = await kit.report('images: [reg/app:v1]', 'first');
  t.match(first, { code: 0, bundle: { sequence: 1, assumed: { contents: 0 } } });
  const full = await kit.open('first');
  const signature = full.document.images[0]?.evidence[0]?.manifest.digest as Digest;
  t.ok(full.contents.has(signature));

  const second = await kit.report('images: [reg/app:v1, reg/app:v2]', 'second', '--since', '1');
  const { document, contents, records } = await kit.open('second');
  t.match(document, {
    sequence: 2,
    base: 1,
    previous: { sequence: 1, snapshot: full.metadata.snapshot },
  });
  const news = digestsOf(two).filter((digest) => !full.contents.has(digest));
  const carried = [...contents.keys()].toSorted();
  for (const digest of news) t.ok(carried.includes(digest), digest);
  const evidence = carried.filter((digest) => !news.includes(digest));
  t.equal(evidence.length, 2, 'the manifest of its signature, and the envelope');
  t.notOk(carried.some((digest) => full.contents.has(digest)));
  const bytes = [...contents.values()].reduce((sum, { length }) => sum + length, 0);
  t.equal(second.bundle?.carried?.bytes, bytes);
  t.ok(bytes < base.descriptor.size, 'the common layer is not among them');
  const assumed = records.filter(({ extents }) => extents === undefined);
  t.same(
    assumed.map(({ digest }) => digest),
    [...full.contents.keys()].toSorted(),
    'all that the first one held, in the order of digests',
  );
});

t.test('a delta builds upon what a zone says that it has, if that is our bundle', async (t) => {
  const { kit, registry } = await openSite(t);
  await kit.report('images: [reg/app:v1]', 'first');
  const { document, metadata } = await kit.open('first');
  const key = await openReceiptKey({ receiptKey: join(kit.folder, 'zone.key') }, systemFiles);
  const said = { stream: document.stream, sequence: 1, snapshot: metadata.snapshot, leftOut: 0 };
  const receipt = join(kit.folder, 'receipt.txt');
  writeFileSync(receipt, key.sign({ ...said, snapshot: one.descriptor.digest }));
  const asked = registry.requests.length;
  const fork = await kit.run('images: [reg/app:v1, reg/app:v2]', 'fork', '--since', receipt);
  t.equal(fork.code, 1, 'it is not to be believed');
  t.match(fork.stderr, /the zone has another bundle 1 than was made here/);
  t.equal(registry.requests.length, asked);

  writeFileSync(receipt, key.sign(said));
  const images = 'images: [reg/app:v1, reg/app:v2]';
  const delta = await kit.report(images, 'second', '--since', receipt);
  t.match(delta, { code: 0, bundle: { sequence: 2, base: 1 } });
  t.equal((await kit.open('second')).document.base, 1);
});

t.test('a delta since a bundle that nobody knows of is refused before any work', async (t) => {
  const { kit, registry } = await openSite(t);
  const run = await kit.run('images: [reg/app:v1]', 'out', '--since', '7');
  t.equal(run.code, 64);
  t.match(run.stderr, /what bundle 7 of stream .* held is not known/);
  t.equal(registry.requests.length, 0);
});

t.test('one that was refused takes no number, and a folder that is taken is told', async (t) => {
  const { kit } = await openSite(t);
  t.equal((await kit.report('images: [reg/app:none]', 'out')).code, 1);
  t.equal((await kit.report('images: [reg/app:v1]', 'out')).bundle?.sequence, 1);
  const again = await kit.run('images: [reg/app:v1]', 'out');
  t.match(again.stderr, /holds a bundle already: export into a folder of its own/);
  const occupied = await kit.run('images: [reg/app:v1]', 'keys');
  t.match(occupied.stderr, /keys is not empty/);
  t.same(
    filesBelow(kit.keys).filter((name) => !/\.(pem|json)$/.test(name)),
    [],
  );
  t.equal((await kit.report('images: [reg/app:v1]', 'next')).bundle?.sequence, 2);
});

t.test(
  'patterns of tags and platforms say what goes along; children and attestations too',
  async (t) => {
    const { kit, registry } = await openSite(t);
    const multi = buildIndex({ attestation: 'with' });
    registry.put('multi', multi, 'v1');
    registry.put('multi', signatureOf(multi.descriptor));
    const list = JSON.stringify({
      images: [
        { repository: 'reg/app', tags: ['v*'] },
        { reference: 'reg/multi:v1', platforms: ['linux/amd64'] },
      ],
    });
    const report = await kit.report(list, 'out');
    t.equal(report.code, 0);
    const { document, contents } = await kit.open('out');
    t.same(document.images.map(nameOf), ['reg/app:v1', 'reg/app:v2', 'reg/multi:v1']);
    const [amd64, arm64, attestation] = multi.children;
    const children = document.images[2]?.children.map(({ digest }) => digest);
    t.same(children, [amd64?.descriptor.digest, attestation?.descriptor.digest]);
    t.notOk(contents.has(arm64?.descriptor.digest as Digest));
  },
);

t.test('charts and other artifacts go along as images do', async (t) => {
  const { kit, registry } = await openSite(t);
  const chart = buildManifest({
    config: buildBlob('application/vnd.cncf.helm.config.v1+json', '{"name":"chart"}'),
    layers: [buildBlob('application/vnd.cncf.helm.chart.content.v1.tar+gzip', 'a chart')],
  });
  registry.put('charts/app', chart, '1.0.0');
  registry.put('charts/app', signatureOf(chart.descriptor));
  await kit.report('images: [reg/charts/app:1.0.0]', 'out');
  const { contents } = await kit.open('out');
  for (const digest of digestsOf(chart)) t.ok(contents.has(digest), digest);
});

t.test('evidence comes along: of an image, of its platforms, and of evidence', async (t) => {
  const { kit, registry } = await openSite(t);
  const multi = buildIndex({});
  const [amd64] = multi.children;
  const sbom = (of: Artifact, name: string): Artifact =>
    buildManifest({
      artifactType: 'application/spdx+json',
      layers: [buildBlob('application/spdx+json', `{"name":"${name}"}`)],
      subject: of.descriptor,
    });
  const ofImage = sbom(multi, 'image');
  const ofPlatform = sbom(amd64 as Artifact, 'platform');
  const ofEvidence = signatureOf(ofPlatform.descriptor);
  const stranger = buildManifest({
    artifactType: 'application/vnd.example.notes',
    layers: [buildBlob('text/plain', 'notes')],
    subject: multi.descriptor,
  });
  registry.put('multi', multi, 'v1');
  for (const each of [signatureOf(multi.descriptor), ofImage, ofPlatform, ofEvidence, stranger]) {
    registry.put('multi', each);
  }
  await kit.report('images: [reg/multi:v1]', 'out');
  const { contents } = await kit.open('out');
  for (const each of [ofImage, ofPlatform, ofEvidence]) {
    for (const digest of digestsOf(each)) t.ok(contents.has(digest), digest);
  }
  t.notOk(contents.has(stranger.descriptor.digest), 'what the gate would not serve stays here');
});

t.test('what would not be trusted with what goes along is not written', async (t) => {
  const { kit, registry } = await openSite(t);
  // Trusted now, and known so for a day; then what it rests upon goes, unnoticed by upstream.
  t.equal((await kit.report('images: [reg/app:v1]', 'first')).code, 0);
  registry.setFault(({ path }) => (path.includes('/referrers/') ? { status: 500 } : undefined));
  const failed = await kit.report('images: [reg/app:v1]', 'second');
  t.equal(failed.code, 2, 'evidence that can not be looked for is not evidence that is not there');
  t.match(failed, { outcome: 'refused', images: [{ outcome: 'failed' }] });

  const none = Buffer.from(
    '{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[]}',
  );
  const headers = { 'content-type': 'application/vnd.oci.image.index.v1+json' };
  registry.setFault(({ path }) =>
    path.includes('/referrers/') ? { status: 200, headers, body: none } : undefined,
  );
  const unproven = await kit.report('images: [reg/app:v1]', 'third');
  t.equal(unproven.code, 1);
  t.match(unproven, {
    outcome: 'refused',
    images: [{ reference: 'reg/app:v1', outcome: 'unproven', because: /^unsigned: / }],
  });
  await t.rejects(kit.open('third'), { code: 'METADATA_MISSING' });
});

t.test(
  'a trust store that is taken away between is not in the bundle, nor its images',
  async (t) => {
    const { kit } = await openSite(t);
    t.equal((await kit.report('images: [reg/app:v1]', 'first')).code, 0);
    rmSync(join(kit.folder, 'trust', 'x509', 'ca', 'acme', 'acme.pem'));
    const run = await kit.run('images: [reg/app:v1]', 'second');
    t.equal(run.code, 78);
    t.match(run.stderr, /trust store ca:acme, and .* holds no certificate/);
  },
);

t.test(
  'the version of a tag grows when it moves, also back, which the policy may permit',
  async (t) => {
    const until = '2036-01-01T00:00:00Z';
    const words = { reason: 'v2 is broken', owner: 'ops@example.com', until };
    const allowed = { digest: one.descriptor.digest, ...words };
    const { kit, registry } = await openSite(t, [
      {
        repositories: ['reg/**'],
        require: { signedBy: 'acme' },
        tags: { rollback: 'warn', allowedRollbacks: [allowed] },
      },
    ]);
    const versionIn = async (out: string) => {
      await kit.export('images: [reg/app:stable]', out, {});
      const { images, rollbacks } = (await kit.open(out)).document;
      return { version: images[0]?.tagVersion, rollbacks };
    };
    const moveTo = (image: Artifact): void => {
      registry.put('app', image, 'stable');
      // Where a tag points is remembered for a minute.
      rmSync(join(kit.folder, 'data', 'state'), { recursive: true, force: true });
    };
    moveTo(one);
    t.same(await versionIn('1'), { version: 1, rollbacks: [] });
    t.same(await versionIn('2'), { version: 1, rollbacks: [] });
    moveTo(two);
    t.same(await versionIn('3'), { version: 2, rollbacks: [] });
    moveTo(one);
    t.match(await versionIn('4'), {
      version: 3,
      rollbacks: [
        {
          repository: { upstream: 'reg', path: 'app' },
          tag: 'stable',
          to: one.descriptor.digest,
          owner: 'ops@example.com',
          until: new Date(until),
        },
      ],
    });
  },
);

t.test('what is denied by hand goes along, and keeps its images out', async (t) => {
  const { kit } = await openSite(t);
  const { runInProcess } = await import('../support/run-assay.ts');
  const words = ['--reason', 'stolen key', '--owner', 'ops@example.com'];
  const { digest } = two.descriptor;
  const denied = await runInProcess([
    'deny',
    'add',
    '--digest',
    digest,
    ...words,
    '--config',
    kit.file,
  ]);
  t.equal(denied.code, 0, denied.stderr);
  const refused = await kit.report('images: [reg/app:v1, reg/app:v2]', 'first');
  t.match(refused.images, [{ outcome: 'trusted' }, { outcome: 'denied', reason: 'denylisted' }]);
  await kit.report('images: [reg/app:v1]', 'second');
  const { document } = await kit.open('second');
  t.match(document.denials, [
    { target: { kind: 'digest', digest }, because: 'stolen key (ops@example.com)' },
  ]);
  const emergency = await kit.report(undefined, 'third', '--revocations-only');
  t.match(emergency, { code: 0, bundle: { sequence: 2, volumes: 0, carried: { bytes: 0 } } });
  const third = await kit.open('third');
  t.match(third.document, { kind: 'revocation', images: [], denials: [{ target: { digest } }] });
  t.equal(filesBelow(join(kit.folder, 'third', 'volumes')).length, 0);
  const since = await kit.run('images: [reg/app:v1]', 'fourth', '--since', '2');
  t.match(since.stderr, /bundle 2 has no content/);
});

t.test(
  'files that a policy names from elsewhere come along, and it names them there',
  async (t) => {
    const { kit } = await openSite(t);
    const outside = join(kit.folder, 'outside');
    const policy = JSON.parse(readFileSync(join(kit.folder, 'policy.yaml'), 'utf8')) as {
      identities: Record<string, unknown>;
    };
    writeFileSync(outside, publicKeyIn(acme.leaf.pem));
    policy.identities['key'] = {
      sigstore: { publicKeys: [outside], transparencyLog: 'not-required' },
    };
    writeFileSync(join(kit.folder, 'policy.yaml'), JSON.stringify(policy));
    const report = await kit.report('images: [reg/app:v1]', 'out');
    t.equal(report.code, 0);
    const { trust } = await kit.open('out');
    const [path = ''] = [...trust.keys()].filter((name) => name.startsWith('trust/referred/'));
    t.ok(trust.get(path)?.equals(readFileSync(outside)));
    const carried = String(trust.get('trust/policy.yaml'));
    t.ok(carried.includes(`"${path.slice('trust/'.length)}"`));
    t.notOk(carried.includes(outside));
  },
);

t.test('wrong usage is told', async (t) => {
  const { kit } = await openSite(t);
  for (const [words, message] of [
    [['--volume-size', '1'], /--volume-size takes a size/],
    [['--format', 'zip'], /--format takes bundle, oci or oci-tar/],
    [['--since', 'x'], /--since takes the number of a bundle/],
    [['--format', 'oci', '--since', '1'], /--since belongs to a bundle with images/],
    [['--revocations-only'], /--revocations-only takes no --images/],
  ] as const) {
    const run = await kit.run('images: [reg/app:v1]', 'out', ...words);
    t.equal(run.code, 64);
    t.match(run.stderr, message);
  }
  t.match((await kit.run(undefined, 'out')).stderr, /--images is missing/);
});
