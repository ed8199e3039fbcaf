import { join } from 'node:path';
import t, { type Test } from 'tap';
import { mediaTypes } from '../../src/oci/media-types.ts';
import { checkServed, describeContent, everythingOf } from './support/check-served.ts';
import type { Client, Pulled } from './support/client.ts';
import type { Content } from './support/content.ts';
import {
  type Kit,
  openClients,
  openKit,
  placeOf,
  repository,
  type Upstream,
} from './support/kit.ts';
import { readIfThere } from './support/layout-folder.ts';
import { runCommand } from './support/process.ts';
import { layerTitles } from './support/pullable-image.ts';

// Each real client pulls each kind of content of each real registry through `assay serve`.
t.setTimeout(400_000);
const kit = await openKit(t);
const clients = kit === undefined ? [] : await openClients(t, placeOf(kit));

for (const { registry, contents } of kit?.upstreams ?? []) {
  for (const client of clients) {
    t.test(
      `${client.name} pulls what is signed from ${registry.key}, and nothing else`,
      async (t) => {
        for (const content of contents) {
          const pulled = await client.pull(registry.key, repository, content.tag);
          const name = `${registry.key}/${repository}:${content.tag}`;
          if (content.refused === undefined) await checkServed(t, client, content, pulled);
          else await checkRefused(t, client, content, pulled, name);
        }
      },
    );
  }
}

for (const upstream of kit?.upstreams ?? []) if (kit !== undefined) testOrasPull(kit, upstream);

function testOrasPull({ proxy, folder, tools }: Kit, { registry, contents }: Upstream): void {
  const { key } = registry;
  t.test(`oras pull writes the files of what is signed in ${key}, and no others`, async (t) => {
    for (const { tag, artifact, refused } of contents.filter(isSingleOciImage)) {
      const into = join(folder, 'files', key, tag);
      const name = `${proxy.address}/${key}/${repository}:${tag}`;
      const words = ['pull', '--no-tty', '--plain-http', '-o', into, name];
      const { code, output } = await runCommand(tools.oras, words, { env: { HOME: folder } });
      t.equal(code === 0, refused === undefined, tag);
      if (refused !== undefined) t.match(output, `denied: ${refused} (`, tag);
      const [, ...layers] = artifact.blobs;
      for (const [index, title] of layerTitles.entries()) {
        const file = await readIfThere(join(into, title));
        const expected = refused === undefined ? layers[index]?.bytes : undefined;
        t.same(file, expected, `${tag}: ${title}`);
      }
    }
  });
}

function isSingleOciImage({ artifact }: Content): boolean {
  return artifact.descriptor.mediaType === mediaTypes.ociManifest;
}

/** The client fails and says why, and has nothing of the image. */
async function checkRefused(
  t: Test,
  { shows }: Client,
  { tag, artifact, refused }: Content,
  { code, output, read }: Pulled,
  name: string,
): Promise<void> {
  t.not(code, 0, `${tag} is refused`);
  if (shows === 'phrase') {
    t.match(output, `403 Forbidden: ${refused} (id `, tag);
  } else {
    t.match(output, `requested access to the resource is denied: ${refused} (`, tag);
    t.match(output, `assay explain ${name}`, `${tag}: where to read on`);
  }
  for (const { descriptor } of everythingOf(artifact)) {
    t.equal(await read(descriptor.digest), undefined, `${tag}: no ${describeContent(descriptor)}`);
  }
}
