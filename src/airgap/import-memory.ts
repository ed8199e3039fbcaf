import type { BundleDocument } from './bundle.ts';
import type { VerifiedBundle } from './import-bundle.ts';
import type { StoreState, StoreStates } from './store-state.ts';

/**
 * Keys that a root took back are gone from then on, whatever becomes of the bundle that it came
 * with (TUF specification, section 5.3.8): a disc that is missing must not keep a thief's in force.
 * Before the first import the pinned root is all that counts.
 */
export async function rememberRoot(
  states: StoreStates,
  state: StoreState | undefined,
  { metadata: { root }, recovered }: Pick<VerifiedBundle, 'metadata' | 'recovered'>,
): Promise<StoreState | undefined> {
  if (state === undefined || Buffer.compare(state.metadata.root, root) === 0) return state;
  const seen = recovered ? undefined : state.metadata.seen;
  const next = { ...state, count: state.count + 1, metadata: { root, seen } };
  await states.write(next);
  return next;
}

/** Whether numbers seen before do not count: by this bundle's roots, or by those of one before. */
export function isRecovered(
  { recovered }: Pick<VerifiedBundle, 'recovered'>,
  state: StoreState | undefined,
): boolean {
  return recovered || (state !== undefined && state.metadata.seen === undefined);
}

/** What is known once a bundle is trusted. */
interface Trusted {
  readonly states: StoreStates;
  readonly state: StoreState | undefined;
  readonly bundle: Pick<VerifiedBundle, 'metadata' | 'snapshot'> & {
    readonly document: Pick<BundleDocument, 'stream' | 'sequence' | 'kind'>;
  };
  readonly order: 'new' | 'same';
  readonly tags: StoreState['tags'];
  readonly now: () => Date;
}

/** Before anything is published: what was trusted once must never be forgotten. */
export async function remember({
  states,
  state,
  bundle,
  order,
  tags,
  now,
}: Trusted): Promise<StoreState> {
  // Killed after this, it comes here again.
  if (order === 'same' && state?.metadata.seen !== undefined) return state;
  const { document, snapshot, metadata } = bundle;
  const isContent = document.kind === 'content';
  const next = {
    count: (state?.count ?? 0) + 1,
    stream: document.stream,
    metadata,
    sequence: document.sequence,
    snapshot,
    contentSequence: isContent ? document.sequence : (state?.contentSequence ?? 0),
    tags,
    latestMs: now().getTime(),
  };
  await states.write(next);
  return next;
}
