import type { Config } from '../config/schema.ts';
import { rootsOf } from '../policies/identities.ts';
import type { LoadedTrustPolicy } from '../policies/trust-policy.ts';
import type { LoadedSigstoreRoot } from '../trust/sigstore/load-root.ts';
import type { TrustMaterial } from '../trust/trust-material.ts';
import { configuredName, rootConfigs } from './sigstore-sources.ts';

/** A Sigstore root of the configuration as it is on this machine. */
export interface SigstoreRootListed {
  readonly name: string;
  /** Identities of the policy that are held against it. */
  readonly usedBy: readonly string[];
  /** `none`: its repository was never reached. */
  readonly kind: LoadedSigstoreRoot['kind'] | 'none';
  /** A path or a URL; none where there is no root. */
  readonly from?: string;
  /** SHA-256 of the document, lower-case hex. */
  readonly digest?: string;
  /** When it was last known to be the newest. */
  readonly asOf?: Date;
  readonly expiresAt?: Date;
  readonly hasEnded: boolean;
  readonly logs: number;
  readonly certificateLogs: number;
  readonly certificateAuthorities: number;
  readonly timestampAuthorities: number;
  /** Entries with keys that are not accepted, each told. */
  readonly leftOut: readonly string[];
}

export function listSigstoreRoots(
  config: Pick<Config, 'trust'>,
  policy: Pick<LoadedTrustPolicy, 'identities'>,
  trust: TrustMaterial,
  at: Date,
): readonly SigstoreRootListed[] {
  return [...rootConfigs(config).keys()].map((name) => {
    const usedBy = [...policy.identities]
      .filter(([, entry]) => rootsOf(entry).some((root) => configuredName(config, root) === name))
      .map(([user]) => user);
    return { name, usedBy, ...describe(trust.sigstoreRoot(name), at) };
  });
}

const nothing = {
  kind: 'none',
  hasEnded: false,
  logs: 0,
  certificateLogs: 0,
  certificateAuthorities: 0,
  timestampAuthorities: 0,
  leftOut: [],
} as const;

function describe(
  loaded: LoadedSigstoreRoot | undefined,
  at: Date,
): Omit<SigstoreRootListed, 'name' | 'usedBy'> {
  if (loaded === undefined) return nothing;
  const { root, kind, from, asOf, expiresAt } = loaded;
  return {
    kind,
    from,
    digest: root.digest,
    ...(asOf !== undefined && { asOf }),
    ...(expiresAt !== undefined && { expiresAt }),
    hasEnded: expiresAt !== undefined && expiresAt < at,
    logs: root.logs.length,
    certificateLogs: root.certificateLogs.length,
    certificateAuthorities: root.certificateAuthorities.length,
    timestampAuthorities: root.timestampAuthorities.length,
    leftOut: root.leftOut,
  };
}

/** What keeps a root that somebody uses from counting, in a sentence. */
export function describeUnusableRoot({
  name,
  usedBy,
  kind,
  expiresAt,
  hasEnded,
}: SigstoreRootListed): readonly string[] {
  if (usedBy.length === 0) return [];
  if (kind === 'none') {
    return [`the Sigstore root ${name} was never fetched: run assay trust refresh`];
  }
  if (!hasEnded) return [];
  return [
    `the Sigstore root ${name} ended at ${expiresAt?.toISOString()}: run assay trust refresh`,
  ];
}
