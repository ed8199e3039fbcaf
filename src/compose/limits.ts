import type { FleetLimits } from '../gate/fleet-flight.ts';
import type { GateLimits } from '../gate/gate.ts';
import type { RestartLimits } from './restart-policy.ts';
import type { HangLimits, StrayLimits } from './worker-slot.ts';
import type { VerificationLimits } from '../verifier/verifier.ts';

/**
 * Bounds of one verification: it ends before the flight that it is part of, and goes on at the next
 * request where it stopped. A thousand signatures of strangers are within them.
 */
export const verificationLimits: VerificationLimits = {
  maxCandidates: 1_200,
  maxBytes: 128 * 1024 * 1024,
  maxMs: 15_000,
  concurrency: 8,
  placeMs: 8_000,
  readMs: 8_000,
  maxBytesAtOnce: 192 * 1024 * 1024,
  maxEnvelopes: 256,
  maxReports: 100,
  maxRemembered: 20_000,
  maxRememberedMs: 10 * 60_000,
  maxPlatforms: 32,
  permissiveMs: 15 * 60_000,
};

/** Bounds of the gate. A flight ends before the 20 s within which every answer begins. */
export const gateLimits: GateLimits = {
  maxFlights: 2_000,
  flightDeadlineMs: 18_000,
  maxVerdictsInMemory: 20_000,
  maxHotBytes: 32 * 1024 * 1024,
};

/** The longest that a request waits for its client's others that ask upstreams. */
export const missWaitMs = 10_000;

/**
 * How replicas wait for each other's verifications: a replica that died holds up the others for
 * `waitMs` each, which leaves them time to verify by themselves.
 */
export const fleetLimits: FleetLimits = { leaseMs: 15_000, waitMs: 3_000, lookEveryMs: 250 };

/**
 * The same for blobs that another replica fetches, which goes on for longer: a client waits for the
 * first byte of its answer's body, and nobody in between cuts what stalls for less than a minute.
 */
export const blobFleetLimits: FleetLimits = { leaseMs: 10_000, waitMs: 40_000, lookEveryMs: 500 };

/** And for manifests. */
export const manifestFleetLimits: FleetLimits = {
  leaseMs: 10_000,
  waitMs: 5_000,
  lookEveryMs: 250,
};

/** After the start and then so often, what died left in S3 is removed. */
export const sharedSweep = { delayMs: 60_000, everyMs: 6 * 3_600_000 } as const;

/** How soon it is seen that Redis was emptied, and for how long replicas put back what they have. */
export const redisLifeLimits = { pollMs: 1_000, settleMs: 30_000 } as const;

/** How often it is asked what Redis does when its memory is full. */
export const redisMemoryMs = 60_000;

/**
 * How replicas know of each other. A clock that is off by more than `fenceMs` fits the slack that
 * verdicts are given no more; a policy that is behind for `policyGraceMs` was not on its way.
 */
export const replicaLimits = {
  beatMs: 3_000,
  lifeMs: 15_000,
  toldMs: 5_000,
  fenceMs: 60_000,
  policyGraceMs: 60_000,
} as const;

/** How soon a server tells others elsewhere that its folder is taken, and when it counts as gone. */
export const folderHoldLimits = { touchMs: 3_000, silentMs: 10_000, lookEveryMs: 500 } as const;

/** The longest that a start waits for Redis. */
export const redisConnectMs = 2_000;

/**
 * How workers that crash are restarted. More of them crash more often, by what is no fault of any.
 */
export function restartLimitsOf(workers: number): RestartLimits & { readonly killAfterMs: number } {
  return {
    maxCrashes: Math.max(8, 2 * workers),
    withinMs: 60_000,
    firstDelayMs: 100,
    maxDelayMs: 5_000,
    maxStartDelayMs: 30_000,
    killAfterMs: 5_000,
  };
}

/** How often workers are asked for a word; one that gives none for 30 s hangs. */
export const workerLookMs = 5_000;
export const hangLimits: HangLimits = { maxSilentRounds: 6, maxSilentRoundsAtStart: 24 };
/** A change of policy or trust has reached all of them by then. */
export const strayLimits: StrayLimits = { maxStrayRounds: 4, strayAgainRounds: 24 };

/** What the storage may take, shared out; `undefined` where the disk alone bounds it. */
export function storageShares(maxBytes: number | undefined): {
  readonly manifestBytes: number;
  readonly blobBytes: number | undefined;
} {
  const manifestBytes = Math.min(512 * 1024 * 1024, Math.floor((maxBytes ?? Infinity) / 10));
  return {
    manifestBytes,
    blobBytes: maxBytes === undefined ? undefined : maxBytes - manifestBytes,
  };
}

/** How often the usage of the store is looked at, and content let go if need be. */
export const evictionIntervalMs = 15_000;

/** From the beginning of one scrub of everything to that of the next. */
export const scrubEveryMs = 7 * 86_400_000;

/** How often it is looked at how long trust anchors last. */
export const anchorIntervalMs = 3_600_000;

/** How often revocation data in use is looked at for what grows old. */
export const revocationIntervalMs = 60_000;

/** How often policy and trust files are looked at for changes. */
export const reloadIntervalMs = 5_000;

/** How often the shared deny list is looked at: what is denied is denied everywhere within 5 s. */
export const denyIntervalMs = 1_000;

/** Every so many looks it is compared whole, and with the copy on this machine. */
export const denyLooksPerComparison = 15;

/** Of one file with certificates or a key. */
export const maxPemBytes = 1024 * 1024;
