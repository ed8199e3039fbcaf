import t from 'tap';
import type { Digest } from '../../../src/oci/digest.ts';
import { type Artifact, buildImage, buildIndex } from '../../support/build-image.ts';
import { app, by, deniedFor, type GateKit, makeGateKit, never } from '../../support/gate-kit.ts';
import { toySignature } from '../../support/toy-format.ts';

const index = buildIndex({ attestation: 'with' });
const [amd64, arm64, attestation] = index.children as [Artifact, Artifact, Artifact];

async function platformsKit(...signed: Artifact[]): Promise<GateKit> {
  const kit = await makeGateKit(`
  - repositories: ["reg/**"]
    require: { signedBy: alice }
    covers: platforms`);
  kit.source.put(index, 'multi');
  for (const { descriptor } of signed) kit.source.put(toySignature(descriptor, { by: 'alice' }));
  return kit;
}

const digestOf = ({ descriptor }: Artifact): Digest => descriptor.digest;

t.test('an unsigned index is served when each platform child is signed', async (t) => {
  const { gate } = await platformsKit(amd64, arm64);
  const { admission } = await gate.admitManifest(app, by('multi'), never());
  t.equal(admission.verdict?.kind, 'trusted');
  t.equal(admission.verdict?.children.length, 2);
  for (const child of [amd64, arm64]) {
    const content = await gate.admitManifest(app, by(digestOf(child)), never());
    t.equal(content.admission.verdict?.subject, digestOf(child), 'each by its own verdict');
  }
});

t.test('one platform child without a signature keeps the index back', async (t) => {
  const { gate } = await platformsKit(amd64);
  await t.rejects(gate.admitManifest(app, by('multi'), never()), deniedFor('unsigned'));
});

t.test('a signed index does not vouch for an unsigned platform child, nor its blobs', async (t) => {
  const { gate } = await platformsKit(index, amd64);
  t.ok(await gate.admitManifest(app, by('multi'), never()));
  t.ok(await gate.admitManifest(app, by(digestOf(amd64)), never()));
  await t.rejects(gate.admitManifest(app, by(digestOf(arm64)), never()), { code: 'DENIED' });
  const blob = arm64.blobs[1]?.descriptor.digest as Digest;
  await t.rejects(gate.admitBlob(app, blob, never()), { code: 'DENIED' });
});

t.test('what BuildKit attests needs no signature of its own', async (t) => {
  const { gate } = await platformsKit(amd64, arm64);
  await gate.admitManifest(app, by('multi'), never());
  t.ok(await gate.admitManifest(app, by(digestOf(attestation)), never()));
});

t.test('an image that poses as an attestation is denied', async (t) => {
  const { gate, source } = await platformsKit(amd64);
  const posing = buildImage({ name: 'posing' });
  const trap = buildIndex({
    name: 'trap',
    children: [amd64, posing],
    platforms: [
      { os: 'linux', architecture: 'amd64' },
      { os: 'unknown', architecture: 'unknown' },
    ],
  });
  source.put(trap, 'trap');
  t.ok(await gate.admitManifest(app, by('trap'), never()), 'its one platform child is signed');
  await t.rejects(gate.admitManifest(app, by(digestOf(posing)), never()), { code: 'DENIED' });
  const blob = posing.blobs[1]?.descriptor.digest as Digest;
  await t.rejects(gate.admitBlob(app, blob, never()), { code: 'DENIED' });
});

t.test('an index without platform children is not trusted for want of them', async (t) => {
  const { gate, source } = await platformsKit();
  source.put(buildIndex({ name: 'empty', children: [] }), 'empty');
  await t.rejects(gate.admitManifest(app, by('empty'), never()), deniedFor('unsigned'));
});

t.test('an index that says another size of a platform child is malformed', async (t) => {
  const { gate, source } = await platformsKit(amd64);
  const descriptor = { ...amd64.descriptor, size: amd64.descriptor.size + 1 };
  source.put(buildIndex({ name: 'lying', children: [{ ...amd64, descriptor }] }), 'lying');
  await t.rejects(gate.admitManifest(app, by('lying'), never()), deniedFor('malformed-manifest'));
  t.ok(await gate.admitManifest(app, by(digestOf(amd64)), never()), 'which harms it in nothing');
});
