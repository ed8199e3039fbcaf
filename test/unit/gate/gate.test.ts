import { buffer } from 'node:stream/consumers';
import t from 'tap';
import { DeniedError, NotFoundError, UnavailableError } from '../../../src/gate/gate-error.ts';
import type { Digest } from '../../../src/oci/digest.ts';
import { UpstreamError } from '../../../src/upstream/upstream-error.ts';
import { buildImage, buildIndex } from '../../support/build-image.ts';
import { app, by, deniedFor, type GateKit, makeGateKit, never } from '../../support/gate-kit.ts';
import { toySignature } from '../../support/toy-format.ts';

const image = buildImage();
const { digest } = image.descriptor;
const layer = image.blobs[1]?.descriptor.digest as Digest;

async function signedKit(): Promise<GateKit> {
  const kit = await makeGateKit();
  kit.source.put(image, 'v1');
  kit.source.put(toySignature(image.descriptor, { by: 'alice' }));
  return kit;
}

t.test('a signed image is served byte-exact, by tag and by digest', async (t) => {
  const { gate } = await signedKit();
  for (const reference of ['v1', digest]) {
    const content = await gate.admitManifest(app, by(reference), never());
    t.same(content.bytes, image.bytes);
    t.equal(content.descriptor.digest, digest);
    t.equal(content.admission.by, 'verdict');
    t.equal(content.admission.verdict?.kind, 'trusted');
  }
});

t.test('its blobs are served, byte-exact, once its manifest was', async (t) => {
  const { gate } = await signedKit();
  await gate.admitManifest(app, by('v1'), never());
  for (const { descriptor, bytes } of image.blobs) {
    const blob = await gate.admitBlob(app, descriptor.digest, never());
    t.equal(blob.descriptor.size, descriptor.size);
    t.same(await buffer(await blob.open(never())), Buffer.from(bytes));
  }
});

t.test('a blob of an image that was never asked for is denied, in that repository', async (t) => {
  const { gate } = await signedKit();
  await t.rejects(gate.admitBlob(app, layer, never()), deniedFor('not-reachable'));
});

t.test('a blob admitted in one repository is not served in another', async (t) => {
  const { gate, source } = await signedKit();
  source.put(image, 'v1', 'other');
  await gate.admitManifest(app, by('v1'), never());
  const other = { ...app, path: 'other' as typeof app.path };
  await t.rejects(gate.admitBlob(other, layer, never()), deniedFor('not-reachable'));
});

t.test('an unsigned image is denied by tag and by digest, and so are its blobs', async (t) => {
  const kit = await makeGateKit();
  kit.source.put(image, 'v1');
  await t.rejects(kit.gate.admitManifest(app, by('v1'), never()), deniedFor('unsigned'));
  await t.rejects(kit.gate.admitManifest(app, by(digest), never()), deniedFor('unsigned'));
  await t.rejects(kit.gate.admitBlob(app, layer, never()), DeniedError);
  await t.rejects(kit.gate.admitReferrers(app, digest, never()), DeniedError);
});

t.test('a signature by somebody else, or of something else, is no signature', async (t) => {
  const kit = await makeGateKit();
  const other = buildImage({ name: 'other' });
  kit.source.put(image, 'v1');
  kit.source.put(toySignature(image.descriptor, { by: 'mallory' }));
  await t.rejects(kit.gate.admitManifest(app, by('v1'), never()), deniedFor('no-trusted-signer'));
  kit.source.put(other, 'v2');
  kit.source.put(toySignature(image.descriptor, { by: 'alice' }));
  await t.rejects(kit.gate.admitManifest(app, by('v2'), never()), deniedFor('unsigned'));
});

t.test('what does not exist upstream is not found, and not denied', async (t) => {
  const { gate } = await signedKit();
  const absent = buildImage({ name: 'absent' });
  const unknown = absent.descriptor.digest;
  await t.rejects(gate.admitManifest(app, by('nope'), never()), NotFoundError);
  await t.rejects(gate.admitManifest(app, by(unknown), never()), NotFoundError);
  await t.rejects(gate.admitBlob(app, unknown, never()), { code: 'BLOB_UNKNOWN' });
  t.same((await gate.admitReferrers(app, unknown, never())).descriptors, []);
});

t.test('a repository that no rule names is denied', async (t) => {
  const kit = await makeGateKit(`
  - repositories: ["reg/elsewhere"]
    require: { signedBy: alice }`);
  kit.source.put(image, 'v1');
  await t.rejects(kit.gate.admitManifest(app, by('v1'), never()), deniedFor('no-rule'));
  await t.rejects(kit.gate.admitManifest(app, by(digest), never()), deniedFor('no-rule'));
  await t.rejects(kit.gate.admitBlob(app, layer, never()), deniedFor('no-rule'));
  await t.rejects(kit.gate.admitReferrers(app, digest, never()), deniedFor('no-rule'));
  await t.rejects(kit.gate.listTags(app, { limit: 10 }, never()), deniedFor('no-rule'));
  t.same(kit.source.calls, [], 'and no upstream is asked');
});

t.test('an index vouches for its children and their blobs', async (t) => {
  const kit = await makeGateKit();
  const index = buildIndex({ attestation: 'with' });
  kit.source.put(index, 'multi');
  kit.source.put(toySignature(index.descriptor, { by: 'alice' }));
  await kit.gate.admitManifest(app, by('multi'), never());
  for (const child of index.children) {
    const content = await kit.gate.admitManifest(app, by(child.descriptor.digest), never());
    t.equal(content.admission.verdict?.subject, index.descriptor.digest);
    for (const { descriptor } of child.blobs) {
      t.ok(await kit.gate.admitBlob(app, descriptor.digest, never()));
    }
  }
});

t.test('a blob of a child that nobody asked for yet is found through the index', async (t) => {
  const kit = await makeGateKit();
  const index = buildIndex();
  kit.source.put(index, 'multi');
  kit.source.put(toySignature(index.descriptor, { by: 'alice' }));
  await kit.gate.admitManifest(app, by('multi'), never());
  const blob = index.children[0]?.blobs[1]?.descriptor.digest as Digest;
  t.ok(await kit.gate.admitBlob(app, blob, never()));
});

t.test('a child without a known parent is not reachable', async (t) => {
  const kit = await makeGateKit();
  const index = buildIndex();
  kit.source.put(index, 'multi');
  kit.source.put(toySignature(index.descriptor, { by: 'alice' }));
  const child = index.children[0]?.descriptor.digest as Digest;
  await t.rejects(kit.gate.admitManifest(app, by(child), never()), deniedFor('not-reachable'));
});

t.test('after a restart a child and its blobs are served from the stored closure', async (t) => {
  const kit = await makeGateKit();
  const index = buildIndex();
  kit.source.put(index, 'multi');
  kit.source.put(toySignature(index.descriptor, { by: 'alice' }));
  await kit.gate.admitManifest(app, by('multi'), never());
  const child = index.children[0];
  await kit.gate.admitManifest(app, by(child?.descriptor.digest as Digest), never());
  const again = await kit.restarted();
  kit.source.calls.length = 0;
  t.ok(await again.gate.admitBlob(app, child?.blobs[0]?.descriptor.digest as Digest, never()));
  t.ok(await again.gate.admitManifest(app, by(child?.descriptor.digest as Digest), never()));
  t.notOk(
    kit.source.calls.some((call) => call.startsWith('listReferrers')),
    'nothing verified',
  );
});

t.test('a manifest asked for as a blob follows the rules of manifests', async (t) => {
  const { gate, source } = await signedKit();
  const blob = await gate.admitBlob(app, digest, never());
  t.same(blob.bytes, image.bytes);
  const unsigned = buildImage({ name: 'unsigned' });
  source.put(unsigned, 'v2');
  await t.rejects(gate.admitBlob(app, unsigned.descriptor.digest, never()), DeniedError);
});

t.test('a manifest that clients could read differently is denied, signed or not', async (t) => {
  const kit = await makeGateKit();
  const ambiguous = buildImage({ members: { manifests: [] } });
  kit.source.put(ambiguous, 'v1');
  kit.source.put(toySignature(ambiguous.descriptor, { by: 'alice' }));
  const asked = kit.gate.admitManifest(app, by('v1'), never());
  await t.rejects(asked, deniedFor('malformed-manifest'));
});

t.test(
  'an upstream that can not be asked makes nothing trusted and nothing unsigned',
  async (t) => {
    const { gate, source } = await signedKit();
    source.fail('listReferrers', new UpstreamError('UPSTREAM_FAILED', 'upstream answered 500'));
    await t.rejects(gate.admitManifest(app, by('v1'), never()), UnavailableError);
    source.fail('listReferrers', undefined);
    t.ok(await gate.admitManifest(app, by('v1'), never()), 'and it was not remembered');
  },
);

t.test("upstream's own words on waiting reach the client", async (t) => {
  const { gate, source } = await signedKit();
  const limited = new UpstreamError('UPSTREAM_RATE_LIMITED', 'slow', { retryAfterSeconds: 33 });
  source.fail('resolveTag', limited);
  const asked = gate.admitManifest(app, by('v1'), never());
  await t.rejects(asked, { code: 'UNAVAILABLE', retryAfterSeconds: 33 });
});

t.test('an upstream that refuses our credentials is no refusal of the client', async (t) => {
  const { gate, source } = await signedKit();
  source.fail('resolveTag', new UpstreamError('UPSTREAM_UNAUTHORIZED', 'our key is refused'));
  await t.rejects(gate.admitManifest(app, by('v1'), never()), { code: 'BAD_UPSTREAM' });
});

t.test('bytes that are not what the manifest names never end well', async (t) => {
  const { gate, source, metrics } = await signedKit();
  await gate.admitManifest(app, by('v1'), never());
  const right = image.blobs[1]?.bytes as Uint8Array;
  const wrong = Uint8Array.from(right);
  wrong[0] = (wrong[0] ?? 0) ^ 1;
  for (const bytes of [wrong, right.subarray(1), Buffer.concat([right, Buffer.of(0)])]) {
    source.corrupt(layer, bytes);
    const blob = await gate.admitBlob(app, layer, never());
    await t.rejects(buffer(await blob.open(never())), { code: 'CONTENT_MISMATCH' });
  }
  t.equal(metrics.counted('assay_content_mismatch_total', { upstream: 'reg' }), 3);
});

t.test(
  'what was admitted is at hand, by digest and by tag, until its verdict or tag ends',
  async (t) => {
    const { gate, clock, setPolicy } = await signedKit();
    t.equal(gate.manifestAtHand(app, by('v1')), undefined, 'not before it was admitted');
    await gate.admitManifest(app, by('v1'), never());
    for (const reference of ['v1', digest]) {
      t.same(gate.manifestAtHand(app, by(reference))?.bytes, image.bytes);
    }
    clock.advanceMs(60_000);
    t.equal(gate.manifestAtHand(app, by('v1')), undefined, 'the tag is to be asked for again');
    t.ok(gate.manifestAtHand(app, by(digest)));
    await setPolicy(`
  - repositories: ["reg/**"]
    require: { signedBy: bob }`);
    t.equal(gate.manifestAtHand(app, by(digest)), undefined, 'another policy is in force');
  },
);

t.test('a blob that was admitted is at hand until its verdict ends', async (t) => {
  const { gate, setPolicy } = await signedKit();
  t.equal(gate.blobAtHand(app, layer), undefined, 'not before it was admitted');
  await gate.admitManifest(app, by('v1'), never());
  t.equal(gate.blobAtHand(app, layer), undefined, 'nor with its image');
  await gate.admitBlob(app, layer, never());
  const blob = gate.blobAtHand(app, layer);
  t.match(blob?.admission, { by: 'verdict', cache: 'memory' });
  t.same(await buffer(await blob!.open(never())), image.blobs[1]?.bytes);
  t.equal(
    gate.blobAtHand({ ...app, path: 'other' as typeof app.path }, layer),
    undefined,
    'in its repository alone',
  );
  await setPolicy(`
  - repositories: ["reg/**"]
    require: { signedBy: bob }`);
  t.equal(gate.blobAtHand(app, layer), undefined, 'another policy is in force');
  await t.rejects(gate.admitBlob(app, layer, never()));
  t.equal(gate.blobAtHand(app, layer), undefined, 'what is denied is never at hand');
});

t.test('a blob is at hand no longer than its verdict is fresh', async (t) => {
  const { gate, clock } = await signedKit();
  await gate.admitManifest(app, by('v1'), never());
  const { verdict } = (await gate.admitBlob(app, layer, never())).admission;
  const lifeMs = verdict!.expiresAt.getTime() - verdict!.checkedAt.getTime();
  clock.advanceMs(lifeMs * 0.74);
  t.ok(gate.blobAtHand(app, layer));
  clock.advanceMs(lifeMs * 0.02);
  t.equal(gate.blobAtHand(app, layer), undefined, 'it is to be renewed by the slow path');
});

t.test('what is denied is never at hand', async (t) => {
  const kit = await makeGateKit();
  kit.source.put(image, 'v1');
  await t.rejects(kit.gate.admitManifest(app, by('v1'), never()), DeniedError);
  t.equal(kit.gate.manifestAtHand(app, by('v1')), undefined);
  t.equal(kit.gate.manifestAtHand(app, by(digest)), undefined);
});
