import { join } from 'node:path';
import type { Signer } from '../signers/signer.ts';
import { AirgapError } from './airgap-error.ts';
import { type KeyRing, type OpenKey, openRole, ringFile } from './keys.ts';
import { writeDurable } from './metadata-files.ts';
import { toTufKey } from './metadata-keys.ts';
import { formerKeys, type RoleMetadata } from './metadata-model.ts';
import type { RolePlan } from './metadata-signing.ts';
import type { BundleRole } from './metadata-state.ts';

/** What a ceremony is done with. */
export interface CeremonyTools {
  readonly openKey: OpenKey;
  /** Makes a private key in a new file. */
  readonly makeKey: (file: string) => Promise<void>;
  readonly signal: AbortSignal;
}

/** URIs of keys that are there, by role; undefined: they are to be made. */
export type NamedKeys = Readonly<Partial<Record<BundleRole, readonly string[] | undefined>>>;

/** A key of a role: somebody else has the private half where only a public key is named. */
export interface RingKey {
  readonly signer: Signer;
  readonly canSign: boolean;
}

export type OpenedRing = Readonly<Record<BundleRole, readonly RingKey[]>>;

/**
 * The keys that are named, and new ones for the roles that none are named for. None is made where
 * there would be too few for a threshold. Throws `AirgapError`.
 */
export async function completeRing(
  folder: string,
  version: number,
  named: NamedKeys,
  thresholds: Readonly<Record<BundleRole, number>>,
  { makeKey }: CeremonyTools,
): Promise<KeyRing> {
  mapRoles((role) => assertReachable(role, named[role]?.length ?? 1, thresholds[role]));
  const complete = async (role: BundleRole): Promise<readonly string[]> => {
    const uris = named[role];
    if (uris !== undefined) return uris;
    const name = `${role}-${version}.pem`;
    await makeKey(join(folder, name)).catch((cause: unknown) => {
      throw new AirgapError('KEYS_UNUSABLE', `no key was made for ${role}: ${String(cause)}`, {
        cause,
      });
    });
    return [`file:${name}`];
  };
  return {
    root: await complete('root'),
    targets: await complete('targets'),
    snapshot: await complete('snapshot'),
    timestamp: await complete('timestamp'),
  };
}

export async function writeRing(folder: string, version: number, ring: KeyRing): Promise<void> {
  const text = `${JSON.stringify(ring, null, 1)}\n`;
  await writeDurable(ringFile(folder, version), Buffer.from(text));
}

export async function openRing(ring: KeyRing, tools: CeremonyTools): Promise<OpenedRing> {
  return {
    root: await openKeysOf(ring.root, tools),
    targets: await openKeysOf(ring.targets, tools),
    snapshot: await openKeysOf(ring.snapshot, tools),
    timestamp: await openKeysOf(ring.timestamp, tools),
  };
}

/** A URI of `public:` names a key that signs elsewhere. */
export async function openKeysOf(
  uris: readonly string[],
  { openKey }: CeremonyTools,
): Promise<readonly RingKey[]> {
  const signers = await openRole(uris, openKey);
  return signers.map((signer, index) => {
    return { signer, canSign: uris[index]?.startsWith('public:') !== true };
  });
}

/** Those that can sign here, each key once. */
export function signersIn(keys: readonly RingKey[]): readonly Signer[] {
  const able = keys.filter(({ canSign }) => canSign).map(({ signer }) => signer);
  return able.filter(
    ({ publicKey }, index) => able.findIndex((other) => other.publicKey === publicKey) === index,
  );
}

/** Throws `AirgapError` for a threshold that the keys can't reach. */
export function rolePlan(keys: readonly RingKey[], threshold: number, role: BundleRole): RolePlan {
  const written = keys.map(({ signer }) => toTufKey(signer));
  return reachable({ keys: written, threshold }, role);
}

/** The keys that the role has by that root. */
export function formerPlan(
  root: RoleMetadata<'root'>,
  role: BundleRole,
  threshold: number,
): RolePlan {
  return reachable({ keys: formerKeys(root, role), threshold }, role);
}

function reachable(plan: RolePlan, role: BundleRole): RolePlan {
  const { size } = new Set(plan.keys.map(({ id }) => id));
  if (size < plan.keys.length) {
    throw new AirgapError('KEYS_UNUSABLE', `a key of ${role} is named twice`);
  }
  assertReachable(role, size, plan.threshold);
  return plan;
}

function assertReachable(role: BundleRole, keys: number, threshold: number): void {
  if (threshold >= 1 && threshold <= keys) return;
  const told = `a threshold of ${threshold} for ${role} needs as many keys, and it has ${keys}`;
  throw new AirgapError('KEYS_UNUSABLE', told);
}

/** The same for each role. */
export function mapRoles<T>(of: (role: BundleRole) => T): Readonly<Record<BundleRole, T>> {
  return {
    root: of('root'),
    targets: of('targets'),
    snapshot: of('snapshot'),
    timestamp: of('timestamp'),
  };
}
