import { createPublicKey, sign } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { toTufKey } from '../../src/airgap/metadata-keys.ts';
import { makeRoot, type RolePlan, signMetadata } from '../../src/airgap/metadata-signing.ts';
import { type BundleRole, bundleRoles } from '../../src/airgap/metadata-state.ts';
import {
  type BundleKeys,
  type NewTarget,
  writeMetadata,
} from '../../src/airgap/metadata-writer.ts';
import type { NonEmpty } from '../../src/kernel/non-empty.ts';
import type { Signer } from '../../src/signers/signer.ts';
import { stream } from './airgap-kit.ts';
import { type FakeClock, makeFakeClock } from './fake-clock.ts';
import { testKey } from './test-keys.ts';

const { signal } = new AbortController();

/** A key that comes again with its name. */
export function signerOf(name: string): Signer {
  const isCurve = name.startsWith('ecdsa');
  const key = testKey(isCurve ? 'EC-256' : 'Ed25519', `airgap/${name}`);
  return {
    publicKey: createPublicKey(key).export({ format: 'pem', type: 'spki' }).toString(),
    scheme: isCurve ? 'ecdsa-sha2-nistp256' : 'ed25519',
    sign: async (message) => sign(isCurve ? 'sha256' : null, message, key),
  };
}

/** One root of a chain; each member replaces the default. */
export interface RootWish {
  readonly version?: number;
  readonly stream?: string;
  readonly expires?: string;
  /** Names of the keys of a role; its own name unless told. */
  readonly keys?: Partial<Record<BundleRole, readonly string[]>>;
  readonly threshold?: Partial<Record<BundleRole, number>>;
  /** Names of who signs it; the root keys of the one before and its own, unless told. */
  readonly signers?: readonly string[];
}

export async function rootsOf(...wishes: NonEmpty<RootWish>): Promise<NonEmpty<Buffer>> {
  const roots = await Promise.all(
    wishes.map(async (wish, index) => {
      const namesOf = (of: RootWish | undefined, role: BundleRole) => of?.keys?.[role] ?? [role];
      const plan = (role: BundleRole): RolePlan => ({
        keys: namesOf(wish, role).map((name) => toTufKey(signerOf(name))),
        threshold: wish.threshold?.[role] ?? 1,
      });
      const roles = Object.fromEntries(bundleRoles.map((role) => [role, plan(role)]));
      const root = makeRoot({
        stream: wish.stream ?? stream,
        version: wish.version ?? index + 1,
        expires: new Date(wish.expires ?? '2031-01-01T00:00:00Z'),
        roles: roles as Record<BundleRole, RolePlan>,
      });
      const before = index === 0 ? [] : namesOf(wishes[index - 1], 'root');
      const names = wish.signers ?? [...before, ...namesOf(wish, 'root')];
      return signMetadata(root, [...new Set(names)].map(signerOf), signal);
    }),
  );
  return roots as unknown as NonEmpty<Buffer>;
}

export interface BundleWish {
  readonly folder: string;
  readonly roots: NonEmpty<Uint8Array>;
  readonly sequence?: number;
  /** Names of who signs a role; its own name unless told. */
  readonly signers?: Partial<Record<Exclude<BundleRole, 'root'>, readonly string[]>>;
  readonly expires?: Partial<Record<Exclude<BundleRole, 'root'>, string>>;
  readonly targets?: readonly NewTarget[];
  readonly clock?: FakeClock;
}

export const someTargets: readonly NewTarget[] = [
  { path: 'bundle.json', bytes: Buffer.from('{}') },
  { path: 'trust/x509/ca/acme/root.pem', bytes: Buffer.from('pem') },
];

/** A bundle's metadata and targets, as the writer makes them. */
export async function writeBundle(wish: BundleWish) {
  const { folder, roots, sequence = 1, targets = someTargets, clock = makeFakeClock() } = wish;
  const signersOf = (role: Exclude<BundleRole, 'root'>) =>
    (wish.signers?.[role] ?? [role]).map(signerOf);
  const ends = (role: Exclude<BundleRole, 'root'>) =>
    new Date(wish.expires?.[role] ?? '2030-06-01T00:00:00Z');
  const keys: BundleKeys = {
    roots,
    signers: {
      targets: signersOf('targets'),
      snapshot: signersOf('snapshot'),
      timestamp: signersOf('timestamp'),
    },
  };
  mkdirSync(folder, { recursive: true });
  return writeMetadata({
    folder,
    keys,
    sequence,
    targets,
    expires: {
      targets: ends('targets'),
      snapshot: ends('snapshot'),
      timestamp: ends('timestamp'),
    },
    clock,
    signal,
  });
}

/** Puts a file of a bundle's metadata in place of another one, signed or not. */
export function putMetadata(folder: string, name: string, bytes: Uint8Array | string): void {
  mkdirSync(join(folder, 'metadata'), { recursive: true });
  writeFileSync(join(folder, 'metadata', name), bytes);
}
