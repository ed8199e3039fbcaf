import { createPublicKey } from 'node:crypto';
import type { Test } from 'tap';
import { publicKeyOf } from '../../src/crypto/public-key.ts';
import { sigstoreBundle } from '../../src/formats/sigstore-bundle.ts';
import type { ExaminationContext } from '../../src/formats/signature-format.ts';
import type { Descriptor } from '../../src/oci/descriptor.ts';
import { exactly } from '../../src/policies/text-match.ts';
import type { LoadedSigstoreRoot } from '../../src/trust/sigstore/load-root.ts';
import { readTrustedRoot } from '../../src/trust/sigstore/trusted-root.ts';
import type { SigstoreIdentity } from '../../src/verdict/identity-requirement.ts';
import type { Reason } from '../../src/verdict/reason.ts';
import type { SigstoreRequirement, TrustedKey } from '../../src/verdict/sigstore-requirement.ts';
import { makeContext, makeTrust } from './notation-case.ts';
import { runSteps, type StepsRun } from './run-steps.ts';
import { type BundlePlan, image, makeBundle } from './sigstore-bundle.ts';
import { type KeyKind, testKey } from './test-keys.ts';
import { authorityEntry, logEntry, type RootPlan, trustedRootJson } from './trusted-root.ts';

/** What a bundle is held against. */
export interface SigstoreCaseOptions {
  readonly requirement?: Partial<SigstoreRequirement>;
  /** Instead of what the world's root has. */
  readonly root?: RootPlan;
  readonly loaded?: Partial<LoadedSigstoreRoot> | 'absent';
  readonly now?: string;
  readonly subject?: Partial<Descriptor>;
  readonly context?: Partial<ExaminationContext>;
}

/** Two logs of two operators, one more of the first; two authorities; one certificate log. */
export const worldRoot = {
  tlogs: [
    logEntry('rekor', { operator: 'acme' }),
    logEntry('rekor-two', { operator: 'acme' }),
    logEntry('other-log', { operator: 'other' }),
  ],
  ctlogs: [logEntry('ctfe')],
  certificateAuthorities: [authorityEntry('acme')],
  timestampAuthorities: [
    authorityEntry('clock', { operator: 'clock' }),
    authorityEntry('sundial', { operator: 'sundial' }),
  ],
} as const satisfies RootPlan;

export const certificateSigner = {
  kind: 'certificate',
  issuer: exactly('https://accounts.acme.test'),
  subject: exactly('dev@acme.test'),
  claims: new Map(),
} as const;

export function trustedKey(kind: KeyKind, overrides: Partial<TrustedKey> = {}): TrustedKey {
  const { key, fingerprint } = publicKeyOf(createPublicKey(testKey(kind, 'sigstore')));
  return { name: `${kind}.pub`, publicKey: key, keyFingerprint: fingerprint, ...overrides };
}

/** A policy that names the plan's signer, one log and one certificate log. */
export function requirementFor(
  plan: BundlePlan,
  overrides: Partial<SigstoreRequirement> = {},
): SigstoreIdentity {
  const isByKey = plan.key !== undefined;
  return {
    family: 'sigstore',
    name: 'acme',
    sigstore: {
      signer: isByKey ? { kind: 'keys', keys: [trustedKey(plan.key)] } : certificateSigner,
      minLogs: 1,
      minTimestamps: 0,
      minCertificateLogs: isByKey ? 0 : 1,
      root: 'default',
      signedAs: [],
      ...overrides,
    },
  };
}

export function contextFor(options: SigstoreCaseOptions = {}): ExaminationContext {
  const { loaded = {}, now = '2030-06-01T00:00:00Z' } = options;
  const root = readTrustedRoot(trustedRootJson({ ...worldRoot, ...options.root }));
  const trust = {
    ...makeTrust({}),
    sigstoreRoot: () =>
      loaded === 'absent'
        ? undefined
        : { root, from: 'root.json', kind: 'file' as const, ...loaded },
  };
  return { ...makeContext(trust), now: new Date(now), ...options.context };
}

/** Makes the bundle and runs every check. */
export async function runBundle(
  plan: BundlePlan = {},
  options: SigstoreCaseOptions = {},
): Promise<StepsRun> {
  const { bytes } = makeBundle(plan);
  const untrusted = { bytes, annotations: {} };
  const subject = { ...image.descriptor, ...options.subject };
  const requirement = requirementFor(plan, options.requirement);
  return runSteps(sigstoreBundle.examine(untrusted, subject, requirement, contextFor(options)));
}

/** One thing that is wrong, and the check that must see it. */
export interface SigstoreMutation extends SigstoreCaseOptions {
  readonly plan?: BundlePlan;
  readonly at: string;
  readonly because: RegExp;
  /** `signature-invalid` unless told. */
  readonly reason?: Reason;
  /** `failed` unless told. */
  readonly outcome?: 'failed' | 'inconclusive';
}

export type SigstoreMutations = Readonly<Record<string, SigstoreMutation>>;

/**
 * Each mutation fails the check that it says, by the reason that it says; every check before it
 * passed, none after it ran, and no signer is proven.
 */
export function assertSigstoreMutations(t: Test, mutations: SigstoreMutations): void {
  for (const [what, mutation] of Object.entries(mutations)) {
    const { plan, at, because, reason = 'signature-invalid', outcome = 'failed' } = mutation;
    t.test(`${what} fails ${at}`, async (t) => {
      const { stoppedBy, findings, outcomes, proven } = await runBundle(plan, mutation);
      t.equal(stoppedBy, at, JSON.stringify(findings));
      t.match(findings[at], { outcome, reason, because });
      const all = Object.entries(outcomes);
      const place = all.findIndex(([id]) => id === at);
      const before = all
        .slice(0, place)
        .filter(([, each]) => each !== 'passed' && each !== 'skipped');
      t.same(before, [], 'earlier checks passed');
      const after = all.slice(place + 1).filter(([, each]) => each !== 'not-run');
      t.same(after, [], 'later checks did not run');
      t.equal(proven.signer, undefined);
    });
  }
}
