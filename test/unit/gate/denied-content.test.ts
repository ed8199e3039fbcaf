import t from 'tap';
import { mergeDenials } from '../../../src/gate/denial-set.ts';
import { makeDeniedContent } from '../../../src/gate/denied-content.ts';
import { makeDenyList } from '../../../src/gate/deny-list.ts';
import { DeniedError, UnavailableError } from '../../../src/gate/gate-error.ts';
import { type Digest, digestOf } from '../../../src/oci/digest.ts';
import type { DenyTarget } from '../../../src/verdict/denial.ts';
import type { VerdictCache } from '../../../src/gate/verdict-cache.ts';
import { trusted } from '../../golden/verdicts.ts';
import { type Artifact, buildImage, buildIndex, buildManifest } from '../../support/build-image.ts';
import { denialOf } from '../../support/deny-kit.ts';
import { makeFakeClock } from '../../support/fake-clock.ts';
import {
  aliceSigns,
  app,
  by,
  deniedFor,
  type GateKit,
  makeGateKit,
  never,
} from '../../support/gate-kit.ts';
import { toySignature } from '../../support/toy-format.ts';

const image = buildImage();
const { digest } = image.descriptor;
const [config, layer] = image.blobs.map(({ descriptor }) => descriptor.digest) as [Digest, Digest];
const signature = toySignature(image.descriptor, { by: 'alice' });
const index = buildIndex();
const child = index.children[0] as Artifact;
const childLayer = child.blobs[1]?.descriptor.digest as Digest;
const indexSignature = toySignature(index.descriptor, { by: 'alice' });
const listed = deniedFor('denylisted');

async function signedKit(rules = aliceSigns): Promise<GateKit> {
  const kit = await makeGateKit(rules);
  kit.source.put(image, 'v1');
  kit.source.put(signature);
  kit.source.put(index, 'multi');
  kit.source.put(indexSignature);
  return kit;
}

function deny({ denyList }: Pick<GateKit, 'denyList'>, ...targets: readonly DenyTarget[]): void {
  const denials = targets.map((target) => denialOf(target));
  denyList.replace(mergeDenials(denyList.all().values(), denials), denyList.epoch() + 1);
}

const digestTarget = (of: Digest): DenyTarget => ({ kind: 'digest', digest: of });
const keyOf = (fingerprint: string): DenyTarget => ({ kind: 'key', fingerprint });

t.test('a denied manifest is served by no name, though it was a moment ago', async (t) => {
  const kit = await signedKit();
  const { gate } = kit;
  await gate.admitManifest(app, by('v1'), never());
  await gate.admitBlob(app, layer, never());
  t.ok(gate.manifestAtHand(app, by('v1')));
  t.ok(gate.blobAtHand(app, layer));
  deny(kit, digestTarget(digest));
  t.equal(gate.manifestAtHand(app, by('v1')), undefined);
  t.equal(gate.manifestAtHand(app, by(digest)), undefined);
  t.equal(gate.blobAtHand(app, layer), undefined);
  await t.rejects(gate.admitManifest(app, by('v1'), never()), listed);
  await t.rejects(gate.admitManifest(app, by(digest), never()), listed);
  await t.rejects(gate.admitBlob(app, digest, never()), listed, 'asked for as a blob');
  await t.rejects(gate.admitBlob(app, layer, never()), listed, 'nobody else vouches for it');
  await t.rejects(gate.admitReferrers(app, digest, never()), listed);
  await t.rejects(gate.admitManifest(app, by(signature.descriptor.digest), never()), DeniedError);
});

t.test('a denied manifest is not served under its digest by another algorithm', async (t) => {
  for (const [named, denied] of [
    ['sha512', 'sha256'],
    ['sha256', 'sha512'],
  ] as const) {
    const asked = buildImage({ algorithm: named });
    const kit = await makeGateKit(aliceSigns);
    kit.source.put(asked, 'v1');
    kit.source.put(toySignature(asked.descriptor, { by: 'alice' }));
    await kit.gate.admitManifest(app, by('v1'), never());
    deny(kit, digestTarget(digestOf(asked.bytes, denied)));
    for (const reference of ['v1', asked.descriptor.digest]) {
      t.equal(kit.gate.manifestAtHand(app, by(reference)), undefined);
      await t.rejects(kit.gate.admitManifest(app, by(reference), never()), listed, named);
    }
  }
});

t.test('a denial says who denied it and why, under an id that explains it', async (t) => {
  const kit = await signedKit();
  deny(kit, digestTarget(digest));
  const error = await kit.gate.admitManifest(app, by('v1'), never()).catch((each: unknown) => each);
  t.match(error, { message: `${digest} is on the deny list: INC-1 (sre@acme.example)` });
  const { verdict } = error as { verdict: { id: string } };
  t.match(await kit.gate.verdictById(verdict.id), { reason: 'denylisted', subject: digest });
});

t.test('no upstream is asked for what is denied', async (t) => {
  const kit = await signedKit();
  deny(kit, digestTarget(digest), digestTarget(layer));
  await t.rejects(kit.gate.admitManifest(app, by(digest), never()), listed);
  await t.rejects(kit.gate.admitBlob(app, layer, never()), listed);
  t.same(kit.source.calls, []);
});

t.test('a denied blob is not served, and the rest of its image is', async (t) => {
  const kit = await signedKit();
  await kit.gate.admitManifest(app, by('v1'), never());
  await kit.gate.admitBlob(app, layer, never());
  deny(kit, digestTarget(layer));
  await t.rejects(kit.gate.admitBlob(app, layer, never()), listed);
  t.ok(await kit.gate.admitBlob(app, config, never()));
  t.ok(await kit.gate.admitManifest(app, by('v1'), never()));
});

t.test('a denied index ends what it vouches for: its children and their blobs', async (t) => {
  const kit = await signedKit();
  const { gate } = kit;
  await gate.admitManifest(app, by('multi'), never());
  await gate.admitManifest(app, by(child.descriptor.digest), never());
  await gate.admitBlob(app, childLayer, never());
  deny(kit, digestTarget(index.descriptor.digest));
  await t.rejects(gate.admitManifest(app, by('multi'), never()), listed);
  await t.rejects(gate.admitManifest(app, by(child.descriptor.digest), never()), listed);
  await t.rejects(gate.admitBlob(app, childLayer, never()), listed);
});

t.test('what another admitted root vouches for is served on its word', async (t) => {
  const kit = await signedKit();
  const { gate, source } = kit;
  const other = buildIndex({
    children: [child],
    platforms: [{ os: 'linux', architecture: 'arm' }],
  });
  source.put(other, 'other');
  source.put(toySignature(other.descriptor, { by: 'alice' }));
  for (const tag of ['multi', 'other']) await gate.admitManifest(app, by(tag), never());
  await gate.admitManifest(app, by(child.descriptor.digest), never());
  deny(kit, digestTarget(index.descriptor.digest));
  const admitted = await gate.admitManifest(app, by(child.descriptor.digest), never());
  t.equal(admitted.admission.verdict?.subject, other.descriptor.digest);
  t.ok(await gate.admitBlob(app, childLayer, never()));
});

t.test(
  'a denied child is not served though its index is, nor is a layer of it alone',
  async (t) => {
    const kit = await signedKit();
    const { gate } = kit;
    await gate.admitManifest(app, by('multi'), never());
    await gate.admitManifest(app, by(child.descriptor.digest), never());
    deny(kit, digestTarget(child.descriptor.digest));
    t.ok(await gate.admitManifest(app, by('multi'), never()));
    await t.rejects(gate.admitManifest(app, by(child.descriptor.digest), never()), listed);
    await t.rejects(gate.admitBlob(app, childLayer, never()), listed);
  },
);

t.test('an index or image is denied after a restart too', async (t) => {
  const kit = await signedKit();
  await kit.gate.admitManifest(app, by('multi'), never());
  await kit.gate.admitManifest(app, by(child.descriptor.digest), never());
  deny(kit, digestTarget(index.descriptor.digest));
  const { gate } = await kit.restarted();
  await t.rejects(gate.admitBlob(app, childLayer, never()), listed);
});

t.test('exemptions and audit mode serve nothing that is denied', async (t) => {
  const until = '2030-06-01T00:00:00Z';
  const waivers = [
    `
  - digests: ["${digest}"]
    exempt: { reason: r, owner: o, until: ${until} }`,
    `
  - repositories: ["reg/**"]
    require: { signedBy: bob }
    mode: audit
    until: ${until}`,
  ];
  for (const rules of waivers) {
    const kit = await signedKit(rules);
    t.ok(await kit.gate.admitManifest(app, by('v1'), never()));
    deny(kit, digestTarget(digest));
    await t.rejects(kit.gate.admitManifest(app, by('v1'), never()), listed);
    await t.rejects(kit.gate.admitBlob(app, layer, never()), listed);
  }
});

t.test('a denied repository gives nothing, its tags neither', async (t) => {
  const kit = await signedKit();
  kit.source.put(image, 'v1', 'other');
  kit.source.put(signature, undefined, 'other');
  await kit.gate.admitManifest(app, by('v1'), never());
  deny(kit, { kind: 'repository', repository: 'reg/app' });
  t.equal(kit.gate.manifestAtHand(app, by('v1')), undefined);
  await t.rejects(kit.gate.admitManifest(app, by('v1'), never()), listed);
  await t.rejects(kit.gate.admitBlob(app, layer, never()), listed);
  await t.rejects(kit.gate.admitReferrers(app, digest, never()), listed);
  await t.rejects(kit.gate.listTags(app, { limit: 10 }, never()), listed);
  const other = { ...app, path: 'other' as typeof app.path };
  t.ok(await kit.gate.admitManifest(other, by('v1'), never()));
});

t.test('what a denied key has signed needs another signer', async (t) => {
  const kit = await signedKit();
  const { gate, source } = kit;
  await gate.admitManifest(app, by('v1'), never());
  await gate.admitBlob(app, layer, never());
  deny(kit, keyOf('alice'));
  t.equal(gate.manifestAtHand(app, by('v1')), undefined);
  await t.rejects(gate.admitManifest(app, by('v1'), never()), listed);
  await t.rejects(gate.admitBlob(app, layer, never()), listed);
  source.put(toySignature(image.descriptor, { by: 'alice', key: 'spare' }));
  kit.clock.advanceMs(10_001);
  const admitted = await gate.admitManifest(app, by('v1'), never());
  const trusting = admitted.admission.verdict?.reports.filter(
    ({ outcome }) => outcome === 'trusted',
  );
  t.match(trusting, [{ signer: { keyFingerprint: 'spare' } }]);
  t.ok(await gate.admitBlob(app, layer, never()));
});

t.test('a second signer that was there suffices at once', async (t) => {
  const kit = await signedKit();
  kit.source.put(toySignature(image.descriptor, { by: 'alice', key: 'spare' }));
  await kit.gate.admitManifest(app, by('v1'), never());
  deny(kit, keyOf('alice'));
  t.ok(await kit.gate.admitManifest(app, by('v1'), never()));
  deny(kit, keyOf('spare'));
  await t.rejects(kit.gate.admitManifest(app, by('v1'), never()), listed);
});

t.test('of two signers that a rule asks for, none may be denied', async (t) => {
  const kit = await signedKit(`
  - repositories: ["reg/**"]
    require: { atLeast: { count: 2, of: [{ signedBy: alice }, { signedBy: bob }] } }`);
  kit.source.put(toySignature(image.descriptor, { by: 'bob' }));
  t.ok(await kit.gate.admitManifest(app, by('v1'), never()));
  deny(kit, { kind: 'identity', identity: { subject: 'CN=bob', issuer: 'CN=bob' } });
  await t.rejects(kit.gate.admitManifest(app, by('v1'), never()), deniedFor('not-enough-signers'));
});

t.test('audit mode does not serve what somebody denied has signed', async (t) => {
  const kit = await signedKit(`
  - repositories: ["reg/**"]
    require: { atLeast: { count: 2, of: [{ signedBy: alice }, { signedBy: bob }] } }
    mode: audit
    until: 2030-06-01T00:00:00Z`);
  const admitted = await kit.gate.admitManifest(app, by('v1'), never());
  t.equal(admitted.admission.by, 'audit');
  deny(kit, keyOf('alice'));
  await t.rejects(kit.gate.admitManifest(app, by('v1'), never()), listed);
});

t.test('a denied signature counts for nothing, and the next one does', async (t) => {
  const kit = await signedKit();
  await kit.gate.admitManifest(app, by('v1'), never());
  deny(kit, digestTarget(signature.descriptor.digest));
  await t.rejects(kit.gate.admitManifest(app, by('v1'), never()), listed);
  kit.source.put(toySignature(image.descriptor, { by: 'alice', key: 'spare' }));
  kit.clock.advanceMs(10_001);
  t.ok(await kit.gate.admitManifest(app, by('v1'), never()));
});

t.test('a list of referrers has nothing in it that is denied', async (t) => {
  const kit = await signedKit();
  const sbom = buildManifest({ artifactType: 'application/spdx+json', subject: image.descriptor });
  kit.source.put(sbom);
  const before = await kit.gate.admitReferrers(app, digest, never());
  t.equal(before.descriptors.length, 2);
  deny(kit, digestTarget(sbom.descriptor.digest));
  const after = await kit.gate.admitReferrers(app, digest, never());
  t.same(
    after.descriptors.map((each) => each.digest),
    [signature.descriptor.digest],
  );
  await t.rejects(kit.gate.admitManifest(app, by(sbom.descriptor.digest), never()), listed);
});

/** Has the upstream hold back the referrers until they are let go. */
function holdReferrers({ source }: GateKit) {
  const asked = Promise.withResolvers<void>();
  const held = Promise.withResolvers<void>();
  const list = source.listReferrers.bind(source);
  source.listReferrers = async (...given) => {
    asked.resolve();
    await held.promise;
    return list(...given);
  };
  return { asked: asked.promise, release: held.resolve };
}

t.test('a denial goes before a verification that was under way', async (t) => {
  for (const target of [digestTarget(digest), keyOf('alice')]) {
    const kit = await signedKit();
    const held = holdReferrers(kit);
    const waiting = kit.gate.admitManifest(app, by('v1'), never());
    await held.asked;
    deny(kit, target);
    held.release();
    await t.rejects(waiting, listed, target.kind);
    t.equal(kit.gate.manifestAtHand(app, by('v1')), undefined);
    await t.rejects(kit.gate.admitManifest(app, by('v1'), never()), listed);
  }
});

t.test('an old verdict put back into the state is denied as before', async (t) => {
  const kit = await signedKit();
  await kit.gate.admitManifest(app, by('v1'), never());
  const saved = new Map<string, Uint8Array>();
  for (const key of await kit.store.keys('', 1000)) {
    saved.set(key, (await kit.store.get(key)) as Uint8Array);
  }
  deny(kit, keyOf('alice'));
  await t.rejects(kit.gate.admitManifest(app, by('v1'), never()), listed);
  for (const [key, value] of saved) await kit.store.put(key, value);
  const { gate } = await kit.restarted();
  await t.rejects(gate.admitManifest(app, by('v1'), never()), listed);
  await t.rejects(gate.admitBlob(app, layer, never()), listed);
});

t.test('what is taken off the list is decided anew', async (t) => {
  const kit = await signedKit();
  const denial = denialOf(digestTarget(digest));
  kit.denyList.replace(mergeDenials([denial]), 1);
  await t.rejects(kit.gate.admitManifest(app, by('v1'), never()), listed);
  const removed = { epoch: 2, at: kit.clock.now() };
  kit.denyList.replace(mergeDenials([{ ...denial, removed }]), 2);
  t.ok(await kit.gate.admitManifest(app, by('v1'), never()));
});

t.test('nothing is served while the list is unknown', async (t) => {
  const clock = makeFakeClock();
  const denyList = makeDenyList(clock, 'unknown');
  const kit = await makeGateKit(aliceSigns, { clock, denyList });
  kit.source.put(image, 'v1');
  kit.source.put(signature);
  await t.rejects(kit.gate.admitManifest(app, by('v1'), never()), UnavailableError);
  await t.rejects(kit.gate.admitBlob(app, layer, never()), UnavailableError);
  await t.rejects(kit.gate.admitReferrers(app, digest, never()), UnavailableError);
  await t.rejects(kit.gate.listTags(app, { limit: 10 }, never()), UnavailableError);
  denyList.replace(mergeDenials([]), 0);
  t.ok(await kit.gate.admitManifest(app, by('v1'), never()));
});

t.test('a verdict that says nothing of its authorities ends once a key is denied after it', (t) => {
  const clock = makeFakeClock();
  const list = makeDenyList(clock);
  const verdicts = { note: () => undefined } as unknown as VerdictCache;
  const { letsStand } = makeDeniedContent(list, { verdicts, clock });
  const [report, ...others] = trusted.reports;
  if (report?.signer?.kind !== 'certificate') throw new TypeError('it is by a certificate');
  const signer = { ...report.signer, authorityFingerprints: ['e'.repeat(64)] };
  const named = { ...trusted, reports: [{ ...report, signer }, ...others] };
  t.ok(letsStand(trusted), 'where nobody is denied');
  list.replace(mergeDenials([denialOf(keyOf('f'.repeat(64)))]), 1);
  t.notOk(letsStand(trusted), 'one of an earlier version');
  t.ok(letsStand({ ...trusted, denyEpoch: 1 }), 'one that was reached under the same list');
  t.ok(letsStand(named), 'one that names others');
  list.replace(mergeDenials([denialOf(keyOf('e'.repeat(64)))]), 2);
  t.notOk(letsStand(named), 'one that names the denied');
  t.end();
});
