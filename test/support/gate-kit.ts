import { type KeptDenyList, makeDenyList } from '../../src/gate/deny-list.ts';
import type { LookAgain } from '../../src/gate/look-again.ts';
import { makeGate, type MadeGate } from '../../src/gate/gate.ts';
import { makeSealedState } from '../../src/gate/sealed.ts';
import type { Digest } from '../../src/oci/digest.ts';
import { parseReference, type Reference } from '../../src/oci/reference.ts';
import type { Repository, RepositoryPath } from '../../src/oci/repository.ts';
import { decide } from '../../src/policies/decide.ts';
import { loadTrustPolicy } from '../../src/policies/trust-policy.ts';
import type { KeyValue } from '../../src/storage/key-value.ts';
import { matching } from '../../src/storage/matching.ts';
import { makeMemoryKeyValue } from '../../src/storage/memory-key-value.ts';
import type { Reason } from '../../src/verdict/reason.ts';
import type { TrustMaterial } from '../../src/trust/trust-material.ts';
import { noPlugins } from '../../src/plugins/plugins.ts';
import { unaskedRevocation } from './unasked-revocation.ts';
import { makeVerifier } from '../../src/verifier/verification.ts';
import type {
  VerificationBasis,
  VerificationLimits,
  Verifier,
} from '../../src/verifier/verifier.ts';
import { verificationLimits } from '../../src/compose/limits.ts';
import { type FakeClock, makeFakeClock } from './fake-clock.ts';
import { makeMemorySource, type MemorySource } from './memory-source.ts';
import { meetsNothing } from './meets-nothing.ts';
import { readHere } from './read-here.ts';
import { type CountingMetrics, type KeptLog, makeCountingMetrics, makeKeptLog } from './silence.ts';
import { toyFormat } from './toy-format.ts';

export interface GateKit {
  readonly gate: MadeGate;
  readonly verifier: Verifier;
  readonly source: MemorySource;
  readonly clock: FakeClock;
  readonly store: KeyValue;
  readonly metrics: CountingMetrics;
  readonly log: KeptLog;
  readonly denyList: KeptDenyList;
  /** Puts another policy in force. */
  setPolicy(rules: string): Promise<void>;
  /** Another set of anchors under the trust store's name. */
  setTrust(digest: string): void;
  /** A gate that remembers nothing but what the state holds, as after a restart. */
  restarted(): Promise<GateKit>;
}

export const app: Repository = { upstream: 'reg', path: 'app' as RepositoryPath };

export function never(): AbortSignal {
  return new AbortController().signal;
}

export function by(text: string | Digest): Reference {
  const reference = parseReference(text);
  if (reference === undefined) throw new TypeError(`no reference: ${text}`);
  return reference;
}

/** What `t.rejects` holds a denial against. */
export function deniedFor(reason: Reason): Error {
  return { code: 'DENIED', reason } as unknown as Error;
}

const identities = ['alice', 'bob', 'carol']
  .map((name) => `  ${name}: { notation: { trustStores: ["ca:x"], trustedIdentities: ["*"] } }`)
  .join('\n');

export const aliceSigns = `
  - repositories: ["reg/**"]
    require: { signedBy: alice }`;

export async function loadRules(rules: string): ReturnType<typeof loadTrustPolicy> {
  const text = `version: 1\nidentities:\n${identities}\nrules:${rules}\n`;
  return loadTrustPolicy(text, 'trust-policy.yaml', async () => '');
}

/** The real gate, verifier and policy engine over a source in memory and a toy format. */
export async function makeGateKit(
  rules = aliceSigns,
  given: Partial<Pick<GateKit, 'source' | 'clock' | 'store' | 'denyList'>> & {
    readonly lookAgain?: LookAgain;
    readonly heldBack?: () => string | undefined;
    readonly fence?: () => string | undefined;
    readonly trust?: string;
    readonly trustedMs?: number;
    readonly flightDeadlineMs?: number;
    readonly limits?: Partial<VerificationLimits>;
  } = {},
): Promise<GateKit> {
  const source = given.source ?? makeMemorySource();
  const clock = given.clock ?? makeFakeClock();
  const store = given.store ?? makeMemoryKeyValue();
  const metrics = makeCountingMetrics();
  const log = makeKeptLog();
  let currentRules = rules;
  let basis: VerificationBasis = {
    policy: await loadRules(rules),
    trust: toyTrust(given.trust ?? 'one'),
    generation: 1,
  };
  const denyList = given.denyList ?? makeDenyList(clock);
  const verifier = makeVerifier({
    denied: denyList,
    basis: () => basis,
    source: (upstream) => (upstream === 'reg' ? source : undefined),
    signatureRepository: () => undefined,
    aliases: () => [],
    formats: [toyFormat],
    sources: { revocation: unaskedRevocation, plugins: noPlugins, readApart: readHere },
    decide,
    judge: meetsNothing,
    clock,
    lifetimes: { trustedMs: given.trustedMs ?? 24 * 3_600_000, untrustedMs: 10_000 },
    limits: {
      ...verificationLimits,
      maxCandidates: 64,
      maxPlatforms: 64,
      permissiveMs: 600_000,
      ...given.limits,
    },
    metrics,
    log,
  });
  const gate = makeGate({
    denyList,
    ...(given.lookAgain && { lookAgain: given.lookAgain }),
    ...(given.heldBack && { heldBack: given.heldBack }),
    source: (upstream) => (upstream === 'reg' ? source : undefined),
    verifier,
    state: makeSealedState(store, [Buffer.alloc(32, 7)], { metrics, log, fence: given.fence }),
    matching,
    clock,
    lifetimes: { tagMs: 60_000, staleTagMs: 3_600_000, absentMs: 10_000 },
    limits: {
      maxFlights: 100,
      flightDeadlineMs: given.flightDeadlineMs ?? 30_000,
      maxVerdictsInMemory: 1000,
      maxHotBytes: 10_000_000,
    },
    metrics,
    log,
  });
  const kit: GateKit = {
    gate,
    verifier,
    source,
    clock,
    store,
    metrics,
    log,
    denyList,
    async setPolicy(next) {
      currentRules = next;
      basis = { ...basis, policy: await loadRules(next), generation: basis.generation + 1 };
    },
    setTrust(digest) {
      basis = { ...basis, trust: toyTrust(digest), generation: basis.generation + 1 };
    },
    restarted: () => makeGateKit(currentRules, { source, clock, store, denyList }),
  };
  return kit;
}

function toyTrust(digest: string): TrustMaterial {
  return {
    notationStore: () => [],
    notationStoreDigest: () => digest,
    sigstoreRoot: () => undefined,
    sigstoreRootDigest: () => digest,
  };
}
