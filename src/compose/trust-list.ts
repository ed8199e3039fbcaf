import { join } from 'node:path';
import type { Config } from '../config/schema.ts';
import type { Certificate } from '../crypto/x509.ts';
import type { Clock } from '../kernel/clock.ts';
import type { LoadedTrustPolicy } from '../policies/trust-policy.ts';
import { trustStoresOf } from '../policies/identities.ts';
import type { LoadedTrustMaterial } from '../trust/trust-material.ts';
import type { NotationTrustStoreName } from '../verdict/identity-requirement.ts';
import { type AnchorState, anchorState, daysLeft, distinct } from './anchors.ts';
import { describeMissing, readTrustStore } from './load-basis.ts';
import { listPlugins, type PluginListed } from './plugin-list.ts';
import { readPolicyFile } from './policy-file.ts';
import { storesOf } from './policy-stores.ts';
import {
  describeUnusableRoot,
  listSigstoreRoots,
  type SigstoreRootListed,
} from './sigstore-list.ts';
import { describeRootProblems, withSigstoreRoots } from './sigstore-roots.ts';

/** The trust material of a configuration as it is now. Each kind of it is a member. */
export interface TrustList {
  readonly policy: { readonly file: string; readonly digest: string };
  readonly stores: readonly StoreListed[];
  readonly sigstoreRoots: readonly SigstoreRootListed[];
  readonly plugins: readonly PluginListed[];
  /** What keeps signatures from counting that the policy relies upon, each in a sentence. */
  readonly problems: readonly string[];
}

export interface StoreListed {
  readonly store: NotationTrustStoreName;
  readonly folder: string;
  /** Identities of the policy that name it; nobody: whatever it holds counts for nothing. */
  readonly usedBy: readonly string[];
  /** None where the policy names a store that is missing or empty. The one that ends first is first. */
  readonly anchors: readonly AnchorListed[];
}

export interface AnchorListed {
  readonly subject: string;
  readonly issuer: string;
  /** SHA-256 of the DER, lower-case hex. */
  readonly fingerprint: string;
  readonly notBefore: Date;
  readonly notAfter: Date;
  readonly state: AnchorState;
  /** Whole days; below 0 since it has ended. */
  readonly daysLeft: number;
}

/** Nothing is loaded again: nobody need know which files were read. */
const unwatched = async (): Promise<void> => undefined;

/** Loads everything as `serve` would, and asks each plugin what it is. Throws `StartupError`. */
export async function listTrust(
  config: Config,
  clock: Clock,
  signal: AbortSignal,
): Promise<TrustList> {
  const policy = await readPolicyFile(config.trustPolicy, unwatched, config);
  const anchors = await readTrustStore(config.trust.store);
  const trust = await withSigstoreRoots(anchors, config, unwatched);
  const sigstoreRoots = listSigstoreRoots(config, policy, trust, clock.now());
  const stores = listStores(config.trust.store, policy, trust, clock.now());
  const plugins = await listPlugins(config, clock, signal);
  const relied = storesOf(policy);
  return {
    policy: { file: config.trustPolicy, digest: policy.digest },
    stores,
    sigstoreRoots,
    plugins,
    problems: [
      ...describeMissing(config.trust.store, policy, trust),
      ...stores.filter(({ store }) => relied.has(store)).flatMap(describeEnded),
      ...describeRootProblems(config, policy),
      ...sigstoreRoots.flatMap(describeUnusableRoot),
      ...plugins.flatMap(describeUnusable),
    ],
  };
}

function listStores(
  folder: string,
  policy: LoadedTrustPolicy,
  trust: LoadedTrustMaterial,
  at: Date,
): readonly StoreListed[] {
  const users = usersOf(policy);
  const names = new Set([...users.keys(), ...trust.notationStores.keys()]);
  return [...names].toSorted().map((store) => ({
    store,
    folder: join(folder, 'x509', ...store.split(':')),
    usedBy: users.get(store) ?? [],
    anchors: distinct(trust.notationStore(store) ?? [])
      .map((anchor) => toListed(anchor, at))
      .toSorted((a, b) => a.notAfter.getTime() - b.notAfter.getTime()),
  }));
}

function usersOf({ identities }: LoadedTrustPolicy): Map<NotationTrustStoreName, string[]> {
  const users = new Map<NotationTrustStoreName, string[]>();
  for (const [name, identity] of identities) {
    for (const store of new Set(trustStoresOf(identity))) {
      users.set(store, [...(users.get(store) ?? []), name]);
    }
  }
  return users;
}

function toListed(anchor: Certificate, at: Date): AnchorListed {
  const { subject, issuer, fingerprint, notBefore, notAfter } = anchor;
  return {
    subject: subject.text,
    issuer: issuer.text,
    fingerprint,
    notBefore,
    notAfter,
    state: anchorState(anchor, at),
    daysLeft: daysLeft(anchor, at),
  };
}

function describeEnded({ store, anchors }: StoreListed): readonly string[] {
  if (anchors.length === 0 || anchors.some(({ state }) => state === 'valid')) return [];
  return [`no anchor of trust store ${store} is valid now`];
}

function describeUnusable({ name, because }: PluginListed): readonly string[] {
  return because === undefined ? [] : [`the plugin ${name} can not be used: ${because}`];
}
