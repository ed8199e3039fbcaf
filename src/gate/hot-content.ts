import type { Clock } from '../kernel/clock.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import type { Digest } from '../oci/digest.ts';
import type { Verifier } from '../verifier/verifier.ts';
import { makeRecent } from './recent.ts';
import type { Admission } from './trusted-content.ts';
import { restOf, weightOf } from './verdict-cache.ts';

/** What was admitted a moment ago, ready to be sent again while the verdict lasts. */
export interface HotContent<T> {
  get(scope: string, digest: Digest): T | undefined;
  /** `generation` is the verifier's from before the decision: a reload meanwhile ends the entry. */
  set(scope: string, content: T, generation: number): void;
}

interface Admitted {
  readonly descriptor: Descriptor;
  readonly admission: Admission;
  readonly bytes?: Uint8Array;
}

interface Hot<T> {
  readonly content: T;
  readonly generation: number;
  /** Of the verdict: looked up at every request, where dates cost as much as all else here. */
  readonly fromMs: number;
  readonly untilMs: number;
}

/**
 * An entry ends with its verdict, with any change of policy or trust material, and early enough
 * for the verdict to be renewed by the slow path.
 */
export function makeHotContent<T extends Admitted>(
  maxBytes: number,
  { verifier, clock }: { readonly verifier: Verifier; readonly clock: Clock },
): HotContent<T> {
  const entries = makeRecent<Hot<T>>(maxBytes, ({ content }) => bytesOf(content));
  return {
    get(scope, digest) {
      const name = `${scope}@${digest}`;
      const hot = entries.get(name);
      if (hot === undefined) return undefined;
      const nowMs = clock.now().getTime();
      const isInTime = nowMs >= hot.fromMs && nowMs < hot.untilMs;
      if (isInTime && hot.generation === verifier.generation()) return hot.content;
      entries.delete(name);
      return undefined;
    },
    set(scope, content, generation) {
      const { verdict } = content.admission;
      if (verdict === undefined) return;
      const admission = { ...content.admission, cache: 'memory' as const };
      const name = `${scope}@${content.descriptor.digest}`;
      entries.set(name, { content: { ...content, admission }, generation, ...restOf(verdict) });
    },
  };
}

/** What an entry takes besides the bytes: itself, and a report of its verdict, which others may share. */
const overheadBytes = 2048;

function bytesOf({ bytes, admission: { verdict } }: Admitted): number {
  const overhead = overheadBytes * (verdict === undefined ? 1 : weightOf(verdict));
  return (bytes?.byteLength ?? 0) + overhead;
}
