import { join } from 'node:path';
import t from 'tap';
import { type Artifact, closureOf } from '../support/build-image.ts';
import type { Client } from './support/client.ts';
import { pushArtifact } from './support/content.ts';
import { type Kit, openClients, openKit, placeOf, repository } from './support/kit.ts';
import { architectures, makePullableIndex, ownArchitecture } from './support/pullable-image.ts';

// Each real client pulls indexes without a signature whose platform children the real notation signed.
t.setTimeout(200_000);
const kit = await openKit(t, { kinds: ['referrers'], tags: [], covers: 'platforms' });
if (kit !== undefined) await testPlatforms(kit);

async function testPlatforms(kit: Kit): Promise<void> {
  const own = architectures.indexOf(ownArchitecture);
  const all = await push(kit, 'all-signed', [0, 1]);
  const some = await push(kit, 'one-signed', [own]);
  const [key] = kit.upstreams.map(({ registry }) => registry.key);
  if (key === undefined) throw new Error('no registry');
  for (const client of await openClients(t, placeOf(kit))) {
    t.test(`${client.name} pulls an index whose platform children are signed`, async (t) => {
      const { code, output, read } = await client.pull(key, repository, 'all-signed');
      t.equal(code, 0, output);
      for (const { descriptor, bytes } of keptBy(client, all, own)) {
        t.ok((await read(descriptor.digest))?.equals(bytes), descriptor.mediaType);
      }
    });

    t.test(`${client.name} is refused an index with a child that nobody signed`, async (t) => {
      const { code, output } = await client.pull(key, repository, 'one-signed');
      t.not(code, 0);
      t.match(output, /unsigned \(/);
    });

    t.test(`${client.name} pulls the one child of it that is signed`, async (t) => {
      const { code, output, read } = await client.pull(key, repository, 'one-signed-child');
      t.equal(code, 0, output);
      const [child] = [some.children[own]];
      t.ok(child && (await read(child.descriptor.digest))?.equals(child.bytes));
    });
  }
}

/** Pushes an index, has these children signed, and gives the first of them a tag of its own. */
async function push(kit: Kit, tag: string, signed: readonly number[]): Promise<Artifact> {
  const { folder, tools, notation, signers, upstreams } = kit;
  const index = makePullableIndex(`platforms/${tag}`);
  for (const { registry } of upstreams) {
    const name = `${registry.address}/${repository}`;
    const place = { folder: join(folder, 'platforms'), tools };
    await pushArtifact('oras', index, `${name}:${tag}`, place);
    const [first] = signed;
    const own = index.children[first ?? 0];
    if (own !== undefined) await pushArtifact('oras', own, `${name}:${tag}-child`, place);
    for (const child of signed) {
      const reference = `${name}@${index.children[child]?.descriptor.digest}`;
      const options = {
        signer: signers.trusted,
        envelope: 'jws',
        referrers: 'api-if-there',
      } as const;
      await notation.sign(reference, options);
    }
  }
  return index;
}

function keptBy({ takes }: Client, index: Artifact, own: number) {
  const child = index.children[own];
  const { manifests, blobs } = closureOf(takes === 'all' || child === undefined ? index : child);
  const { descriptor, bytes } = index;
  return [...(takes === 'platform' ? [] : [{ descriptor, bytes }]), ...manifests, ...blobs];
}
