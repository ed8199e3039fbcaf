import t from 'tap';
import { UpstreamError } from '../../../src/upstream/upstream-error.ts';
import { makeAbsences } from '../../../src/gate/absences.ts';
import { neverAgain } from '../../../src/gate/look-again.ts';
import { type Digest, digestOf } from '../../../src/oci/digest.ts';
import { buildImage } from '../../support/build-image.ts';
import { makeFakeClock } from '../../support/fake-clock.ts';
import { app, by, deniedFor, makeGateKit, never } from '../../support/gate-kit.ts';
import { toySignature } from '../../support/toy-format.ts';

const digest = digestOf(Buffer.from('absent'));

t.test('a manifest that does not exist is not asked for again within ten seconds', async (t) => {
  const { gate, source, clock } = await makeGateKit();
  const ask = () => gate.admitManifest(app, by(digest), never());
  for (let time = 0; time < 3; time += 1) await t.rejects(ask(), { code: 'MANIFEST_UNKNOWN' });
  t.equal(source.calls.length, 1);
  clock.advanceMs(10_000);
  await t.rejects(ask(), { code: 'MANIFEST_UNKNOWN' });
  t.equal(source.calls.length, 2);
});

t.test('a blob that does not exist is asked for once as each of the two', async (t) => {
  const { gate, source } = await makeGateKit();
  const ask = () => gate.admitBlob(app, digest, never());
  for (let time = 0; time < 3; time += 1) await t.rejects(ask(), { code: 'BLOB_UNKNOWN' });
  t.same(source.calls, [`fetchManifest ${digest}`, `statBlob ${digest}`]);
});

t.test('a blob that nobody lists is asked for once, and served once somebody does', async (t) => {
  const { gate, source } = await makeGateKit();
  const image = buildImage();
  const layer = image.blobs.at(-1)!;
  source.put(image, 'v1');
  source.put(toySignature(image.descriptor, { by: 'alice' }));
  const ask = () => gate.admitBlob(app, layer.descriptor.digest, never());
  for (let time = 0; time < 3; time += 1) await t.rejects(ask(), deniedFor('not-reachable'));
  t.equal(source.calls.filter((call) => call.startsWith('statBlob')).length, 1);
  await gate.admitManifest(app, by('v1'), never());
  t.equal((await ask()).descriptor.digest, layer.descriptor.digest);
});

t.test('what could not be found out is asked again at once', async (t) => {
  const { gate, source } = await makeGateKit();
  source.fail('fetchManifest', new UpstreamError('UPSTREAM_UNREACHABLE', 'down'));
  await t.rejects(gate.admitManifest(app, by(digest), never()), { code: 'UNAVAILABLE' });
  source.fail('fetchManifest', undefined);
  await t.rejects(gate.admitManifest(app, by(digest), never()), { code: 'MANIFEST_UNKNOWN' });
});

t.test('tags that somebody invents do not push out where others point', async (t) => {
  const { gate, source, store } = await makeGateKit();
  const image = buildImage();
  source.put(image, 'v1');
  source.put(toySignature(image.descriptor, { by: 'alice' }));
  await gate.admitManifest(app, by('v1'), never());
  for (let at = 0; at < 10_001; at += 1) {
    await gate.admitManifest(app, by(`invented-${at}`), never()).catch(() => undefined);
  }
  source.calls.length = 0;
  await store.delete('pin/reg/app:v1');
  t.ok(gate.manifestAtHand(app, by('v1')), 'it is still at hand');
  t.same(source.calls, []);
});

t.test('a wish to look again ends what was absent, and a clock that goes back too', async (t) => {
  const clock = makeFakeClock();
  let now = new Date('2030-01-01T00:00:00Z');
  let wished: Date | undefined;
  const absences = makeAbsences(10_000, {
    clock: { ...clock, now: () => now },
    lookAgain: { ...neverAgain, since: () => wished },
  });
  absences.note('manifest', app, digest);
  t.equal(absences.isKnown('manifest', app, digest), true);
  t.equal(absences.isKnown('blob', app, digest), false);
  t.equal(absences.isKnown('manifest', { ...app, upstream: 'other' }, digest), false);
  t.equal(absences.isKnown('manifest', app, `sha256:${'1'.repeat(64)}` as Digest), false);
  wished = new Date('2030-01-01T00:00:01Z');
  t.equal(absences.isKnown('manifest', app, digest), false);
  wished = undefined;
  now = new Date('2029-12-31T23:59:59Z');
  t.equal(absences.isKnown('manifest', app, digest), false);
});
