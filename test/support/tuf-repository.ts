import { createHash, type KeyObject, sign } from 'node:crypto';
import type { FetchTufFile } from '../../src/trust/sigstore/tuf-fetcher.ts';
import { spkiOf, testKey } from './test-keys.ts';

/** What a repository says; each member replaces the default. */
export interface TufPlan {
  readonly rootVersion?: number;
  readonly timestampVersion?: number;
  readonly snapshotVersion?: number;
  readonly targetsVersion?: number;
  readonly expires?: Partial<Record<Role, string>>;
  /** Names of the keys of each role as the root lists them; its own name unless told. */
  readonly keys?: Partial<Record<Role, readonly string[]>>;
  readonly threshold?: Partial<Record<Role, number>>;
  /** Names of the keys that sign; those of the role unless told. */
  readonly signers?: Partial<Record<Role, readonly string[]>>;
  /** By name; `trusted_root.json` is what is asked for. */
  readonly targets?: Readonly<Record<string, Uint8Array>>;
  /** What is served in place of a target. */
  readonly served?: Readonly<Record<string, Uint8Array>>;
  /** Roles that the targets delegate everything to, with targets of their own. */
  readonly delegations?: readonly string[];
}

type Role = 'root' | 'timestamp' | 'snapshot' | 'targets';
const roles: readonly Role[] = ['root', 'timestamp', 'snapshot', 'targets'];

export interface BuiltTuf {
  readonly rootJson: Uint8Array;
  /** By path below the repository's URL. */
  readonly files: ReadonlyMap<string, Uint8Array>;
}

/** A TUF repository (TUF specification, section 4), written by hand; consistent snapshots. */
export function buildTuf(plan: TufPlan = {}): BuiltTuf {
  const { rootVersion = 1, timestampVersion = 1, snapshotVersion = 1, targetsVersion = 1 } = plan;
  const files = new Map<string, Uint8Array>();
  const { targets = {}, served = {}, delegations = [] } = plan;
  for (const [name, bytes] of Object.entries(targets)) {
    const place = name.lastIndexOf('/') + 1;
    const hashed = `${name.slice(0, place)}${sha256(bytes)}.${name.slice(place)}`;
    files.set(`targets/${hashed}`, served[name] ?? bytes);
  }
  const rootJson = seal('root', rootVersion, plan, rootBody(plan));
  files.set(`${rootVersion}.root.json`, rootJson);
  const listed = Object.entries(targets).map(([name, bytes]) => [name, describe(bytes)] as const);
  const targetsJson = seal('targets', targetsVersion, plan, {
    targets: Object.fromEntries(listed),
    ...(delegations.length > 0 && { delegations: delegate(delegations) }),
  });
  files.set(`${targetsVersion}.targets.json`, targetsJson);
  const snapshot = { meta: { 'targets.json': { version: targetsVersion } } };
  files.set(`${snapshotVersion}.snapshot.json`, seal('snapshot', snapshotVersion, plan, snapshot));
  const timestamp = { meta: { 'snapshot.json': { version: snapshotVersion } } };
  files.set('timestamp.json', seal('timestamp', timestampVersion, plan, timestamp));
  return { rootJson, files };
}

/** Serves a repository, which the caller may put another one in place of; notes what was asked. */
export function serveTuf(url: string): {
  readonly fetch: FetchTufFile;
  readonly asked: string[];
  serve(...layers: readonly BuiltTuf[]): void;
} {
  let files = new Map<string, Uint8Array>();
  const asked: string[] = [];
  return {
    asked,
    serve: (...layers) => {
      files = new Map(layers.flatMap((layer) => [...layer.files]));
    },
    async fetch(from, maxBytes) {
      asked.push(from);
      if (!from.startsWith(`${url}/`)) throw new Error(`${from} is not below ${url}`);
      const bytes = files.get(decodeURIComponent(from.slice(url.length + 1)));
      if (bytes !== undefined && bytes.length > maxBytes) throw new Error('it is too large');
      return bytes;
    },
  };
}

function rootBody(plan: TufPlan): object {
  const names = new Map(roles.map((role) => [role, plan.keys?.[role] ?? [role]] as const));
  const keys = [...new Set([...names.values()].flat())].map((name) => [keyId(name), keyOf(name)]);
  return {
    consistent_snapshot: true,
    keys: Object.fromEntries(keys),
    roles: Object.fromEntries(
      [...names].map(([role, list]) => [
        role,
        { keyids: list.map(keyId), threshold: plan.threshold?.[role] ?? 1 },
      ]),
    ),
  };
}

function delegate(names: readonly string[]): object {
  return {
    keys: { [keyId('targets')]: keyOf('targets') },
    roles: names.map((name) => ({
      name,
      keyids: [keyId('targets')],
      threshold: 1,
      terminating: false,
      paths: ['*'],
    })),
  };
}

function seal(role: Role, version: number, plan: TufPlan, body: object): Uint8Array {
  const expires = plan.expires?.[role] ?? '2031-01-01T00:00:00Z';
  const signed = { _type: role, spec_version: '1.0.31', version, expires, ...body };
  const text = Buffer.from(canonical(signed));
  const signers = plan.signers?.[role] ?? plan.keys?.[role] ?? [role];
  const signatures = signers.map((name) => ({
    keyid: keyId(name),
    sig: sign(null, text, privateKey(name)).toString('hex'),
  }));
  return Buffer.from(JSON.stringify({ signed, signatures }));
}

/** OLPC canonical JSON, for the plain texts and whole numbers that stand here. */
function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const members = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return `{${members.map(([name, item]) => `${JSON.stringify(name)}:${canonical(item)}`).join(',')}}`;
}

function privateKey(name: string): KeyObject {
  return testKey('Ed25519', `tuf/${name}`);
}

function keyOf(name: string): object {
  const pub = spkiOf(privateKey(name)).subarray(-32).toString('hex');
  return { keytype: 'ed25519', scheme: 'ed25519', keyval: { public: pub } };
}

function keyId(name: string): string {
  return sha256(Buffer.from(canonical(keyOf(name))));
}

function describe(bytes: Uint8Array): object {
  return { length: bytes.length, hashes: { sha256: sha256(bytes) } };
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
