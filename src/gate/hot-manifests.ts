import type { Clock } from '../kernel/clock.ts';
import type { Digest } from '../oci/digest.ts';
import type { Verifier } from '../verifier/verifier.ts';
import { makeRecent } from './recent.ts';
import type { TrustedManifest } from './trusted-content.ts';
import { isDueForRenewal, lasts, weightOf } from './verdict-cache.ts';

/** Manifests that were admitted a moment ago, ready to be sent again while the verdict lasts. */
export interface HotManifests {
  get(scope: string, digest: Digest): TrustedManifest | undefined;
  /** `generation` is the verifier's from before the decision: a reload meanwhile ends the entry. */
  set(scope: string, manifest: TrustedManifest, generation: number): void;
}

interface Hot {
  readonly manifest: TrustedManifest;
  readonly generation: number;
}

/**
 * An entry ends with its verdict, with any change of policy or trust material, and early enough
 * for the verdict to be renewed by the slow path.
 */
export function makeHotManifests(
  maxBytes: number,
  { verifier, clock }: { readonly verifier: Verifier; readonly clock: Clock },
): HotManifests {
  const entries = makeRecent(maxBytes, bytesOf);
  return {
    get(scope, digest) {
      const name = `${scope}@${digest}`;
      const hot = entries.get(name);
      if (hot === undefined) return undefined;
      const { verdict } = hot.manifest.admission;
      const isGood =
        hot.generation === verifier.generation() &&
        verdict !== undefined &&
        lasts(verdict, clock) &&
        !isDueForRenewal(verdict, clock);
      if (isGood) return hot.manifest;
      entries.delete(name);
      return undefined;
    },
    set(scope, manifest, generation) {
      const admission = { ...manifest.admission, cache: 'memory' as const };
      entries.set(`${scope}@${manifest.descriptor.digest}`, {
        manifest: { ...manifest, admission },
        generation,
      });
    },
  };
}

/** What an entry takes besides the bytes: itself, and a report of its verdict, which others may share. */
const overheadBytes = 2048;

function bytesOf({ manifest: { bytes, admission } }: Hot): number {
  const { verdict } = admission;
  return bytes.byteLength + overheadBytes * (verdict === undefined ? 1 : weightOf(verdict));
}
