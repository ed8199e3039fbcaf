import t from 'tap';
import type { Digest } from '../../../src/oci/digest.ts';
import { UpstreamError } from '../../../src/upstream/upstream-error.ts';
import { buildImage, buildIndex } from '../../support/build-image.ts';
import { app, by, deniedFor, makeGateKit, never } from '../../support/gate-kit.ts';
import { toySignature } from '../../support/toy-format.ts';

const image = buildImage();
const layer = image.blobs[1]?.descriptor.digest as Digest;
const dayMs = 24 * 3_600_000;

const audited = `
  - repositories: ["reg/**"]
    require: { signedBy: alice }
    mode: audit
    until: 2030-01-03T00:00:00Z`;

t.test('audit mode serves what would be denied, says so, and ends', async (t) => {
  const { gate, source, clock } = await makeGateKit(audited);
  source.put(image, 'v1');
  const { admission } = await gate.admitManifest(app, by('v1'), never());
  t.equal(admission.by, 'audit');
  t.match(admission.warnings, [/audit mode until 2030-01-03.*would be denied: unsigned/]);
  t.equal((await gate.admitBlob(app, layer, never())).admission.by, 'audit');
  clock.advanceMs(2 * dayMs);
  await t.rejects(gate.admitManifest(app, by('v1'), never()), deniedFor('unsigned'));
  await t.rejects(gate.admitBlob(app, layer, never()), deniedFor('unsigned'));
});

t.test('audit mode serves what could not be found out', async (t) => {
  const { gate, source } = await makeGateKit(audited);
  source.put(image, 'v1');
  source.fail('listReferrers', new UpstreamError('UPSTREAM_FAILED', 'down'));
  const { admission } = await gate.admitManifest(app, by('v1'), never());
  t.equal(admission.by, 'audit');
  t.equal(admission.verdict?.kind, 'inconclusive');
});

t.test('audit mode never serves a malformed manifest, nor a wrong blob', async (t) => {
  const { gate, source } = await makeGateKit(audited);
  const malformed = buildImage({ members: { manifests: [] } });
  source.put(malformed, 'v1');
  const asked = gate.admitManifest(app, by('v1'), never());
  await t.rejects(asked, deniedFor('malformed-manifest'));
});

t.test('what is trusted is trusted in audit mode too, without a warning', async (t) => {
  const { gate, source } = await makeGateKit(audited);
  source.put(image, 'v1');
  source.put(toySignature(image.descriptor, { by: 'alice' }));
  const { admission } = await gate.admitManifest(app, by('v1'), never());
  t.equal(admission.by, 'verdict');
  t.same(admission.warnings, []);
});

const index = buildIndex();
const exemption = (at: string): string => `
  - digests: ["${index.descriptor.digest}"]
    exempt: { reason: INC-1234, owner: sre@acme.example, until: ${at} }
  - repositories: ["reg/**"]
    require: { signedBy: alice }`;

t.test('an exemption admits its pinned root with its closure, visibly, and ends', async (t) => {
  const { gate, source, clock } = await makeGateKit(exemption('2030-01-02T00:00:00Z'));
  source.put(index, 'multi');
  source.put(image, 'v1');
  const { admission } = await gate.admitManifest(app, by('multi'), never());
  t.equal(admission.by, 'exemption');
  t.equal(admission.verdict?.kind, 'untrusted', 'exempted is not trusted');
  t.match(admission.warnings, [/exempted from verification until 2030-01-02.*INC-1234/]);
  const child = index.children[0];
  t.ok(await gate.admitManifest(app, by(child?.descriptor.digest as Digest), never()));
  t.ok(await gate.admitBlob(app, child?.blobs[1]?.descriptor.digest as Digest, never()));
  await t.rejects(gate.admitManifest(app, by('v1'), never()), deniedFor('unsigned'));
  clock.advanceMs(dayMs);
  await t.rejects(gate.admitManifest(app, by('multi'), never()), deniedFor('unsigned'));
  const blob = child?.blobs[1]?.descriptor.digest as Digest;
  await t.rejects(gate.admitBlob(app, blob, never()), deniedFor('unsigned'));
});
