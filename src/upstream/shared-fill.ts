import { Readable } from 'node:stream';
import { abortable } from '../kernel/abort.ts';
import type { ContentName } from '../storage/blob-store.ts';
import type { FillSource, UpstreamBytes } from '../storage/fill.ts';
import type { FleetFlight } from '../storage/fleet-flight.ts';
import type { OpenToShare, SharedContent } from '../storage/shared-content.ts';
import { fetchOnce } from './fetch-once.ts';
import { UpstreamError } from './upstream-error.ts';

/** What replicas have in common beside their own stores. */
export interface SharedTier {
  readonly content: SharedContent;
  /** Who fetches a blob. */
  readonly blobs: FleetFlight;
  /** Who fetches a manifest. */
  readonly manifests: FleetFlight;
}

export interface SharedFillOptions {
  /** The content as this process has it by now, to be left for others. */
  readonly open: OpenToShare;
  /** Its answer begins at the latest then, while another replica still fetches. */
  readonly quietMs?: number;
}

/** Whoever waits for another replica may tell its client by then that it will come. */
const defaultQuietMs = 5_000;

/**
 * Fills from what another replica left, or is about to leave, and from upstream otherwise, whose
 * bytes are left for the others then. Once the shared bytes of a fill were bad or broke off, the
 * rest of it comes from upstream.
 */
export function makeSharedFill(
  content: ContentName,
  upstream: FillSource,
  { content: shared, blobs }: Pick<SharedTier, 'content' | 'blobs'>,
  { open: openToShare, quietMs = defaultQuietMs }: SharedFillOptions,
): FillSource {
  let isOurs = false;
  let wasShared = false;

  const begin = (from: { readonly start: number }, signal: AbortSignal, fetch: Fetch) =>
    fetchOnce<UpstreamBytes>(
      blobs,
      {
        name: `fill/${upstream.name}/${content.digest}`,
        async look() {
          const found = await shared.open(content, from.start, signal);
          if (found === undefined) return undefined;
          wasShared = true;
          return { ...found, start: from.start, validator: undefined };
        },
        fetch,
        async leave() {
          isOurs = true;
          await shared.share(content, openToShare);
          isOurs = false;
        },
      },
      signal,
    );
  return {
    name: upstream.name,
    async open(from, signal) {
      const fetch = (): Promise<UpstreamBytes | undefined> => upstream.open(from, signal);
      if (isOurs || wasShared || !shared.isUp()) return fetch();
      const { got, isOwn } = begin(from, signal, fetch);
      got.then((bytes) => signal.aborted && bytes?.stream.on('error', nobody).destroy(), nobody);
      const begun = await within(quietMs, got, signal);
      if (begun !== 'later') return begun.answer;
      if (isOwn()) return abortable(got, signal);
      const { size } = content;
      return { size, start: from.start, validator: undefined, stream: later(got, from, signal) };
    },
    onMismatch() {
      if (wasShared) void shared.putAside(content);
      else upstream.onMismatch();
    },
  };
}

/** Who would hear of it has gone. */
const nobody = (): void => undefined;

type Fetch = () => Promise<UpstreamBytes | undefined>;

async function within<T>(
  ms: number,
  got: Promise<T>,
  signal: AbortSignal,
): Promise<{ readonly answer: T } | 'later'> {
  const { promise: late, resolve } = Promise.withResolvers<'later'>();
  const timer = setTimeout(resolve, ms, 'later');
  try {
    return await abortable(Promise.race([got.then((answer) => ({ answer })), late]), signal);
  } finally {
    clearTimeout(timer);
  }
}

/** Bytes from `start` on, once they come. */
function later(
  got: Promise<UpstreamBytes | undefined>,
  { start }: { readonly start: number },
  signal: AbortSignal,
): Readable {
  async function* chunks(): AsyncGenerator<Uint8Array> {
    const bytes = await abortable(got, signal);
    if (bytes === undefined) {
      throw new UpstreamError('UPSTREAM_MISBEHAVED', 'upstream has no such blob after all');
    }
    let skip = start - bytes.start;
    for await (const chunk of bytes.stream as AsyncIterable<Uint8Array>) {
      const rest = chunk.subarray(Math.min(skip, chunk.byteLength));
      skip -= chunk.byteLength - rest.byteLength;
      if (rest.byteLength > 0) yield rest;
    }
  }
  return Readable.from(chunks(), { objectMode: false });
}
