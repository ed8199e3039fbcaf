import { join } from 'node:path';
import type { Client, ClientName } from './client.ts';
import { readFromBlobs } from './layout-folder.ts';
import { runCommand } from './process.ts';

export interface LayoutClientOptions {
  readonly program: string;
  /** The proxy's HOST:PORT. */
  readonly proxy: string;
  readonly folder: string;
}

/** Those that write what they pull into an OCI layout. */
export type LayoutClientName = Extract<ClientName, 'crane' | 'oras' | 'regctl'>;

export function makeLayoutClient(
  name: LayoutClientName,
  { program, proxy, folder }: LayoutClientOptions,
): Client {
  return {
    name,
    takes: 'all',
    shows: 'message',
    async pull(key, repository, tag) {
      const layout = join(folder, name, key, repository, tag);
      const words = commands[name](`${proxy}/${key}/${repository}:${tag}`, layout, proxy);
      const ended = await runCommand(program, words, { env: { HOME: folder } });
      return { ...ended, read: (digest) => readFromBlobs(join(layout, 'blobs'), digest) };
    },
  };
}

type Command = (reference: string, layout: string, proxy: string) => readonly string[];

const commands: Record<LayoutClientName, Command> = {
  crane: (reference, layout) => ['pull', '--insecure', '--format', 'oci', reference, layout],
  oras: (reference, layout) => [
    'copy',
    '--no-tty',
    '--from-plain-http',
    reference,
    '--to-oci-layout',
    `${layout}:pulled`,
  ],
  regctl: (reference, layout, proxy) => [
    '--host',
    `reg=${proxy},tls=disabled`,
    'image',
    'copy',
    reference,
    `ocidir://${layout}:pulled`,
  ],
};
