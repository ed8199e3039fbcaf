import t from 'tap';
import { buildImage } from '../../support/build-image.ts';
import { app, by, makeGateKit, never } from '../../support/gate-kit.ts';
import { makeMemorySource } from '../../support/memory-source.ts';
import { toySignature } from '../../support/toy-format.ts';

/** A replica that may not decide, or whose clock others can not go by. */

const image = buildImage({ name: 'image' });
const [layer] = image.blobs;

function sourceOfImage() {
  const source = makeMemorySource();
  source.put(image, '1.0');
  source.put(toySignature(image.descriptor, { by: 'alice' }));
  return source;
}

t.test('a gate that is held back answers nothing, not even what it has in memory', async (t) => {
  let because: string | undefined;
  const heldBack = (): string | undefined => because;
  const { gate } = await makeGateKit(undefined, { source: sourceOfImage(), heldBack });
  const { digest } = layer!.descriptor;
  await gate.admitManifest(app, by('1.0'), never());
  await gate.admitBlob(app, digest, never());
  t.ok(gate.manifestAtHand(app, by('1.0')));
  t.ok(gate.blobAtHand(app, digest));
  because = 'the trust policy is behind';
  t.equal(gate.manifestAtHand(app, by('1.0')), undefined);
  t.equal(gate.blobAtHand(app, digest), undefined);
  const refused = { code: 'UNAVAILABLE', message: because };
  await t.rejects(gate.admitManifest(app, by('1.0'), never()), refused);
  await t.rejects(gate.admitBlob(app, digest, never()), refused);
  await t.rejects(gate.admitReferrers(app, image.descriptor.digest, never()), refused);
  await t.rejects(gate.listTags(app, { limit: 10 }, never()), refused);
  because = undefined;
  t.ok(await gate.admitManifest(app, by('1.0'), never()));
});

t.test('behind a fence it decides for itself, and leaves nothing in the state', async (t) => {
  let because: string | undefined = 'its clock is 600 s off';
  const source = sourceOfImage();
  const kit = await makeGateKit(undefined, { source, fence: () => because });
  await kit.gate.admitManifest(app, by('1.0'), never());
  await kit.gate.admitBlob(app, layer!.descriptor.digest, never());
  t.same(await kit.store.keys('', 100), []);
  because = undefined;
  const other = buildImage({ name: 'other' });
  source.put(other, '2.0');
  source.put(toySignature(other.descriptor, { by: 'alice' }));
  await kit.gate.admitManifest(app, by('2.0'), never());
  const keys = await kit.store.keys('', 100);
  t.ok(keys.length > 0);
  t.notOk(
    keys.some((key) => key.includes(image.descriptor.digest)),
    'nor is what was dropped written later',
  );
});
