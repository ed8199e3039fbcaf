import { buffer } from 'node:stream/consumers';
import t from 'tap';
import { makePlan, type PlannedImage } from '../../../src/airgap/plan.ts';
import { makePlannedSource } from '../../../src/airgap/planned-source.ts';
import type { Tag } from '../../../src/oci/reference.ts';
import type { RepositoryPath } from '../../../src/oci/repository.ts';
import { signatureOf } from '../../support/app-kit.ts';
import { buildImage, closureOf } from '../../support/build-image.ts';
import { makeMemorySource } from '../../support/memory-source.ts';

const image = buildImage();
const unplanned = buildImage({ name: 'unplanned' });
const signature = signatureOf(image.descriptor);
const path = 'app' as RepositoryPath;
const signal = AbortSignal.timeout(30_000);

const planned: PlannedImage = {
  repository: { upstream: 'reg', path },
  tag: 'v1' as Tag,
  root: image.descriptor,
  children: [],
  evidence: [
    {
      manifest: signature.descriptor,
      tag: undefined,
      path: undefined,
      subject: image.descriptor.digest,
      artifactType: 'application/vnd.cncf.notary.signature',
      isReferrer: true,
    },
  ],
  contents: [image, signature].flatMap((artifact) => {
    const { manifests, blobs } = closureOf(artifact);
    return [...manifests, ...blobs].map(({ descriptor: { digest, size } }) => {
      return { digest, size, repository: { upstream: 'reg', path }, kind: 'blob', from: 'gate' };
    });
  }),
};

function open() {
  const upstream = makeMemorySource();
  upstream.put(image, 'v1');
  upstream.put(signature);
  upstream.put(unplanned, 'v2');
  return makePlannedSource(makePlan([planned]), 'reg', upstream);
}

t.test('what is planned is there, under the tags that are planned', async (t) => {
  const source = open();
  const { digest } = image.descriptor;
  t.equal(await source.resolveTag(path, 'v1' as Tag, signal), digest);
  t.match(await source.fetchManifest(path, { tag: 'v1' as Tag }, signal), { digest });
  t.same(await source.listTags(path, { limit: 10 }, signal), { tags: ['v1'], more: false });
  const [blob] = image.blobs;
  if (blob === undefined) throw new TypeError('an image without blobs');
  const { digest: part, size } = blob.descriptor;
  t.same(await source.statBlob(path, part, signal), { size });
  const opened = await source.openBlob(path, part, signal);
  t.ok(opened && (await buffer(opened.stream)).equals(blob.bytes));
  t.match(await source.listReferrers(path, digest, signal), {
    found: [{ digest: signature.descriptor.digest }],
  });
});

t.test('nothing else is, although upstream has it', async (t) => {
  const source = open();
  const { digest } = unplanned.descriptor;
  const other = 'other' as RepositoryPath;
  t.equal(await source.resolveTag(path, 'v2' as Tag, signal), undefined);
  t.equal(await source.fetchManifest(path, { digest }, signal), undefined);
  t.equal(
    await source.fetchManifest(other, { digest: image.descriptor.digest }, signal),
    undefined,
  );
  const part = unplanned.blobs[1]?.descriptor.digest ?? digest;
  t.equal(await source.statBlob(path, part, signal), undefined);
  t.equal(await source.openBlob(path, part, signal), undefined);
  t.equal(await source.listTags(other, { limit: 10 }, signal), undefined);
  t.same(await source.listReferrers(path, digest, signal), { found: [] });
});
