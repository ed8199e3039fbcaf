import { setImmediate as immediate } from 'node:timers/promises';
import t from 'tap';
import type { Repository, RepositoryPath } from '../../../src/oci/repository.ts';
import { mediaTypes } from '../../../src/oci/media-types.ts';
import { UpstreamError } from '../../../src/upstream/upstream-error.ts';
import {
  type Artifact,
  buildBlob,
  buildImage,
  buildIndex,
  buildManifest,
} from '../../support/build-image.ts';
import {
  aliceSigns,
  app,
  by,
  deniedFor,
  type GateKit,
  makeGateKit,
  never,
} from '../../support/gate-kit.ts';
import { digestAt, imageConfig, posing, signed, signedKit } from '../../support/attack-kit.ts';
import { toySignature } from '../../support/toy-format.ts';

t.test('what was verified under a policy that was replaced meanwhile is not kept', async (t) => {
  const kit = await makeGateKit();
  kit.source.put(signed, 'v1');
  kit.source.put(toySignature(signed.descriptor, { by: 'alice' }));
  const held = Promise.withResolvers<void>();
  const { listReferrers } = kit.source;
  kit.source.listReferrers = async (...question) => {
    await held.promise;
    return listReferrers(...question);
  };
  const asked = kit.gate.admitManifest(app, by('v1'), never());
  while (!kit.source.calls.some((call) => call.startsWith('fetchManifest'))) await immediate();
  await immediate();
  await kit.setPolicy(aliceSigns.replace('alice', 'bob'));
  held.resolve();
  await asked;
  const reference = by(signed.descriptor.digest);
  await t.rejects(kit.gate.admitManifest(app, reference, never()), deniedFor('no-trusted-signer'));
});

t.test('a clock that was years ahead leaves nothing behind that lasts for years', async (t) => {
  const kit = await makeGateKit();
  const { gate, source, clock } = kit;
  source.put(signed, 'v1');
  source.put(toySignature(signed.descriptor, { by: 'alice' }));
  const yearsMs = 9 * 365 * 86_400_000;
  clock.advanceMs(yearsMs);
  const first = await gate.admitManifest(app, by('v1'), never());
  clock.advanceMs(-30_000);
  const soon = await gate.admitManifest(app, by('v1'), never());
  t.equal(soon.admission.verdict?.id, first.admission.verdict?.id, 'set right a little');
  clock.advanceMs(-yearsMs);
  for (const kept of [kit, await kit.restarted()]) {
    const reference = by(signed.descriptor.digest);
    const { admission } = await kept.gate.admitManifest(app, reference, never());
    t.not(admission.verdict?.id, first.admission.verdict?.id);
  }
  source.fail('resolveTag', new UpstreamError('UPSTREAM_FAILED', 'down'));
  await t.rejects(gate.admitManifest(app, by('v1'), never()), { code: 'UNAVAILABLE' });
});

const index = buildIndex({ name: 'index' });

async function indexKit(): Promise<GateKit & { readonly fetched: () => number }> {
  const kit = await makeGateKit();
  kit.source.put(index, 'multi');
  kit.source.put(toySignature(index.descriptor, { by: 'alice' }));
  await kit.gate.admitManifest(app, by('multi'), never());
  const children = index.children.map(({ descriptor }) => `fetchManifest ${descriptor.digest}`);
  return {
    ...kit,
    fetched: () => kit.source.calls.filter((call) => children.includes(call)).length,
  };
}

t.test('guesses at blobs do not have the same absent children fetched each time', async (t) => {
  const { gate, source, clock, fetched } = await indexKit();
  for (const { descriptor } of index.children) source.remove(descriptor.digest);
  const stranger = buildImage({ name: 'stranger' });
  source.put(stranger);
  const guess = (): Promise<unknown> => gate.admitBlob(app, digestAt(stranger, 1), never());
  await t.rejects(guess(), deniedFor('not-reachable'));
  t.equal(fetched(), index.children.length);
  for (let times = 0; times < 5; times += 1) await t.rejects(guess(), { code: 'DENIED' });
  t.equal(fetched(), index.children.length);
  clock.advanceMs(10_000);
  await Promise.all([1, 2, 3].map(() => t.rejects(guess(), { code: 'DENIED' })));
  t.equal(fetched(), 2 * index.children.length, 'once for all who ask at the same time');
});

t.test('a child that can not be had makes a blob unclear, not denied', async (t) => {
  const { gate, source } = await indexKit();
  const [child] = index.children as [Artifact];
  const blob = digestAt(child, 1);
  const { fetchManifest } = source;
  source.fetchManifest = async (path, reference, signal) => {
    if ('digest' in reference && reference.digest === child.descriptor.digest) {
      throw new UpstreamError('UPSTREAM_FAILED', 'answered 500');
    }
    return fetchManifest(path, reference, signal);
  };
  await t.rejects(gate.admitBlob(app, blob, never()), { code: 'UNAVAILABLE' });
  source.fetchManifest = fetchManifest;
  t.ok(await gate.admitBlob(app, blob, never()));
});

t.test('bytes that state no type are never served as another than the one verified', async (t) => {
  const kit = await makeGateKit();
  const bare = buildImage({ name: 'bare', members: { mediaType: undefined } });
  kit.source.put(bare, 'v1');
  kit.source.put(toySignature(bare.descriptor, { by: 'alice' }));
  const { descriptor } = await kit.gate.admitManifest(app, by('v1'), never());
  t.equal(descriptor.mediaType, mediaTypes.ociManifest);
  const { fetchManifest } = kit.source;
  kit.source.fetchManifest = async (...question) => {
    const content = await fetchManifest(...question);
    return content && { ...content, contentType: mediaTypes.dockerManifest };
  };
  const { gate } = await kit.restarted();
  await t.rejects(gate.admitManifest(app, by('v1'), never()), deniedFor('malformed-manifest'));
});

const other: Repository = { upstream: 'reg', path: 'other' as RepositoryPath };

t.test(
  'what is admitted in one repository is unsigned in another, asked at once or after',
  async (t) => {
    const { gate, source } = await signedKit();
    source.put(signed, 'v1', 'other');
    const reference = by(signed.descriptor.digest);
    const [here, there] = await Promise.allSettled([
      gate.admitManifest(app, reference, never()),
      gate.admitManifest(other, reference, never()),
    ]);
    t.equal(here.status, 'fulfilled');
    t.match(there, { status: 'rejected', reason: { code: 'DENIED' } });
    for (const again of [reference, by('v1')]) {
      t.ok(await gate.admitManifest(app, again, never()));
      await t.rejects(gate.admitManifest(other, again, never()), { code: 'DENIED' });
    }
    for (const { descriptor } of signed.blobs) {
      t.ok(await gate.admitBlob(app, descriptor.digest, never()));
      await t.rejects(gate.admitBlob(other, descriptor.digest, never()), { code: 'DENIED' });
    }
    await t.rejects(gate.admitReferrers(other, signed.descriptor.digest, never()), {
      code: 'DENIED',
    });
  },
);

t.test('evidence of one repository is none in another', async (t) => {
  const { gate, source } = await signedKit();
  const sbom = posing({
    artifactType: 'application/spdx+json',
    layers: [buildBlob('application/spdx+json', '{}')],
  });
  for (const path of ['app', 'other']) source.put(sbom, undefined, path);
  const { digest } = sbom.descriptor;
  t.ok(await gate.admitManifest(app, by(digest), never()));
  t.ok(await gate.admitBlob(app, digestAt(sbom, 1), never()));
  await t.rejects(gate.admitManifest(other, by(digest), never()), { code: 'DENIED' });
  await t.rejects(gate.admitBlob(other, digestAt(sbom, 1), never()), { code: 'DENIED' });
});

t.test('a signature over the SHA-256 of an image is none over its SHA-512', async (t) => {
  const { gate, source } = await signedKit();
  const same = buildImage({ name: 'signed', algorithm: 'sha512' });
  t.same(same.bytes, signed.bytes);
  source.put(same);
  t.ok(await gate.admitManifest(app, by(signed.descriptor.digest), never()));
  const reference = by(same.descriptor.digest);
  await t.rejects(gate.admitManifest(app, reference, never()), { code: 'DENIED' });
});

t.test(
  'an exemption reaches down, never to what its root speaks of, nor to what names it',
  async (t) => {
    const unsigned = buildImage({ name: 'unsigned' });
    const sbom = buildManifest({
      artifactType: 'application/spdx+json',
      subject: unsigned.descriptor,
      layers: [buildBlob('application/spdx+json', '{}')],
    });
    const around = buildIndex({ children: [signed, unsigned] });
    const { gate, source } = await makeGateKit(`
  - digests: ["${sbom.descriptor.digest}", "${signed.descriptor.digest}"]
    exempt: { reason: test, owner: test, until: 2031-01-01T00:00:00Z }${aliceSigns}`);
    for (const artifact of [sbom, around]) source.put(artifact);
    for (const { descriptor } of [sbom, signed]) {
      const { admission } = await gate.admitManifest(app, by(descriptor.digest), never());
      t.equal(admission.by, 'exemption');
    }
    t.ok(await gate.admitBlob(app, digestAt(signed, 1), never()));
    for (const { descriptor } of [unsigned, around]) {
      await t.rejects(gate.admitManifest(app, by(descriptor.digest), never()), { code: 'DENIED' });
    }
    await t.rejects(gate.admitBlob(app, digestAt(unsigned, 1), never()), { code: 'DENIED' });
  },
);

t.test('audit mode of one repository serves nothing in another', async (t) => {
  const unsigned = buildImage({ name: 'unsigned' });
  const { gate, source } = await makeGateKit(`
  - repositories: ["reg/app"]
    require: { signedBy: alice }
    mode: audit
    until: 2031-01-01T00:00:00Z${aliceSigns}`);
  for (const path of ['app', 'other']) source.put(unsigned, 'v1', path);
  const { admission } = await gate.admitManifest(app, by('v1'), never());
  t.equal(admission.by, 'audit');
  t.ok(await gate.admitBlob(app, digestAt(unsigned, 1), never()));
  await t.rejects(gate.admitManifest(other, by('v1'), never()), deniedFor('unsigned'));
  await t.rejects(gate.admitBlob(other, digestAt(unsigned, 1), never()), { code: 'DENIED' });
});

t.test('what an admitted image lists as a layer is no manifest for that', async (t) => {
  const { gate, source } = await makeGateKit();
  const hidden = buildImage({ name: 'hidden' });
  const carrier = buildManifest({ config: imageConfig, layers: [hidden] });
  source.put(hidden);
  source.put(carrier, 'v1');
  source.put(toySignature(carrier.descriptor, { by: 'alice' }));
  await gate.admitManifest(app, by('v1'), never());
  await t.rejects(gate.admitManifest(app, by(hidden.descriptor.digest), never()), {
    code: 'DENIED',
  });
  await t.rejects(gate.admitBlob(app, digestAt(hidden, 1), never()), { code: 'DENIED' });
});

t.test('a child that an index of another upstream repository names stays unknown', async (t) => {
  const { gate, source } = await indexKit();
  source.put(index, 'multi', 'other');
  const [child] = index.children as [Artifact];
  t.ok(await gate.admitManifest(app, by(child.descriptor.digest), never()));
  await t.rejects(gate.admitManifest(other, by(child.descriptor.digest), never()), {
    code: 'DENIED',
  });
});
