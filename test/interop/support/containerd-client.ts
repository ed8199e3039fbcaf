import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Test } from 'tap';
import { requireRoot, requireTool } from '../../support/require-tool.ts';
import type { Client } from './client.ts';
import { readFromBlobs } from './layout-folder.ts';
import { listening, type Owner, runCommand, startProcess } from './process.ts';

export interface ContainerdPrograms {
  readonly containerd: string;
  readonly ctr: string;
}

/** Undefined where they are missing or may not be started, which has been reported then. */
export function requireContainerd(t: Test): ContainerdPrograms | undefined {
  const containerd = requireTool(t, 'containerd');
  const ctr = requireTool(t, 'ctr');
  if (containerd === undefined || ctr === undefined) return undefined;
  return requireRoot(t, 'starts containerd') ? { containerd, ctr } : undefined;
}

export interface ContainerdOptions extends ContainerdPrograms {
  /** Its state, below which lies a socket: a short path. */
  readonly folder: string;
  /** hosts.toml by registry's name. */
  readonly hosts: Readonly<Record<string, string>>;
}

/** A containerd of its own, without a runtime, and `ctr images pull` through its hosts.toml files. */
export async function startContainerd(owner: Owner, options: ContainerdOptions): Promise<Client> {
  const { containerd, ctr, folder, hosts } = options;
  const root = join(folder, 'root');
  const socket = join(folder, 'c.sock');
  const hostsFolder = join(folder, 'certs.d');
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'config.toml'), configuration(root, join(folder, 'state'), socket));
  for (const [name, text] of Object.entries(hosts)) {
    mkdirSync(join(hostsFolder, name), { recursive: true });
    writeFileSync(join(hostsFolder, name, 'hosts.toml'), text);
  }
  const running = startProcess(owner, containerd, ['--config', join(folder, 'config.toml')]);
  await listening(running, socket);
  return {
    name: 'containerd',
    takes: 'platform-and-index',
    shows: 'phrase',
    async pull(key, repository, tag) {
      const where = ['--address', socket, '--namespace', 'interop'];
      const how = ['--snapshotter', 'native', '--hosts-dir', hostsFolder];
      const reference = `${key}/${repository}:${tag}`;
      const ended = await runCommand(ctr, [...where, 'images', 'pull', ...how, reference]);
      const blobs = join(root, 'io.containerd.content.v1.content', 'blobs');
      return { ...ended, read: (digest) => readFromBlobs(blobs, digest) };
    },
  };
}

/** The proxy both as `server` and as the one host: with one of them left out containerd goes around it. */
export function hostsToml(proxyOrigin: string): string {
  return [
    `server = "${proxyOrigin}"`,
    '',
    `[host."${proxyOrigin}"]`,
    '  capabilities = ["pull", "resolve"]',
    '',
  ].join('\n');
}

function configuration(root: string, state: string, socket: string): string {
  const without = ['cri', 'btrfs', 'zfs', 'aufs', 'devmapper', 'overlayfs'];
  const plugins = without.map((name) =>
    name === 'cri' ? 'io.containerd.grpc.v1.cri' : `io.containerd.snapshotter.v1.${name}`,
  );
  return [
    'version = 2',
    `root = "${root}"`,
    `state = "${state}"`,
    `disabled_plugins = ${JSON.stringify(plugins)}`,
    '[grpc]',
    `  address = "${socket}"`,
    '[ttrpc]',
    `  address = "${socket}.ttrpc"`,
    '',
  ].join('\n');
}
