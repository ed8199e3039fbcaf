import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ServerCertificate } from '../../support/server-certificate.ts';
import type { Signer } from './notation-home.ts';
import { firstLine, type Owner, type Running, startProcess } from './process.ts';
import type { Registry } from './registries.ts';

/** `assay serve` as people run it, in a process of its own. */
export interface Proxy {
  readonly origin: string;
  /** HOST:PORT, for references. */
  readonly address: string;
  readonly running: Running;
}

/** What Node runs. */
export const mainFile = join(import.meta.dirname, '..', '..', '..', 'src', 'main.ts');

export interface ProxyOptions {
  readonly folder: string;
  readonly registries: readonly Registry[];
  /** Whom it trusts, for all of them. */
  readonly trusted: Signer;
  /** Of every rule; `index` unless told. */
  readonly covers?: 'index' | 'platforms';
  /** For localhost; plain HTTP without it. */
  readonly tls?: ServerCertificate;
}

/** Starts the proxy before these registries. */
export async function startProxy(owner: Owner, options: ProxyOptions): Promise<Proxy> {
  const { running, origin: said } = await startAt(owner, writeConfiguration(options));
  const origin = options.tls === undefined ? said : said.replace('127.0.0.1', 'localhost');
  return { origin, address: new URL(origin).host, running };
}

/** Starts one on a configuration file, by a program that is Node. */
export async function startAt(
  owner: Owner,
  config: string,
  node: string = process.execPath,
): Promise<Proxy> {
  const running = startProcess(owner, node, [mainFile, 'serve', '--config', config]);
  const origin = await firstLine(running, readOrigin);
  return { origin, address: new URL(origin).host, running };
}

function readOrigin(line: string): string | undefined {
  if (!line.startsWith('{')) return undefined;
  const { message, oci } = JSON.parse(line) as { message?: string; oci?: string };
  return message === 'listening' ? oci : undefined;
}

function writeConfiguration({ folder, registries, trusted, covers, tls }: ProxyOptions): string {
  const store = join(folder, 'trust', 'x509', 'ca', 'release');
  mkdirSync(store, { recursive: true });
  copyFileSync(trusted.certificate, join(store, 'release.crt'));
  const policy = {
    version: 1,
    identities: {
      release: {
        notation: {
          trustStores: ['ca:release'],
          trustedIdentities: [`x509.subject: ${trusted.subject}`],
          level: 'strict',
        },
      },
    },
    rules: registries.map(({ key }) => ({
      repositories: [`${key}/**`],
      require: { signedBy: 'release' },
      covers,
    })),
  };
  const any = { host: '127.0.0.1', port: 0 };
  const configuration = {
    listen: tls === undefined ? any : { ...any, tls: writeTls(folder, tls) },
    admin: any,
    upstreams: Object.fromEntries(
      registries.map(({ key, origin }) => [key, { url: origin, plainHttp: 'allowed' }]),
    ),
    trustPolicy: './trust-policy.yaml',
    trust: { store: './trust' },
    storage: { path: './data' },
    access: { anonymous: 'pull' },
  };
  // JSON is YAML.
  writeFileSync(join(folder, 'trust-policy.yaml'), JSON.stringify(policy, null, 2));
  const file = join(folder, 'assay.yaml');
  writeFileSync(file, JSON.stringify(configuration, null, 2));
  return file;
}

function writeTls(folder: string, { certificate, key }: ServerCertificate) {
  const files = { certificate: join(folder, 'tls.pem'), key: join(folder, 'tls.key') };
  writeFileSync(files.certificate, certificate);
  writeFileSync(files.key, key, { mode: 0o600 });
  return files;
}
