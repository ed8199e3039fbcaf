import t from 'tap';
import { type EvidenceSearch, findEvidence } from '../../../src/airgap/plan-evidence.ts';
import { isEvidence, subjectOfEvidence } from '../../../src/gate/evidence.ts';
import type { Digest } from '../../../src/oci/digest.ts';
import type { RepositoryPath } from '../../../src/oci/repository.ts';
import { UpstreamError } from '../../../src/upstream/upstream-error.ts';
import { type Artifact, buildBlob, buildImage, buildManifest } from '../../support/build-image.ts';
import { makeMemorySource, type MemorySource } from '../../support/memory-source.ts';

const image = buildImage();
const { digest: subject } = image.descriptor;
const signal = AbortSignal.timeout(30_000);

function searchIn(source: MemorySource, changes: Partial<EvidenceSearch> = {}): EvidenceSearch {
  return {
    source,
    repository: { upstream: 'reg', path: 'app' as RepositoryPath },
    apart: undefined,
    subjectOf: (manifest, tag) =>
      isEvidence(manifest) ? subjectOfEvidence(manifest, tag) : undefined,
    isDenied: () => false,
    ...changes,
  };
}

function sbomOf(of: Artifact, name: string, artifactType = 'application/spdx+json'): Artifact {
  const layers = [buildBlob('application/spdx+json', JSON.stringify({ name }))];
  return buildManifest({ artifactType, layers, subject: of.descriptor });
}

/** What cosign 2 keeps under a tag: without a subject. */
const tagged = buildManifest({
  config: buildBlob('application/vnd.oci.image.config.v1+json', '{"architecture":""}'),
  layers: [buildBlob('application/vnd.dev.cosign.simplesigning.v1+json', '{}')],
});
const signatureTag = `${subject.replace(':', '-')}.sig`;

function sourceWith(...artifacts: readonly Artifact[]): MemorySource {
  const source = makeMemorySource();
  source.put(image);
  for (const each of artifacts) source.put(each);
  return source;
}

const digestsOf = (artifact: Artifact): readonly Digest[] => [
  artifact.descriptor.digest,
  ...artifact.blobs.map(({ descriptor }) => descriptor.digest),
];

t.test('referrers, and what lies under tags of cosign, are found with their blobs', async (t) => {
  const sbom = sbomOf(image, 'sbom');
  const source = sourceWith(sbom);
  source.put(tagged, signatureTag);
  const { evidence, contents } = await findEvidence([subject], searchIn(source), signal);
  t.same(
    new Map(evidence.map(({ manifest, tag, isReferrer }) => [manifest.digest, [tag, isReferrer]])),
    new Map([
      [sbom.descriptor.digest, [undefined, true]],
      [tagged.descriptor.digest, [signatureTag, false]],
    ]),
  );
  const planned = contents.map(({ digest }) => digest);
  for (const digest of [...digestsOf(sbom), ...digestsOf(tagged)]) t.ok(planned.includes(digest));
  t.ok(contents.every(({ from }) => from === 'upstream'));
});

t.test('evidence on evidence is found, to a depth', async (t) => {
  const chain = [image];
  for (let depth = 0; depth < 6; depth += 1) {
    chain.push(sbomOf(chain.at(-1) ?? image, `depth ${depth}`));
  }
  const source = sourceWith(...chain.slice(1));
  const { evidence } = await findEvidence([subject], searchIn(source), signal);
  const found = new Set(evidence.map(({ manifest }) => manifest.digest));
  t.same(
    chain.slice(1).map(({ descriptor }) => found.has(descriptor.digest)),
    [true, true, true, true, false, false],
  );
});

t.test(
  'what is no evidence, speaks of something else or is denied stays where it is',
  async (t) => {
    const other = buildImage({ name: 'other' });
    const notes = sbomOf(image, 'notes', 'application/vnd.example.notes');
    const denied = sbomOf(image, 'denied');
    const source = sourceWith(notes, denied);
    source.put(sbomOf(other, 'of another'), signatureTag);
    const isDenied = (digest: Digest): boolean => digest === denied.descriptor.digest;
    const { evidence } = await findEvidence([subject], searchIn(source, { isDenied }), signal);
    t.same(evidence, []);
  },
);

t.test('the same evidence under a tag and as a referrer comes once, with its tag', async (t) => {
  const sbom = sbomOf(image, 'sbom');
  const source = sourceWith();
  source.put(sbom, `${subject.replace(':', '-')}.sbom`);
  const { evidence } = await findEvidence([subject], searchIn(source), signal);
  t.match(evidence, [{ manifest: { digest: sbom.descriptor.digest }, tag: /\.sbom$/ }]);
  t.equal(evidence.length, 1);
});

t.test('another repository for signatures is searched, and named', async (t) => {
  const source = sourceWith();
  source.put(tagged, signatureTag, 'signatures');
  const apart = 'signatures' as RepositoryPath;
  const { evidence, contents } = await findEvidence([subject], searchIn(source, { apart }), signal);
  t.match(evidence, [{ manifest: { digest: tagged.descriptor.digest }, path: 'signatures' }]);
  t.ok(contents.every(({ repository }) => repository.path === 'signatures'));
});

t.test('a place that can not be asked is not empty', async (t) => {
  for (const operation of ['listReferrers', 'fetchManifest'] as const) {
    const source = sourceWith();
    source.fail(operation, new UpstreamError('UPSTREAM_UNREACHABLE', 'away'));
    await t.rejects(findEvidence([subject], searchIn(source), signal), {
      code: 'UPSTREAM_UNREACHABLE',
    });
  }
  const partial = sourceWith();
  const incomplete = new UpstreamError('UPSTREAM_TOO_LARGE', 'has more');
  const half = { ...partial, listReferrers: async () => ({ found: [], incomplete }) };
  const search = { ...searchIn(partial), source: half };
  await t.rejects(findEvidence([subject], search, signal), { code: 'UPSTREAM_TOO_LARGE' });
});

t.test('a referrer that is listed and gone, or can not be read, is passed over', async (t) => {
  const sbom = sbomOf(image, 'sbom');
  const source = sourceWith(sbom);
  source.corrupt(sbom.descriptor.digest, Buffer.from('{"schemaVersion":2,"schemaVersion":2}'));
  t.same((await findEvidence([subject], searchIn(source), signal)).evidence, []);
});
