import { quoted } from '../kernel/quoted.ts';
import type { Digest } from '../oci/digest.ts';
import { AirgapError } from './airgap-error.ts';
import type { BundleDocument } from './bundle.ts';
import type { StoreState } from './store-state.ts';

type Place = Pick<BundleDocument, 'stream' | 'sequence' | 'kind' | 'base' | 'previous'>;

interface PlacedBundle {
  readonly document: Place;
  /** Of its own metadata, which are at least as new as those known. */
  readonly snapshot: Digest;
  /** Versions seen before do not count: somebody may have made them up. */
  readonly recovered: boolean;
}
type Known = Pick<StoreState, 'stream' | 'sequence' | 'snapshot' | 'contentSequence'>;

/** Whether a bundle may follow what is here. Throws `AirgapError`: STREAM_MISMATCH, FORK, GAP. */
export function checkOrder(
  { document: bundle, snapshot, recovered }: PlacedBundle,
  known: Known | undefined,
): 'new' | 'same' {
  if (known === undefined) {
    checkBase(bundle, 0);
    return 'new';
  }
  if (bundle.stream !== known.stream) {
    throw new AirgapError(
      'STREAM_MISMATCH',
      `the bundle is of stream ${quoted(bundle.stream)}, and the store has ${quoted(known.stream)}`,
    );
  }
  if (snapshot === known.snapshot) return 'same';
  if (!recovered) checkFork(bundle, snapshot, known);
  checkBase(bundle, known.contentSequence);
  return 'new';
}

/** Two clocks may differ so much. Milliseconds. */
const maxAheadMs = 86_400_000;

/**
 * What is imported carries the time here along, and that never goes back: a bundle of a clock that
 * is years ahead would have everything expire for good. Throws `AirgapError` (CLOCK_BEHIND).
 */
export function checkTime({ created }: Pick<BundleDocument, 'created'>, now: Date): void {
  if (created.getTime() - now.getTime() <= maxAheadMs) return;
  throw new AirgapError(
    'CLOCK_BEHIND',
    `the bundle was made at ${created.toISOString()}, and here it is ${now.toISOString()}: set` +
      ' the clock that is wrong',
  );
}

/** A revocation bundle brings no content, so that it needs none. */
function checkBase({ kind, base, sequence }: Place, held: number): void {
  if (kind === 'revocation' || base === undefined || base <= held) return;
  const here = held === 0 ? 'nothing was imported here' : `the newest here is bundle ${held}`;
  const range = base === held + 1 ? `bundle ${base}` : `bundles ${held + 1} to ${base}`;
  const other = held === 0 ? 'a full bundle' : `one made with --since ${held}`;
  throw new AirgapError(
    'GAP',
    `bundle ${sequence} builds upon bundle ${base}, and ${here}: import ${range} first, or ${other}`,
  );
}

function checkFork({ sequence, previous }: Place, snapshot: Digest, known: Known): void {
  if (sequence === known.sequence) throw fork(sequence, known.snapshot, snapshot);
  if (previous?.sequence === known.sequence && previous.snapshot !== known.snapshot) {
    throw fork(previous.sequence, known.snapshot, previous.snapshot);
  }
}

function fork(sequence: number, known: Digest, other: Digest): AirgapError {
  return new AirgapError(
    'FORK',
    `there are two bundles ${sequence} of the stream: the one that is known here has the snapshot` +
      ` ${known}, the other ${other}; find out who makes bundles with these keys`,
  );
}
