import type { GateLimits } from '../gate/gate.ts';
import type { VerificationLimits } from '../verifier/verifier.ts';

/** Bounds of one verification. */
export const verificationLimits: VerificationLimits = {
  maxCandidates: 64,
  concurrency: 4,
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

/** How often policy and trust files are looked at for changes. */
export const reloadIntervalMs = 5_000;
