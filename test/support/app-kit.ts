import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Test } from 'tap';
import { composeApp } from '../../src/compose/app.ts';
import { loadConfig } from '../../src/config/load.ts';
import type { Clock } from '../../src/kernel/clock.ts';
import type { Descriptor } from '../../src/oci/descriptor.ts';
import { manifestMediaTypes } from '../../src/oci/media-types.ts';
import { makePinoLog } from '../../src/observe/pino-log.ts';
import type { Artifact } from './build-image.ts';
import { type NotationOverrides, signedBy } from './sign-notation.ts';
import type { Started } from './start-starter.ts';
import { makeChain } from './test-ca.ts';

/** Whom every kit's policy trusts, and somebody whom it does not. */
export const acme = makeChain({ authority: 'acme' });
export const stranger = makeChain({ authority: 'stranger' });

/** A Notation signature by acme, unless told otherwise. */
export function signatureOf(of: Descriptor, overrides: NotationOverrides = {}): Artifact {
  return signedBy({ of, format: 'jws', chain: acme, ...overrides });
}

export interface AppOptions {
  /** By key: an origin, or what stands in the configuration. */
  readonly upstreams: Readonly<Record<string, string | object>>;
  /** Of the trust policy; unless told, acme must have signed everything. */
  readonly rules?: readonly object[];
  /** Other members of the Notation identity `acme`, or other values. */
  readonly identity?: object;
  /** More identities of the policy, by name. */
  readonly identities?: Readonly<Record<string, object>>;
  /** Other members of the configuration, or other values. */
  readonly config?: Readonly<Record<string, unknown>>;
  /** Texts and folders beside the configuration, which may name them. */
  readonly files?: Readonly<Record<string, string | Record<string, string>>>;
  readonly clock?: Clock;
}

export interface Asked {
  readonly method?: string;
  /** Beside `accept`, which is as clients have it. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** What came back, whole. */
export interface Reply {
  readonly status: number;
  readonly statusText: string;
  readonly headers: Headers;
  readonly body: Buffer;
}

export interface AppKit extends Started {
  readonly port: number;
  /** Asks for a path under `/v2/`; rejects where the body does not come whole. */
  ask(path: string, asked?: Asked): Promise<Reply>;
  /** The text of `/metrics`. */
  metrics(): Promise<string>;
  /** The same state and configuration in a new app. */
  restarted(): Promise<AppKit>;
}

const identity = {
  notation: { trustStores: ['ca:acme'], trustedIdentities: ['*'], level: 'strict' },
};

/** The whole app over a configuration of its own in a folder of its own; closed with the test. */
export async function startAppKit(t: Test, options: AppOptions): Promise<AppKit> {
  return startAt(t, writeConfiguration(t, options), options.clock);
}

/** Writes configuration, policy and trust store into the test's folder; returns the file. */
export function writeConfiguration(t: Test, options: Omit<AppOptions, 'clock'>): string {
  const trust = { x509: { ca: { acme: { 'acme.pem': acme.root.pem } } } };
  const folder = t.testdir({ trust, ...options.files });
  const { upstreams } = options;
  const rules = options.rules ?? [
    {
      repositories: Object.keys(upstreams).map((key) => `${key}/**`),
      require: { signedBy: 'acme' },
    },
  ];
  const any = { host: '127.0.0.1', port: 0 };
  const configuration = {
    listen: any,
    admin: any,
    upstreams: Object.fromEntries(
      Object.entries(upstreams).map(([key, upstream]) => [key, toUpstream(upstream)]),
    ),
    trustPolicy: './policy.yaml',
    trust: { store: './trust' },
    storage: { path: './data' },
    ...options.config,
  };
  // JSON is YAML.
  const acmeIdentity = { notation: { ...identity.notation, ...options.identity } };
  const identities = { acme: acmeIdentity, ...options.identities };
  const policy = JSON.stringify({ version: 1, identities, rules });
  writeFileSync(join(folder, 'policy.yaml'), policy);
  writeFileSync(join(folder, 'assay.yaml'), JSON.stringify(configuration));
  mkdirSync(join(folder, 'data'));
  return join(folder, 'assay.yaml');
}

/** The whole app on a configuration file; closed with the test. */
export async function startAt(t: Test, file: string, clock?: Clock): Promise<AppKit> {
  const lines: Record<string, unknown>[] = [];
  const write = (line: string): void => {
    lines.push(JSON.parse(line) as Record<string, unknown>);
  };
  const log = makePinoLog({ level: 'debug', destination: { write } });
  const app = await composeApp(await loadConfig(file), { log, ...(clock && { clock }) });
  let closing: Promise<void> | undefined;
  const close = (): Promise<void> => {
    app.destroyConnections();
    closing ??= app.close();
    return closing;
  };
  t.teardown(close);
  const addresses = await app.listen();
  return {
    app,
    lines,
    ...addresses,
    port: Number(new URL(addresses.oci).port),
    async ask(path, { method = 'GET', headers } = {}) {
      const accept = manifestMediaTypes.join(', ');
      const init = { method, headers: { accept, ...headers } };
      const answer = await fetch(`${addresses.oci}/v2/${path}`, init);
      const { status, statusText } = answer;
      const body = Buffer.from(await answer.arrayBuffer());
      return { status, statusText, headers: answer.headers, body };
    },
    metrics: async () => (await fetch(`${addresses.admin}/metrics`)).text(),
    async restarted() {
      await close();
      return startAt(t, file, clock);
    },
  };
}

function toUpstream(upstream: string | object): object {
  if (typeof upstream !== 'string') return upstream;
  return upstream.startsWith('http:') ? { url: upstream, plainHttp: 'allowed' } : { url: upstream };
}

/** The reason code that a denial gives. */
export function reasonOf({ headers }: Pick<Reply, 'headers'>): string | undefined {
  return /^([a-z-]+) \(id [0-9a-f]+\)$/.exec(headers.get('x-assay-reason') ?? '')?.[1];
}
