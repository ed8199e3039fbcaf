import t from 'tap';
import { referrersTag } from '../../../src/oci/digest.ts';
import { type Artifact, buildImage, buildManifest } from '../../support/build-image.ts';
import { toyCosignManifest } from '../../support/toy-format.ts';
import {
  makeVerifierKit,
  type VerifierKit,
  type VerifierKitOptions,
} from '../../support/verifier-kit.ts';

const image = buildImage();
const tag = `${referrersTag(image.descriptor.digest)}.sig`;

function kitWith(artifact: Artifact, limits: VerifierKitOptions['limits'] = {}): VerifierKit {
  const kit = makeVerifierKit({ signers: { bob: 'sigstore' }, limits });
  kit.source.put(image);
  kit.source.put(artifact, tag);
  return kit;
}

const strangers = (count: number) =>
  Array.from({ length: count }, (_, key) => ({ by: 'mallory', key: String(key) }));

t.test('each layer is a signature of its own, and reports tell them apart', async (t) => {
  const artifact = toyCosignManifest(image.descriptor, [
    { by: 'mallory' },
    { by: 'bob', outcome: 'inconclusive' },
    { by: 'bob' },
  ]);
  const { kind, reports } = await kitWith(artifact, { concurrency: 1 }).verify(image);
  t.equal(kind, 'trusted');
  const signature = artifact.descriptor.digest;
  const layers = artifact.blobs.slice(1).map(({ descriptor }) => descriptor.digest);
  t.match(reports, [
    { signature, envelope: { index: 0, digest: layers[0] }, outcome: 'untrusted' },
    { signature, envelope: { index: 1, digest: layers[1] }, outcome: 'inconclusive' },
    { signature, envelope: { index: 2, digest: layers[2] }, outcome: 'trusted' },
  ]);
});

t.test('the only signature of a manifest is named by the manifest alone', async (t) => {
  const artifact = toyCosignManifest(image.descriptor, [{ by: 'bob' }]);
  const [report] = (await kitWith(artifact).verify(image)).reports;
  t.equal(report?.signature, artifact.descriptor.digest);
  t.notOk(report && 'envelope' in report);
});

t.test("a layer's own annotations reach its format, and no other layer's do", async (t) => {
  const artifact = toyCosignManifest(image.descriptor, [
    { by: 'mallory', key: '1', annotation: 'bob' },
    { by: 'mallory', key: '2' },
  ]);
  const { reports } = await kitWith(artifact, { concurrency: 1 }).verify(image);
  t.strictSame(
    reports.map(({ envelope, outcome }) => [envelope?.index, outcome]),
    [[0, 'trusted']],
  );
});

t.test(
  'CVE-2024-29902 (cosign): a layer that says to be 1 GiB is refused before it is fetched, the next counts',
  async (t) => {
    const { blobs } = toyCosignManifest(image.descriptor, [{ by: 'mallory' }, { by: 'bob' }]);
    const [config, huge, good] = blobs;
    const layers = [{ ...huge!.descriptor, size: 2 ** 30 }, good!.descriptor];
    const artifact = buildManifest({ config: config!, layers: [good!], members: { layers } });
    const kit = kitWith(artifact, { concurrency: 1 });
    t.match(await kit.verify(image), {
      kind: 'trusted',
      reports: [
        {
          outcome: 'untrusted',
          reason: 'signature-invalid',
          checks: [{ id: 'signature-readable', because: /larger than 10000 bytes/ }],
        },
        { outcome: 'trusted' },
      ],
    });
    t.notOk(kit.takeCalls().includes(`openBlob ${huge?.descriptor.digest}`));
  },
);

t.test('a layer that is not there hides no other one', async (t) => {
  const artifact = toyCosignManifest(image.descriptor, [{ by: 'mallory' }, { by: 'bob' }]);
  const kit = kitWith(artifact);
  kit.source.remove(artifact.blobs[1]!.descriptor.digest);
  t.equal((await kit.verify(image)).kind, 'trusted');
});

t.test(
  'CVE-2024-29903 (cosign): of 300 layers 256 are read, and the others are not "unsigned"',
  async (t) => {
    const kit = kitWith(toyCosignManifest(image.descriptor, strangers(300)));
    const verdict = await kit.verify(image);
    t.match(verdict, { kind: 'inconclusive', reason: 'limit-exceeded', because: /^44 possible/ });
    t.equal(verdict.search?.unexamined, 44);
    t.equal(kit.takeCalls().filter((call) => call.startsWith('openBlob')).length, 256);
  },
);

t.test('layers past the budget are examined at the next request', async (t) => {
  const layers = [...strangers(25), { by: 'bob' }];
  const kit = kitWith(toyCosignManifest(image.descriptor, layers), { maxCandidates: 10 });
  const kinds: string[] = [];
  for (let round = 0; round < 3; round += 1) {
    kinds.push((await kit.verify(image)).kind);
    const blobs = kit.takeCalls().filter((call) => call.startsWith('openBlob'));
    t.ok(blobs.length <= 10, `${blobs.length} envelopes`);
  }
  t.strictSame(kinds, ['inconclusive', 'inconclusive', 'trusted']);
});
