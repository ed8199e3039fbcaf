import { setImmediate as immediate } from 'node:timers/promises';
import t from 'tap';
import { mergeDenials } from '../../../src/gate/denial-set.ts';
import { makeDenyList } from '../../../src/gate/deny-list.ts';
import type { Descriptor } from '../../../src/oci/descriptor.ts';
import { readManifest } from '../../../src/oci/manifest.ts';
import type { Verdict } from '../../../src/verdict/verdict.ts';
import { UpstreamError } from '../../../src/upstream/upstream-error.ts';
import { type Artifact, buildBlob, buildImage, buildManifest } from '../../support/build-image.ts';
import { denialOf } from '../../support/deny-kit.ts';
import { makeFakeClock } from '../../support/fake-clock.ts';
import { app, type GateKit, makeGateKit, never } from '../../support/gate-kit.ts';
import { toySignature } from '../../support/toy-format.ts';
import { listInOrder } from '../../support/verifier-kit.ts';

const image = buildImage();
const good = toySignature(image.descriptor, { by: 'alice' });

const verify = (kit: GateKit, of: Artifact = image): Promise<Verdict> => {
  const { mediaType } = of.descriptor;
  const manifest = readManifest(of.bytes, mediaType);
  return kit.verifier.verify({ repository: app, descriptor: of.descriptor, manifest }, never());
};

async function kitWith(...artifacts: Artifact[]): Promise<GateKit> {
  const kit = await makeGateKit();
  for (const artifact of [image, ...artifacts]) kit.source.put(artifact);
  return kit;
}

t.test('a trusted verdict names its rule, its subject and who signed', async (t) => {
  const verdict = await verify(await kitWith(good));
  t.match(verdict, {
    kind: 'trusted',
    scope: 'reg/app',
    subject: image.descriptor.digest,
    rule: /^rule 1 \(line \d+\)$/,
    reports: [{ format: 'toy', outcome: 'trusted', signer: { subject: 'CN=alice' } }],
  });
  t.equal(verdict.reason, undefined);
});

t.test('a list of referrers that can not be had is inconclusive, not unsigned', async (t) => {
  const kit = await kitWith(good);
  kit.source.fail('listReferrers', new UpstreamError('UPSTREAM_TIMEOUT', 'no answer'));
  t.match(await verify(kit), { kind: 'inconclusive', because: /no answer/ });
});

t.test('a signature that can not be fetched is inconclusive, not unsigned', async (t) => {
  for (const operation of ['fetchManifest', 'openBlob'] as const) {
    const kit = await kitWith(good);
    kit.source.fail(operation, new UpstreamError('UPSTREAM_FAILED', 'answered 500'));
    t.match(await verify(kit), { kind: 'inconclusive', reports: [{ outcome: 'inconclusive' }] });
  }
});

t.test('an envelope whose bytes are not what its digest names is inconclusive', async (t) => {
  const envelope = good.blobs[1];
  const bytes = Buffer.from(envelope?.bytes ?? []);
  for (const wrong of [bytes.toReversed(), bytes.subarray(1), Buffer.concat([bytes, bytes])]) {
    const kit = await kitWith(good);
    if (envelope !== undefined) kit.source.corrupt(envelope.descriptor.digest, wrong);
    t.equal((await verify(kit)).kind, 'inconclusive');
  }
});

t.test('an envelope that its manifest says is huge is refused before it is fetched', async (t) => {
  const layer = { ...good.blobs[1]!.descriptor, size: 10_001 };
  const huge = buildManifest({
    artifactType: 'application/vnd.cncf.notary.signature',
    subject: image.descriptor,
    members: { layers: [layer] },
  });
  const kit = await kitWith(huge);
  t.match(await verify(kit), { kind: 'untrusted', reason: 'signature-invalid' });
  t.notOk(kit.source.calls.some((call) => call.startsWith('openBlob')));
});

t.test('a signature manifest that is listed and gone is no signature', async (t) => {
  const kit = await kitWith(good);
  const fetch = kit.source.fetchManifest;
  kit.source.fetchManifest = async (path, reference, signal) =>
    'digest' in reference && reference.digest === good.descriptor.digest
      ? undefined
      : fetch(path, reference, signal);
  t.match(await verify(kit), { kind: 'untrusted', reason: 'unsigned' });
});

t.test('a listed manifest whose subject is another is no signature of this one', async (t) => {
  const other = buildImage({ name: 'other' });
  const kit = await kitWith(toySignature(other.descriptor, { by: 'alice' }));
  const list = kit.source.listReferrers;
  kit.source.listReferrers = (path, _digest, signal) => list(path, other.descriptor.digest, signal);
  t.match(await verify(kit), { kind: 'untrusted', reason: 'unsigned', reports: [] });
});

t.test('the image itself in its list of referrers, as GHCR answers, is no signature', async (t) => {
  const kit = await kitWith();
  kit.source.listReferrers = async () => ({ found: [image.descriptor] });
  t.match(await verify(kit), { kind: 'untrusted', reason: 'unsigned' });
});

t.test('63 wrong signatures do not hide the good one', async (t) => {
  const wrong = Array.from({ length: 63 }, (_, key) =>
    toySignature(image.descriptor, { by: 'mallory', key: String(key) }),
  );
  t.equal((await verify(await kitWith(...wrong, good))).kind, 'trusted');
});

t.test('past the limit nobody looks, and that is not "unsigned"', async (t) => {
  const wrong = Array.from({ length: 70 }, (_, key) =>
    toySignature(image.descriptor, { by: 'mallory', key: String(key) }),
  );
  const kit = await kitWith(...wrong);
  const verdict = await verify(kit);
  t.match(verdict, { kind: 'inconclusive', reason: 'limit-exceeded' });
  const fetched = kit.source.calls.filter((call) => call.startsWith('fetchManifest'));
  t.equal(fetched.length, 64);
});

t.test('likely signatures are read before other referrers', async (t) => {
  const sboms = Array.from({ length: 64 }, (_, number) =>
    buildManifest({
      artifactType: 'application/spdx+json',
      subject: image.descriptor,
      annotations: { number: String(number) },
    }),
  );
  const kit = await kitWith(...sboms, good);
  const list = kit.source.listReferrers;
  kit.source.listReferrers = async (path, digest, signal) => {
    const { found } = await list(path, digest, signal);
    const artifactType = 'application/vnd.cncf.notary.signature';
    const isGood = (each: Descriptor): boolean => each.digest === good.descriptor.digest;
    return { found: found.map((each) => (isGood(each) ? { ...each, artifactType } : each)) };
  };
  t.equal((await verify(kit)).kind, 'trusted');
});

t.test('a referrer that is malformed is untrusted and stops nothing else', async (t) => {
  const malformed = buildManifest({
    artifactType: 'application/vnd.cncf.notary.signature',
    subject: image.descriptor,
    members: { manifests: [] },
  });
  t.equal((await verify(await kitWith(malformed, good))).kind, 'trusted');
  t.match(await verify(await kitWith(malformed)), {
    kind: 'untrusted',
    reason: 'signature-invalid',
  });
});

t.test(
  'an envelope on which our own code trips is inconclusive and stops nothing else',
  async (t) => {
    const tripping = toySignature(image.descriptor, { by: 'alice' });
    const envelope = JSON.stringify([]);
    const bad = buildManifest({
      artifactType: 'application/vnd.cncf.notary.signature',
      subject: image.descriptor,
      layers: [blobOf(envelope, tripping)],
    });
    t.match(await verify(await kitWith(bad)), { kind: 'inconclusive' });
    t.equal((await verify(await kitWith(bad, good))).kind, 'trusted');
  },
);

function blobOf(text: string, like: Artifact) {
  const { mediaType } = like.blobs[1]!.descriptor;
  return buildBlob(mediaType, text);
}

t.test('other work has its turn between two signatures', async (t) => {
  const wrong = Array.from({ length: 20 }, (_, number) =>
    toySignature(image.descriptor, { by: `stranger ${number}` }),
  );
  const kit = await kitWith(...wrong);
  let turns = 0;
  const over = new AbortController();
  const others = async (): Promise<void> => {
    for (; !over.signal.aborted; turns += 1) await immediate();
  };
  const working = others();
  const verdict = await verify(kit);
  over.abort();
  await working;
  t.equal(verdict.reports.length, wrong.length);
  t.ok(turns >= wrong.length, `${turns} turns`);
});

t.test('two signatures by one key are one proof of two identities, not two', async (t) => {
  const kit = await makeGateKit(`
  - repositories: ["reg/**"]
    require: { atLeast: { count: 2, of: [{ signedBy: alice }, { signedBy: bob }] } }`);
  kit.source.put(image);
  kit.source.put(toySignature(image.descriptor, { by: 'alice', key: 'shared' }));
  kit.source.put(toySignature(image.descriptor, { by: 'bob', key: 'shared' }));
  t.match(await verify(kit), { kind: 'untrusted', reason: 'not-enough-signers' });
  kit.source.put(toySignature(image.descriptor, { by: 'bob', key: 'own' }));
  t.equal((await verify(kit)).kind, 'trusted');
});

t.test('a verdict ends with what it rests on, though its report is not told', async (t) => {
  const rules = `
  - repositories: ["reg/**"]
    require: { allOf: [{ signedBy: alice }, { signedBy: bob }] }`;
  const kit = await makeGateKit(rules, { limits: { maxReports: 4, concurrency: 1 } });
  kit.source.put(image);
  const copies = Array.from({ length: 6 }, (_, key) =>
    toySignature(image.descriptor, { by: 'alice', key: String(key) }),
  );
  const until = '2030-01-01T00:05:00.000Z';
  const last = toySignature(image.descriptor, { by: 'bob', until });
  for (const artifact of [...copies, last]) kit.source.put(artifact);
  listInOrder(kit.source, [...copies, last]);
  const verdict = await verify(kit);
  t.equal(verdict.kind, 'trusted');
  t.strictSame(verdict.expiresAt, new Date(until));
  t.equal(verdict.search?.unlisted, 14 - 4);
});

t.test('what is remembered of a signature ends when it is denied', async (t) => {
  const denyList = makeDenyList(makeFakeClock());
  const kit = await makeGateKit(undefined, { denyList });
  kit.source.put(image);
  const stranger = toySignature(image.descriptor, { by: 'mallory' });
  kit.source.put(stranger);
  t.match((await verify(kit)).reports, [{ reason: 'no-trusted-signer' }]);
  const { digest } = stranger.descriptor;
  denyList.replace(mergeDenials([denialOf({ kind: 'digest', digest })]), 1);
  t.match((await verify(kit)).reports, [{ reason: 'denylisted' }]);
});
