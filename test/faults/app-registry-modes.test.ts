import t from 'tap';
import { referrersTag } from '../../src/oci/digest.ts';
import { reasonOf, signatureOf, startAppKit, stranger } from '../support/app-kit.ts';
import { buildImage, buildIndex, buildManifest } from '../support/build-image.ts';
import type { ReferrersMode } from '../support/fake-registry.ts';
import { openScriptedRegistry } from '../support/scripted-registry.ts';

/**
 * Wherever a registry keeps referrers, signatures are found, and their absence is told from a
 * registry that does not answer (bug: a throttled list taken for "no signatures").
 */

const image = buildImage({ name: 'modes' });
const index = buildIndex({ name: 'modes' });
const unsigned = buildImage({ name: 'modes, unsigned' });
const strangers = buildImage({ name: 'modes, by a stranger' });
const signatures = [signatureOf(image.descriptor), signatureOf(index.descriptor)];
const sbom = buildManifest({ artifactType: 'application/spdx+json', subject: image.descriptor });
const modes: readonly ReferrersMode[] = ['api', 'tag-schema', 'empty-api', 'ghcr'];

async function open(t: Parameters<typeof startAppKit>[0], referrers: ReferrersMode) {
  const registry = await openScriptedRegistry(t, { referrers });
  registry.put('app', image, 'image');
  registry.put('app', index, 'index');
  registry.put('app', unsigned, 'unsigned');
  registry.put('app', strangers, 'strangers');
  registry.put('app', signatureOf(strangers.descriptor, { chain: stranger }));
  for (const each of [...signatures, sbom]) registry.put('app', each);
  return { registry, kit: await startAppKit(t, { upstreams: { reg: registry.origin } }) };
}

interface Listed {
  readonly manifests: readonly { readonly digest: string; readonly artifactType: string }[];
}

for (const mode of modes) {
  t.test(`signatures are found in a registry that keeps them as ${mode}`, async (t) => {
    const { kit } = await open(t, mode);
    for (const [tag, reason] of [
      ['image', undefined],
      ['index', undefined],
      ['unsigned', 'unsigned'],
      ['strangers', 'no-trusted-signer'],
    ] as const) {
      const reply = await kit.ask(`reg/app/manifests/${tag}`);
      t.equal(reply.status, reason === undefined ? 200 : 403, tag);
      t.equal(reasonOf(reply), reason, tag);
    }
  });

  t.test(`a client finds and reads them through the app, as ${mode}`, async (t) => {
    const { kit } = await open(t, mode);
    const reply = await kit.ask(`reg/app/referrers/${image.descriptor.digest}`);
    t.equal(reply.status, 200);
    const { manifests } = JSON.parse(String(reply.body)) as Listed;
    const [signature] = signatures;
    t.same(
      new Set(manifests.map(({ digest }) => digest)),
      new Set([signature?.descriptor.digest, sbom.descriptor.digest]),
    );
    for (const each of [signature!, sbom]) {
      const manifest = await kit.ask(`reg/app/manifests/${each.descriptor.digest}`);
      t.ok(manifest.body.equals(each.bytes));
      for (const { descriptor, bytes } of each.blobs) {
        const blob = await kit.ask(`reg/app/blobs/${descriptor.digest}`);
        t.ok(blob.body.equals(bytes), descriptor.mediaType);
      }
    }
    const filtered = await kit.ask(
      `reg/app/referrers/${image.descriptor.digest}?artifactType=application/spdx%2Bjson`,
    );
    t.equal((JSON.parse(String(filtered.body)) as Listed).manifests.length, 1);
    const none = await kit.ask(`reg/app/referrers/${unsigned.descriptor.digest}`);
    t.equal(none.status, 403, 'of what is denied nothing is listed');
  });

  t.test(`a list that fails is no empty list, as ${mode}`, async (t) => {
    const { registry, kit } = await open(t, mode);
    const tag = referrersTag(unsigned.descriptor.digest);
    for (const place of [`/referrers/${unsigned.descriptor.digest}`, `/manifests/${tag}`]) {
      registry.setFault(({ path }) =>
        path.endsWith(place) ? { status: 503, headers: { 'retry-after': '77' } } : undefined,
      );
      const reply = await kit.ask('reg/app/manifests/unsigned');
      t.equal(reply.status, 503, place);
      t.equal(reasonOf(reply), 'upstream-unavailable', place);
    }
    registry.setFault(undefined);
    t.equal(reasonOf(await kit.ask('reg/app/manifests/unsigned')), 'unsigned');
  });
}
