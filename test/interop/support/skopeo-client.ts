import { mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { digestOf, encodedOf } from '../../../src/oci/digest.ts';
import type { Client } from './client.ts';
import { readIfThere } from './layout-folder.ts';
import type { LayoutClientOptions } from './layout-clients.ts';
import { runCommand } from './process.ts';

/** `skopeo copy` into a folder, which keeps every byte as it came. */
export function makeSkopeoClient({ program, proxy, folder }: LayoutClientOptions): Client {
  return {
    name: 'skopeo',
    takes: 'platform',
    shows: 'message',
    async pull(key, repository, tag) {
      const into = join(folder, 'skopeo', key, repository, tag);
      mkdirSync(dirname(into), { recursive: true });
      const words = [
        'copy',
        '--insecure-policy',
        '--src-tls-verify=false',
        '--preserve-digests',
        `docker://${proxy}/${key}/${repository}:${tag}`,
        `dir:${into}`,
      ];
      const ended = await runCommand(program, words, { env: { HOME: folder } });
      return {
        ...ended,
        async read(digest) {
          const manifest = await readIfThere(join(into, 'manifest.json'));
          if (manifest !== undefined && digestOf(manifest) === digest) return manifest;
          return readIfThere(join(into, encodedOf(digest)));
        },
      };
    },
  };
}
