import { join } from 'node:path';
import type { Test } from 'tap';
import { requireTool } from '../../support/require-tool.ts';
import type { ServerCertificate } from '../../support/server-certificate.ts';
import type { Client } from './client.ts';
import { hostsToml, requireContainerd, startContainerd } from './containerd-client.ts';
import {
  type Content,
  type ContentTag,
  contentTags,
  pushContents,
  type PushTools,
} from './content.ts';
import { type LayoutClientName, makeLayoutClient } from './layout-clients.ts';
import { makeNotationHome, type NotationHome, type Signer } from './notation-home.ts';
import { makePodmanClient } from './podman-client.ts';
import { type Proxy, startProxy } from './proxy.ts';
import { type Registry, type RegistryKind, registryKinds, startRegistry } from './registries.ts';
import { makeSkopeoClient } from './skopeo-client.ts';
import { makeTemporaryFolder } from './temporary-folder.ts';

/** In each registry. */
export const repository = 'acme/app';

/** Real registries with content that the real notation signed, behind one proxy. */
export interface Kit {
  readonly folder: string;
  readonly tools: PushTools;
  readonly notation: NotationHome;
  readonly signers: Readonly<Record<'trusted' | 'stranger', Signer>>;
  readonly upstreams: readonly Upstream[];
  readonly proxy: Proxy;
}

export interface Upstream {
  readonly kind: RegistryKind;
  readonly registry: Registry;
  readonly contents: readonly Content[];
}

/** Where notation writes to, by registry: with and without the API, and both ways of notation's. */
const referrers = {
  referrers: 'api-if-there',
  distribution: 'api-if-there',
  crane: 'tag',
  olareg: 'tag',
} as const;

export interface KitOptions {
  /** Kinds of content; all unless told. */
  readonly tags?: readonly ContentTag[];
  /** All unless told. */
  readonly kinds?: readonly RegistryKind[];
  /** Of the proxy's rules; `index` unless told. */
  readonly covers?: 'index' | 'platforms';
  /** Of the proxy; plain HTTP unless told. */
  readonly tls?: ServerCertificate;
}

/** Undefined where a program is missing, which has been reported then. */
export async function openKit(t: Test, options: KitOptions = {}): Promise<Kit | undefined> {
  const { tags = contentTags, kinds = registryKinds, covers, tls } = options;
  const tools = requireTools(t, ['oras', 'crane', 'skopeo', 'notation']);
  if (tools === undefined) return undefined;
  const folder = await makeTemporaryFolder(t);
  const notation = makeNotationHome(tools.notation, join(folder, 'signing'));
  const signers = {
    trusted: await notation.makeSigner('release.test'),
    stranger: await notation.makeSigner('stranger.test'),
  };
  const started = await Promise.all(
    kinds.map(async (kind) => {
      const place = join(folder, kind);
      const registry = await startRegistry(t, kind, place);
      if (registry === undefined) return undefined;
      const to = { registry, repository, folder: place, referrers: referrers[kind] };
      const contents = await pushContents(tags, { ...to, tools, notation, signers });
      return { kind, registry, contents };
    }),
  );
  const upstreams = started.filter((upstream) => upstream !== undefined);
  if (upstreams.length < started.length) return undefined;
  const registries = upstreams.map(({ registry }) => registry);
  const proxy = await startProxy(t, {
    folder: join(folder, 'proxy'),
    registries,
    trusted: signers.trusted,
    ...(covers !== undefined && { covers }),
    ...(tls !== undefined && { tls }),
  });
  return { folder, tools, notation, signers, upstreams, proxy };
}

/** Where clients pull from, and what they may fill. */
export interface ClientPlace {
  readonly folder: string;
  readonly proxy: Proxy;
  /** Of the registries, whose names containerd knows. */
  readonly keys: readonly string[];
  /** The program to start in place of another; the same one unless told. */
  readonly enclose?: (program: string) => string;
}

/** Every client whose program is there; what is missing has been reported. */
export async function openClients(
  t: Test,
  { folder, proxy, keys, enclose = (program) => program }: ClientPlace,
): Promise<readonly Client[]> {
  const clients: Client[] = [];
  const options = { proxy: proxy.address, folder: join(folder, 'clients') };
  const find = (name: string): string | undefined => {
    const program = requireTool(t, name);
    return program && enclose(program);
  };
  const layoutNames: readonly LayoutClientName[] = ['crane', 'oras', 'regctl'];
  for (const name of layoutNames) {
    const program = find(name);
    if (program !== undefined) clients.push(makeLayoutClient(name, { ...options, program }));
  }
  const skopeo = find('skopeo');
  if (skopeo !== undefined) clients.push(makeSkopeoClient({ ...options, program: skopeo }));
  const podman = find('podman');
  if (podman !== undefined) clients.push(makePodmanClient({ ...options, program: podman }));
  const programs = requireContainerd(t);
  if (programs !== undefined) {
    const hosts = Object.fromEntries(keys.map((key) => [key, hostsToml(proxy.origin)]));
    const containerd = enclose(programs.containerd);
    const place = { folder: join(folder, 'containerd'), hosts };
    clients.push(await startContainerd(t, { containerd, ctr: enclose(programs.ctr), ...place }));
  }
  return clients;
}

/** Where clients pull through the kit's own proxy. */
export function placeOf({ folder, proxy, upstreams }: Kit): ClientPlace {
  return { folder, proxy, keys: upstreams.map(({ registry }) => registry.key) };
}

/** Undefined where one is missing, which has been reported then. */
export function requireTools<Name extends string>(
  t: Test,
  names: readonly Name[],
): Readonly<Record<Name, string>> | undefined {
  const found = names.map((name) => [name, requireTool(t, name)] as const);
  if (found.some(([, path]) => path === undefined)) return undefined;
  return Object.fromEntries(found) as Readonly<Record<Name, string>>;
}
