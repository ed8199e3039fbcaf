import t, { type Test } from 'tap';
import { digestOf, referrersTag } from '../../../src/oci/digest.ts';
import { mediaTypes } from '../../../src/oci/media-types.ts';
import { openPushTarget } from '../../../src/upstream/push-target.ts';
import { buildImage } from '../../support/build-image.ts';
import { makeFakeClock } from '../../support/fake-clock.ts';
import { failureOf, path, signal, tag } from '../../support/remote-kit.ts';
import { openScriptedUpstream } from '../../support/scripted-upstream.ts';

const { bytes, descriptor } = buildImage();
const { digest, mediaType } = descriptor;
const manifest = { bytes, digest, mediaType };
const at = (reference: string): string => `/v2/${path}/manifests/${reference}`;
const subject = digestOf(Buffer.from('subject'));
const listTag = at(referrersTag(subject));
const listed = (...manifests: readonly object[]) => ({
  headers: { 'content-type': mediaTypes.ociIndex },
  body: JSON.stringify({ schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests }),
});
const signature = { mediaType, digest: digestOf(Buffer.from('s')), size: 1 };

async function open(t: Test) {
  const upstream = await openScriptedUpstream();
  t.teardown(() => upstream.close());
  const options = { name: 'lab', url: upstream.origin, onSent: () => undefined };
  const target = openPushTarget(
    { ...options, plainHttp: 'allowed' },
    { clock: makeFakeClock(), wait: async () => undefined },
  );
  t.teardown(() => target.close());
  const sent = () => upstream.requests.filter(({ method }) => method === 'PUT');
  return { upstream, target, sent };
}

t.test('a manifest goes as it is, with its media type', async (t) => {
  const { upstream, target, sent } = await open(t);
  upstream.on(`PUT ${at(digest)}`, { status: 201, headers: { 'docker-content-digest': digest } });
  t.equal(await target.pushManifest(path, { digest }, manifest, signal), 'pushed');
  t.equal(sent()[0]?.body, Buffer.from(bytes).toString());
  t.equal(sent()[0]?.headers['content-type'], mediaType);
});

t.test('what is there is not sent; a tag that leads elsewhere is moved', async (t) => {
  const { upstream, target, sent } = await open(t);
  upstream.on(`HEAD ${at(digest)}`, {});
  t.equal(await target.pushManifest(path, { digest }, manifest, signal), 'present');
  upstream.on(`HEAD ${at(tag)}`, { headers: { 'docker-content-digest': digest } });
  t.equal(await target.pushManifest(path, { tag }, manifest, signal), 'present');
  t.equal(sent().length, 0);
  upstream.on(`HEAD ${at(tag)}`, { headers: { 'docker-content-digest': subject } });
  upstream.on(`PUT ${at(tag)}`, { status: 201 });
  t.equal(await target.pushManifest(path, { tag }, manifest, signal), 'pushed');
});

t.test('a registry that keeps another manifest than was sent is found out', async (t) => {
  const { upstream, target } = await open(t);
  upstream.on(`PUT ${at(digest)}`, { status: 201, headers: { 'docker-content-digest': subject } });
  const failure = await failureOf(t, target.pushManifest(path, { digest }, manifest, signal));
  t.equal(failure.code, 'UPSTREAM_MISBEHAVED');
});

t.test('what the referrers API lists counts, and nothing else does', async (t) => {
  const { upstream, target } = await open(t);
  const read = async () => [...(await target.readReferrers(path, subject, signal))];
  const api = `GET /v2/${path}/referrers/${subject}`;
  upstream.on(api, listed(signature));
  t.strictSame(await read(), [signature.digest]);
  upstream.on(api, { ...listed(signature), headers: { 'content-type': 'text/html' } });
  t.strictSame(await read(), [], 'an index of another type is none');
  const nothing = JSON.stringify({ schemaVersion: 2, manifests: null });
  upstream.on(api, { headers: { 'content-type': mediaTypes.ociIndex }, body: nothing });
  t.strictSame(await read(), []);
  upstream.on(api, { status: 404 });
  t.strictSame(await read(), []);
  upstream.on(api, { status: 500 });
  t.equal((await failureOf(t, read())).code, 'UPSTREAM_FAILED', 'a failure is not "none"');
});

t.test('an index under the tag keeps what it lists', async (t) => {
  const { upstream, target, sent } = await open(t);
  const mine = { mediaType, digest, size: descriptor.size };
  upstream.on(`GET ${listTag}`, listed(signature));
  upstream.on(`PUT ${listTag}`, { status: 201 });
  t.equal(await target.listUnderTag(path, subject, [mine], signal), true);
  t.match(JSON.parse(sent()[0]?.body ?? ''), { schemaVersion: 2, manifests: [signature, mine] });
  upstream.on(`GET ${listTag}`, listed(signature, mine));
  t.equal(await target.listUnderTag(path, subject, [mine], signal), false);
  t.equal(sent().length, 1);
});

t.test('where there is no index under the tag one is made', async (t) => {
  const { upstream, target, sent } = await open(t);
  upstream.on(`PUT ${listTag}`, { status: 201 });
  await target.listUnderTag(path, subject, [signature], signal);
  t.match(JSON.parse(sent()[0]?.body ?? ''), { manifests: [signature] });
});

t.test('what is no index is not written over', async (t) => {
  const { upstream, target, sent } = await open(t);
  for (const step of [
    { headers: { 'content-type': mediaType }, body: bytes },
    { ...listed(), body: '{"manifests":1}' },
    { ...listed(), headers: { 'docker-content-digest': digest } },
  ]) {
    upstream.on(`GET ${listTag}`, step);
    const failure = await failureOf(t, target.listUnderTag(path, subject, [signature], signal));
    t.equal(failure.code, 'UPSTREAM_MISBEHAVED');
  }
  t.equal(sent().length, 0);
});
