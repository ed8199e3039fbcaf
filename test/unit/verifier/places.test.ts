import t from 'tap';
import { referrersTag } from '../../../src/oci/digest.ts';
import { UpstreamError } from '../../../src/upstream/upstream-error.ts';
import { buildImage, buildIndex, buildManifest } from '../../support/build-image.ts';
import { toyCosign, toyCosignManifest, toyFormat, toySignature } from '../../support/toy-format.ts';
import { heldOpen } from '../../support/held-open.ts';
import {
  makeVerifierKit,
  type VerifierKit,
  type VerifierKitOptions,
} from '../../support/verifier-kit.ts';

const image = buildImage();
const { digest } = image.descriptor;
const tag = referrersTag(digest);
const cosigned = toyCosignManifest(image.descriptor, [{ by: 'bob' }]);
const notated = toySignature(image.descriptor, { by: 'alice' });

function kitFor(options: VerifierKitOptions): VerifierKit {
  const kit = makeVerifierKit(options);
  kit.source.put(image);
  return kit;
}

const bobs = { signers: { bob: 'sigstore' } } as const;
const both = { signers: { alice: 'notation', bob: 'sigstore' } } as const;

t.test('a rule of Notation identities asks for referrers alone: three reads in all', async (t) => {
  const kit = kitFor({ signatureRepository: 'signatures' });
  kit.source.put(notated);
  t.equal((await kit.verify(image)).kind, 'trusted');
  t.strictSame(kit.takeCalls(), [
    `listReferrers ${digest}`,
    `fetchManifest ${notated.descriptor.digest}`,
    `openBlob ${notated.blobs[1]?.descriptor.digest}`,
  ]);
});

t.test("cosign's tags are asked where the rule names a Sigstore identity", async (t) => {
  const kit = kitFor(bobs);
  kit.source.put(cosigned, `${tag}.sig`);
  const verdict = await kit.verify(image);
  t.match(verdict, { kind: 'trusted', reports: [{ format: 'toy-cosign', identity: 'bob' }] });
  t.strictSame(kit.takeCalls(), [
    `listReferrers ${digest}`,
    `fetchManifest ${tag}.sig`,
    `fetchManifest ${tag}.att`,
    `openBlob ${cosigned.blobs[1]?.descriptor.digest}`,
  ]);
  t.strictSame(verdict.search?.places, [
    { place: `referrers, by the API and under tag ${tag}`, found: 0 },
    { place: `tag ${tag}.sig`, found: 1 },
    { place: `tag ${tag}.att`, found: 0 },
  ]);
});

t.test('what lies under .sbom is never looked at', async (t) => {
  const kit = kitFor(bobs);
  kit.source.put(cosigned, `${tag}.sbom`);
  t.match(await kit.verify(image), { kind: 'untrusted', reason: 'unsigned', reports: [] });
});

t.test('signatures of a repository of their own are found, by tag and as referrers', async (t) => {
  const asReferrer = buildManifest({
    subject: image.descriptor,
    config: cosigned.blobs[0]!,
    layers: cosigned.blobs.slice(1),
  });
  for (const [artifact, under] of [
    [cosigned, `${tag}.sig`],
    [asReferrer, undefined],
  ] as const) {
    const kit = kitFor({ ...bobs, signatureRepository: 'signatures' });
    kit.source.put(artifact, under, 'signatures');
    const verdict = await kit.verify(image);
    t.equal(verdict.kind, 'trusted');
    const there = verdict.search?.places.filter(({ place }) => place.endsWith(' in signatures'));
    t.strictSame(
      there?.map(({ found }) => found),
      under ? [0, 1, 0] : [1, 0, 0],
    );
  }
});

t.test('without such a repository nothing is asked there', async (t) => {
  const kit = kitFor(bobs);
  kit.source.put(cosigned, `${tag}.sig`, 'signatures');
  t.match(await kit.verify(image), { kind: 'untrusted', reason: 'unsigned' });
});

t.test('a place that can not be asked is no "unsigned", and hides no other', async (t) => {
  const down = new UpstreamError('UPSTREAM_FAILED', 'answered 500');
  const kit = kitFor(both);
  kit.source.fail('listReferrers', down);
  const open = await kit.verify(image);
  t.match(open, { kind: 'inconclusive', reason: 'upstream-unavailable', because: /answered 500/ });
  t.equal(open.search?.places[0]?.incomplete, 'answered 500');
  kit.source.put(cosigned, `${tag}.sig`);
  t.equal((await kit.verify(image)).kind, 'trusted', 'by the tag');

  const other = kitFor(both);
  const { fetchManifest } = other.source;
  other.source.fetchManifest = async (path, reference, signal) => {
    if ('tag' in reference) throw down;
    return fetchManifest(path, reference, signal);
  };
  t.equal((await other.verify(image)).kind, 'inconclusive');
  other.source.put(notated);
  t.equal((await other.verify(image)).kind, 'trusted', 'by the referrers');
});

t.test('a list that is not complete is no "unsigned" either', async (t) => {
  const kit = kitFor({});
  const incomplete = new UpstreamError('UPSTREAM_TOO_LARGE', 'has more than 2000 referrers');
  kit.source.listReferrers = async () => ({ found: [], incomplete });
  t.match(await kit.verify(image), { kind: 'inconclusive', because: /more than 2000/ });
  kit.source.put(notated);
  kit.source.listReferrers = async () => ({ found: [notated.descriptor], incomplete });
  t.equal((await kit.verify(image)).kind, 'trusted');
});

t.test('a place that never answers is given up, and the other one decides', async (t) => {
  const kit = kitFor({ ...both, limits: { placeMs: 20 } });
  kit.source.put(cosigned, `${tag}.sig`);
  kit.source.listReferrers = () => new Promise(() => undefined);
  const verdict = await heldOpen(kit.verify(image));
  t.equal(verdict.kind, 'trusted');
  t.type(verdict.search?.places[0]?.incomplete, 'string');
});

t.test('an absent tag that answers with the image itself, as on GHCR, holds nothing', async (t) => {
  const index = buildIndex();
  for (const subject of [image, index]) {
    const kit = kitFor(bobs);
    kit.source.put(subject, `${referrersTag(subject.descriptor.digest)}.sig`);
    t.match(await kit.verify(subject), { kind: 'untrusted', reason: 'unsigned', reports: [] });
  }
});

t.test('the bytes decide what lies under a tag, not the tag', async (t) => {
  const other = buildImage({ name: 'other' });
  const elsewhere = buildManifest({
    subject: other.descriptor,
    config: cosigned.blobs[0]!,
    layers: cosigned.blobs.slice(1),
  });
  for (const [artifact, because] of [
    [elsewhere, 'its subject is another'],
    [buildIndex(), 'an index is not a signature'],
    [other, /^not a signature: "application\/vnd.oci.image.config/],
  ] as const) {
    const kit = kitFor(bobs);
    kit.source.put(artifact, `${tag}.sig`);
    const verdict = await kit.verify(image);
    t.match(verdict, { kind: 'untrusted', reason: 'unsigned', reports: [] });
    t.match(verdict.search?.passedOver, [{ digest: artifact.descriptor.digest, because }]);
  }
});

t.test('a signature for other content under the tag is held against this content', async (t) => {
  const other = buildImage({ name: 'other' });
  const kit = kitFor(bobs);
  kit.source.put(toyCosignManifest(other.descriptor, [{ by: 'bob' }]), `${tag}.sig`);
  t.match(await kit.verify(image), { kind: 'untrusted', reason: 'signature-invalid' });
});

t.test('what names no subject counts under a tag of the subject alone', async (t) => {
  const kit = kitFor(bobs);
  kit.source.put(cosigned);
  kit.source.listReferrers = async () => ({ found: [cosigned.descriptor] });
  const listed = await kit.verify(image);
  t.match(listed, { kind: 'untrusted', reason: 'unsigned' });
  t.match(listed.search?.passedOver, [{ because: 'it names no subject' }]);
  kit.changeBasis();
  kit.source.put(cosigned, `${tag}.sig`);
  t.equal((await kit.verify(image)).kind, 'trusted', 'listed and tagged, it is looked at once');
});

t.test('a signature of the other family is told of, and its envelope never fetched', async (t) => {
  const kit = kitFor({ ...bobs, formats: [toyFormat, toyCosign] });
  kit.source.put(notated);
  t.match(await kit.verify(image), {
    kind: 'untrusted',
    reason: 'no-trusted-signer',
    reports: [{ format: 'toy', checks: [{ id: 'format-fits-identity' }] }],
  });
  t.notOk(kit.takeCalls().some((call) => call.startsWith('openBlob')));
});
