import { pipeline, Readable, Transform } from 'node:stream';
import { messageOf } from '../kernel/tagged-error.ts';
import type { Log } from '../observe/log.ts';
import { type Digest, matchesDigest } from '../oci/digest.ts';
import type { RepositoryPath } from '../oci/repository.ts';
import type { KeptContent, KeptKey, ManifestStore } from '../storage/manifest-store.ts';
import type { BlobContent, BlobRange, ContentSource, ManifestContent } from './content-source.ts';
import { makeTogether } from './together.ts';
import { isWorthKeeping } from './worth-keeping.ts';

export interface KeepOptions {
  /** The configured key of the upstream: part of what names kept content. */
  readonly upstream: string;
  /** Blobs of at most so many bytes are kept: those of signatures, and configs; 1 MiB unless told. */
  readonly maxBlobBytes?: number;
  /** What who asks the source has to wait for, so that who joins in need not. */
  readonly toll?: (() => Promise<void> | undefined) | undefined;
  readonly log?: Log | undefined;
}

const defaultMaxBlobBytes = 1024 * 1024;

/**
 * A content source that keeps manifests and small blobs by digest, so that what was pulled once
 * needs no upstream again: not when it is down, not when it deleted them. Only checked bytes that
 * can be read as a manifest are kept, and by repository: what one knows, another must be asked for.
 * Those who ask for a manifest at the same time share one request. A store that fails costs speed
 * and nothing else.
 */
export function keepManifests(
  source: ContentSource,
  store: ManifestStore,
  { upstream, maxBlobBytes = defaultMaxBlobBytes, toll, log }: KeepOptions,
): ContentSource {
  const keyFor = (kind: KeptKey['kind'], path: RepositoryPath, digest: Digest): KeptKey => ({
    kind,
    place: `${upstream}/${path}`,
    digest,
  });
  const { get, put } = heedless(store, log);
  const together = makeTogether<ManifestContent | undefined>();

  return {
    ...passedOn(source),
    async fetchManifest(path, reference, signal) {
      const fetch = async (until: AbortSignal): Promise<ManifestContent | undefined> => {
        const content = await source.fetchManifest(path, reference, until);
        if (content !== undefined && isWorthKeeping(content)) {
          await put(keyFor('manifest', path, content.digest), content);
        }
        return content;
      };
      // What a tag leads to may be another thing to who asks a moment later.
      if (!('digest' in reference)) return fetch(signal);
      const { digest } = reference;
      const key = keyFor('manifest', path, digest);
      const known = await get(key);
      if (known !== undefined) return { ...known, digest };
      // Before others can join the fetching: what this client has used up is nothing to them.
      const waiting = toll?.();
      if (waiting !== undefined) await waiting;
      const find = async (until: AbortSignal): Promise<ManifestContent | undefined> => {
        // Somebody may have fetched it meanwhile; a store that fails has been told of.
        const kept = await store.get(key).catch(() => undefined);
        return kept === undefined ? fetch(until) : { ...kept, digest };
      };
      return together(`${path}@${digest}`, find, signal);
    },
    async statBlob(path, digest, signal) {
      const kept = await get(keyFor('blob', path, digest));
      if (kept !== undefined) return { size: kept.bytes.byteLength };
      return source.statBlob(path, digest, signal);
    },
    async openBlob(path, digest, signal, wish) {
      const key = keyFor('blob', path, digest);
      const kept = await get(key);
      if (kept !== undefined) return toContent(kept.bytes, wish?.range);
      const content = await source.openBlob(path, digest, signal, wish);
      // What the source itself keeps is not kept twice.
      if (content?.size === undefined || content.proof !== undefined) return content;
      if (content.size > maxBlobBytes || content.range !== undefined) return content;
      const keep = (bytes: Uint8Array) => put(key, { bytes, contentType: undefined });
      return { size: content.size, stream: copying(content, digest, content.size, keep) };
    },
  };
}

/** The store for those who can do without it: what fails is logged. */
function heedless(store: ManifestStore, log: Log | undefined) {
  const get = async (key: KeptKey): Promise<KeptContent | undefined> => {
    try {
      return await store.get(key);
    } catch (error) {
      log?.warn({ ...key, error: messageOf(error) }, 'kept content can not be read');
      return undefined;
    }
  };
  const put = async (key: KeptKey, content: KeptContent): Promise<void> => {
    try {
      await store.put(key, content);
    } catch (error) {
      log?.warn({ ...key, error: messageOf(error) }, 'content can not be kept');
    }
  };
  return { get, put };
}

/** What is asked of the source in any case. */
function passedOn(source: ContentSource) {
  return {
    resolveTag: (...asked) => source.resolveTag(...asked),
    listTags: (...asked) => source.listTags(...asked),
    listReferrers: (...asked) => source.listReferrers(...asked),
    close: () => source.close(),
    blobAtHand: (path, content) => source.blobAtHand?.(path, content),
    ...(source.handOver !== undefined && {
      handOver: async (...asked) => source.handOver?.(...asked),
    }),
  } satisfies Partial<ContentSource>;
}

/** Its hash was checked when it was read from the store. */
function toContent(bytes: Uint8Array, range: BlobRange | undefined): BlobContent {
  const size = bytes.byteLength;
  const part = bytes.subarray(range?.first ?? 0, (range?.last ?? size - 1) + 1);
  return { size, range, proof: 'stored', stream: Readable.from([part], { objectMode: false }) };
}

/** Passes the stream on at once, and keeps a copy if at its end it has the digest. */
function copying(
  { stream }: BlobContent,
  digest: Digest,
  maxBytes: number,
  keep: (bytes: Uint8Array) => Promise<void>,
): Readable {
  let chunks: Buffer[] = [];
  let length = 0;
  const copy = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      length += chunk.length;
      // More than was stated is no blob of ours: the reader's check will say so.
      if (length <= maxBytes) chunks.push(chunk);
      else chunks = [];
      done(null, chunk);
    },
    flush(done) {
      const finish = async (): Promise<void> => {
        const bytes = Buffer.concat(chunks);
        if (matchesDigest(bytes, digest)) await keep(bytes);
        done();
      };
      void finish();
    },
  });
  return pipeline(stream, copy, () => undefined);
}
