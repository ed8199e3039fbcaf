import { readdir, readFile, stat } from 'node:fs/promises';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzip, makeTar } from '../../../config/make-demo/tarball.ts';
import type { Digest } from '../../../src/oci/digest.ts';
import type { Client } from './client.ts';
import { readIfThere } from './layout-folder.ts';
import type { LayoutClientOptions } from './layout-clients.ts';
import { runCommand } from './process.ts';

/** `podman pull` into a storage of its own. */
export function makePodmanClient({ program, proxy, folder }: LayoutClientOptions): Client {
  const home = join(folder, 'podman');
  mkdirSync(home, { recursive: true });
  const policy = join(home, 'policy.json');
  writeFileSync(policy, '{"default":[{"type":"insecureAcceptAnything"}]}');
  const registries = join(home, 'registries.conf');
  writeFileSync(registries, '');
  const root = join(home, 'root');
  const storage = ['--root', root, '--runroot', join(home, 'run'), '--storage-driver', 'vfs'];
  const env = { HOME: home, CONTAINERS_REGISTRIES_CONF: registries };
  return {
    name: 'podman',
    takes: 'platform-and-index',
    shows: 'message',
    async pull(key, repository, tag) {
      const words = ['--tls-verify=false', '--signature-policy', policy];
      const reference = `${proxy}/${key}/${repository}:${tag}`;
      const ended = await runCommand(program, [...storage, 'pull', ...words, reference], { env });
      return {
        ...ended,
        read: async (digest) => (await readKept(root, digest)) ?? readLayer(root, digest),
      };
    },
  };
}

/** Manifests and configs are kept as they came, in a file named by its key in base64. */
async function readKept(root: string, digest: Digest): Promise<Buffer | undefined> {
  const images = join(root, 'vfs-images');
  for (const image of await listIfThere(images)) {
    for (const key of [`manifest-${digest}`, digest]) {
      const name = `=${Buffer.from(key).toString('base64')}`;
      const found = await readIfThere(join(images, image, name));
      if (found !== undefined) return found;
    }
  }
  return undefined;
}

interface KeptLayer {
  readonly id: string;
  readonly parent?: string;
  readonly 'compressed-diff-digest'?: string;
}

/** Layers are kept unpacked: what one adds to its parent, packed again as our images are. */
async function readLayer(root: string, digest: Digest): Promise<Buffer | undefined> {
  const list = await readIfThere(join(root, 'vfs-layers', 'layers.json'));
  const layers = JSON.parse(list?.toString() ?? '[]') as readonly KeptLayer[];
  const layer = layers.find((each) => each['compressed-diff-digest'] === digest);
  if (layer === undefined) return undefined;
  const tree = (id: string): string => join(root, 'vfs', 'dir', id);
  const below = layer.parent === undefined ? [] : await listIfThere(tree(layer.parent));
  const added = (await listIfThere(tree(layer.id))).filter((name) => !below.includes(name));
  const entries = added.map(async (name) => {
    const path = join(tree(layer.id), name);
    const { mode } = await stat(path);
    return { name, bytes: await readFile(path), mode: mode & 0o777 };
  });
  return gzip(makeTar(await Promise.all(entries)));
}

async function listIfThere(folder: string): Promise<readonly string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}
