import { setImmediate as othersTurn } from 'node:timers/promises';
import t from 'tap';
import { notationJws } from '../../../src/formats/notation-jws.ts';
import { referrersTag } from '../../../src/oci/digest.ts';
import { UpstreamError } from '../../../src/upstream/upstream-error.ts';
import { type Artifact, buildBlob, buildImage, buildManifest } from '../../support/build-image.ts';
import { heldOpen } from '../../support/held-open.ts';
import { makeTrust } from '../../support/notation-case.ts';
import { notationSignature, signedBy } from '../../support/sign-notation.ts';
import { makeChain } from '../../support/test-ca.ts';
import { toyCosignManifest, toySignature } from '../../support/toy-format.ts';
import {
  listInOrder,
  makeVerifierKit,
  type VerifierKit,
  type VerifierKitOptions,
} from '../../support/verifier-kit.ts';

const image = buildImage();
const good = toySignature(image.descriptor, { by: 'alice' });

function strangers(count: number): readonly Artifact[] {
  return Array.from({ length: count }, (_, key) =>
    toySignature(image.descriptor, { by: 'mallory', key: String(key) }),
  );
}

function kitWith(artifacts: readonly Artifact[], options: VerifierKitOptions = {}): VerifierKit {
  const kit = makeVerifierKit(options);
  for (const artifact of [image, ...artifacts]) kit.source.put(artifact);
  listInOrder(kit.source, artifacts);
  return kit;
}

/** What was read since the last question: manifests and envelopes. */
function readsOf(kit: VerifierKit): number {
  return kit.takeCalls().filter((call) => /^(?:fetchManifest|openBlob) /.test(call)).length;
}

const thousand = strangers(1000);

for (const place of [0, 500, 1000]) {
  t.test(
    `CVE-2023-46737 (cosign): behind ${place} of 1000 signatures by strangers the good one is found`,
    async (t) => {
      const kit = kitWith(thousand.toSpliced(place, 0, good));
      t.equal((await kit.verify(image)).kind, 'trusted');
      const reads = readsOf(kit);
      t.ok(reads <= 2 * (place + 1 + 8), `${reads} reads`);
    },
  );
}

t.test('what was examined in vain is not read again, and the verdict is the same', async (t) => {
  const kit = kitWith(thousand);
  const first = await kit.verify(image);
  t.match(first, { kind: 'untrusted', reason: 'no-trusted-signer' });
  t.equal(readsOf(kit), 2000);
  const again = await kit.verify(image);
  t.equal(readsOf(kit), 0);
  t.match(again, { kind: 'untrusted', reason: 'no-trusted-signer', because: first.because });
  t.equal(again.reports.length, first.reports.length);
});

t.test('a verdict carries a hundred reports, and says how many it leaves out', async (t) => {
  const kit = kitWith([...strangers(150), good]);
  const verdict = await kit.verify(image);
  t.equal(verdict.reports.length, 100);
  t.equal(verdict.search?.unlisted, 51);
  t.equal(verdict.reports.filter(({ outcome }) => outcome === 'trusted').length, 1);
});

t.test('a verification that ended at its limit goes on where it stopped', async (t) => {
  const kit = kitWith([...strangers(350), good], { limits: { maxCandidates: 100 } });
  const kinds: string[] = [];
  for (let round = 0; round < 4; round += 1) {
    const { kind, reason } = await kit.verify(image);
    kinds.push(reason ?? kind);
    const reads = readsOf(kit);
    t.ok(reads <= 200, `${reads} reads in round ${round}`);
  }
  t.strictSame(kinds, ['limit-exceeded', 'limit-exceeded', 'limit-exceeded', 'trusted']);
});

t.test('a change of policy or trust material begins from the beginning', async (t) => {
  const kit = kitWith(strangers(20));
  await kit.verify(image);
  readsOf(kit);
  await kit.verify(image);
  t.equal(readsOf(kit), 0);
  kit.changeBasis();
  await kit.verify(image);
  t.equal(readsOf(kit), 40);
});

t.test('after ten minutes everything is looked at again', async (t) => {
  const kit = kitWith(strangers(20));
  await kit.verify(image);
  readsOf(kit);
  kit.clock.advanceMs(10 * 60_000 - 1);
  await kit.verify(image);
  t.equal(readsOf(kit), 0);
  kit.clock.advanceMs(1);
  await kit.verify(image);
  t.equal(readsOf(kit), 40);
});

t.test('time that is over ends it, and the next request goes on', async (t) => {
  const kit = kitWith([...strangers(50), good]);
  const { fetchManifest } = kit.source;
  kit.source.fetchManifest = async (...asked) => {
    kit.clock.advanceMs(500);
    return fetchManifest(...asked);
  };
  const first = await kit.verify(image);
  t.match(first, { kind: 'inconclusive', reason: 'limit-exceeded', because: /the time is over/ });
  t.ok((first.search?.unexamined ?? 0) > 10, `${first.search?.unexamined} left`);
  t.equal((await kit.verify(image)).kind, 'trusted');
});

t.test('bytes that are used up end it, and the next request goes on', async (t) => {
  const filler = 'x'.repeat(9_000);
  const big = Array.from({ length: 30 }, (_, key) =>
    toySignature(image.descriptor, { by: 'mallory', key: `${key}${filler}` }),
  );
  const kit = kitWith([...big, good], { limits: { maxBytes: 150_000, concurrency: 1 } });
  const first = await kit.verify(image);
  t.match(first, { kind: 'inconclusive', reason: 'limit-exceeded' });
  t.ok(readsOf(kit) < 40);
  let rounds = 1;
  while ((await kit.verify(image)).kind !== 'trusted' && rounds < 10) rounds += 1;
  t.ok(rounds <= 3, `${rounds} more rounds`);
});

t.test('strangers can not fill the budget with what can not be made out', async (t) => {
  const unclear = Array.from({ length: 40 }, (_, key) =>
    toySignature(image.descriptor, { by: 'mallory', key: String(key) }),
  );
  const kit = kitWith([...unclear, good], { limits: { maxCandidates: 40 } });
  for (const { blobs } of unclear) kit.source.remove(blobs[1]!.descriptor.digest);
  t.equal((await kit.verify(image)).kind, 'inconclusive');
  t.equal((await kit.verify(image)).kind, 'trusted', 'what nobody has seen comes first');
});

t.test('a list of manifests that do not exist hides no signature', async (t) => {
  const kit = kitWith([...strangers(40), good], { limits: { maxCandidates: 40 } });
  for (const { descriptor } of strangers(40)) kit.source.remove(descriptor.digest);
  t.equal((await kit.verify(image)).kind, 'inconclusive');
  t.equal((await kit.verify(image)).kind, 'trusted');
});

t.test('one that never comes holds up no other', async (t) => {
  const [slow] = strangers(1);
  const kit = kitWith([slow!, good]);
  const { openBlob } = kit.source;
  kit.source.openBlob = (path, digest, signal) =>
    digest === slow?.blobs[1]?.descriptor.digest
      ? new Promise(() => undefined)
      : openBlob(path, digest, signal);
  t.equal((await kit.verify(image)).kind, 'trusted');
});

t.test('one that never comes is given up after a while, as could not be found out', async (t) => {
  const [slow] = strangers(1);
  const kit = kitWith([slow!], { limits: { readMs: 20 } });
  kit.source.openBlob = () => new Promise(() => undefined);
  const verdict = await heldOpen(kit.verify(image));
  t.match(verdict, { kind: 'inconclusive', reports: [{ outcome: 'inconclusive' }] });
});

t.test('no more are fetched at the same time than may be', async (t) => {
  const kit = kitWith(strangers(40), { limits: { concurrency: 4 } });
  let running = 0;
  let most = 0;
  const { fetchManifest } = kit.source;
  kit.source.fetchManifest = async (...asked) => {
    running += 1;
    most = Math.max(most, running);
    await othersTurn();
    running -= 1;
    return fetchManifest(...asked);
  };
  await kit.verify(image);
  t.equal(most, 4);
});

t.test('verifications share the room for envelopes, and give all of it back', async (t) => {
  const all = [...strangers(20), good];
  const size = Math.max(...all.map(({ blobs }) => blobs[1]!.descriptor.size));
  const kit = kitWith(all, { limits: { maxBytesAtOnce: 2 * size } });
  let open = 0;
  let most = 0;
  const { openBlob } = kit.source;
  kit.source.openBlob = async (...asked) => {
    open += 1;
    most = Math.max(most, open);
    await othersTurn();
    open -= 1;
    return openBlob(...asked);
  };
  for (let round = 0; round < 3; round += 1) {
    const verdicts = await Promise.all([kit.verify(image), kit.verify(image)]);
    t.strictSame(
      verdicts.map(({ kind }) => kind),
      ['trusted', 'trusted'],
    );
    kit.changeBasis();
  }
  t.equal(most, 2);
});

t.test('one that could not be fetched is fetched again at the next request', async (t) => {
  const kit = kitWith([good]);
  kit.source.fail('openBlob', new UpstreamError('UPSTREAM_FAILED', 'answered 500'));
  t.equal((await kit.verify(image)).kind, 'inconclusive');
  kit.source.fail('openBlob', undefined);
  t.equal((await kit.verify(image)).kind, 'trusted');
});

t.test('two subjects share nothing of what is remembered', async (t) => {
  const other = buildImage({ name: 'other' });
  const kit = kitWith([good]);
  kit.source.put(other);
  const replayed = buildManifest({
    artifactType: 'application/vnd.cncf.notary.signature',
    subject: other.descriptor,
    layers: good.blobs.slice(1),
  });
  kit.source.put(replayed);
  listInOrder(kit.source, [good, replayed]);
  t.match(await kit.verify(other), { kind: 'untrusted', reason: 'signature-invalid' });
  t.equal((await kit.verify(image)).kind, 'trusted');
});

const acme = makeChain({ authority: 'acme' });
const mallory = makeChain({ authority: 'mallory' });
const hintName = 'io.cncf.notary.x509chain.thumbprint#S256';
const forged = JSON.stringify(acme.certificates.map(({ fingerprint }) => fingerprint));
const notationKit = {
  formats: [notationJws],
  trust: makeTrust({ 'ca:acme': [acme.root.der] }),
  limits: { maxMs: 120_000 },
};

/** Manifests over one envelope, each of another digest. */
function variants(envelope: Uint8Array, hint: string, count: number): readonly Artifact[] {
  return Array.from({ length: count }, (_, number) =>
    buildManifest({
      artifactType: 'application/vnd.cncf.notary.signature',
      subject: image.descriptor,
      layers: [buildBlob('application/jose+json', envelope)],
      annotations: { [hintName]: hint, number: String(number) },
    }),
  );
}

t.test('forged hints and copied certificates neither hide the good one nor count', async (t) => {
  const real = signedBy({ of: image.descriptor, format: 'jws', chain: acme });
  const own = notationSignature({ of: image.descriptor, format: 'jws', chain: mallory }).envelope;
  const copied = JSON.parse(
    String(notationSignature({ of: image.descriptor, format: 'jws', chain: acme }).envelope),
  ) as { signature: string };
  const { signature } = JSON.parse(String(own)) as { signature: string };
  for (const [envelope, count] of [
    [own, 1000],
    [Buffer.from(JSON.stringify({ ...copied, signature })), 100],
  ] as const) {
    const bad = variants(envelope, forged, count);
    const kit = kitWith([...bad, real], notationKit);
    t.equal((await kit.verify(image)).kind, 'trusted');
    t.equal(readsOf(kit), 2 * (count + 1));
    const alone = kitWith(bad.slice(0, 50), notationKit);
    t.equal((await alone.verify(image)).kind, 'untrusted');
  }
});

t.test('whoever claims no signer of the rule comes after the one who does', async (t) => {
  const real = signedBy({ of: image.descriptor, format: 'jws', chain: acme });
  const own = notationSignature({ of: image.descriptor, format: 'jws', chain: mallory }).envelope;
  const kit = kitWith([...variants(own, '[]', 500), real], notationKit);
  t.equal((await kit.verify(image)).kind, 'trusted');
  t.ok(readsOf(kit) <= 20);
});

t.test('what is remembered of a subject is of no other type or size of it', async (t) => {
  const real = signedBy({ of: image.descriptor, format: 'jws', chain: acme });
  const kit = kitWith([real], notationKit);
  const lying = { ...image, descriptor: { ...image.descriptor, size: 1 } };
  t.match(await kit.verify(lying), { kind: 'untrusted', reason: 'signature-invalid' });
  t.equal((await kit.verify(image)).kind, 'trusted');
});

t.test('what is no signature among the referrers may be one under its tag', async (t) => {
  const signature = toyCosignManifest(image.descriptor, [{ by: 'alice' }]);
  const tag = `${referrersTag(image.descriptor.digest)}.sig`;
  const kit = makeVerifierKit({ signers: { alice: 'sigstore' } });
  kit.source.put(image);
  kit.source.put(signature, tag);
  listInOrder(kit.source, [signature]);
  const { fetchManifest } = kit.source;
  kit.source.fetchManifest = async (path, by, signal) => {
    if ('tag' in by) throw new UpstreamError('UPSTREAM_FAILED', 'answered 500');
    return fetchManifest(path, by, signal);
  };
  t.equal((await kit.verify(image)).kind, 'inconclusive');
  kit.source.fetchManifest = fetchManifest;
  t.equal((await kit.verify(image)).kind, 'trusted');
});

t.test('what could not be made out is tried again in turn', async (t) => {
  const unclear = strangers(40);
  const kit = kitWith([...unclear, good], { limits: { maxCandidates: 41, concurrency: 1 } });
  const take = ({ blobs }: Artifact) => kit.source.remove(blobs[1]!.descriptor.digest);
  for (const artifact of [...unclear, good]) take(artifact);
  t.equal((await kit.verify(image)).kind, 'untrusted');
  const more = strangers(80).slice(40);
  for (const artifact of more) kit.source.put(artifact);
  for (const artifact of more) take(artifact);
  listInOrder(kit.source, [...more, ...unclear, good]);
  kit.source.put(good);
  t.equal((await kit.verify(image)).kind, 'inconclusive', 'what nobody has seen comes first');
  t.equal((await kit.verify(image)).kind, 'trusted', 'then what was seen longest ago');
});
