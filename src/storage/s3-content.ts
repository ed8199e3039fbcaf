import { Readable } from 'node:stream';
import { messageOf } from '../kernel/tagged-error.ts';
import type { ContentName } from './blob-store.ts';
import { makeContentHash } from './content-hash.ts';
import type { ObjectAnswer } from './object-client.ts';
import { putObjectAside } from './s3-aside.ts';
import { type BodyLimits, bodyLimits, withPatience } from './s3-body.ts';
import type { S3Keys } from './s3-keys.ts';
import { makeS3Kept } from './s3-kept.ts';
import type { S3Dependencies, S3Link } from './s3-link.ts';
import { type ObjectTags, makeObjectTags, readWhole } from './s3-objects.ts';
import { makeS3Shares } from './s3-shares.ts';
import { type SweepLimits, sweepS3, sweepLimits } from './s3-sweep.ts';
import { type UploadLimits, uploadLimits } from './s3-upload.ts';
import type { SharedBytes, SharedContent } from './shared-content.ts';

export interface S3ContentOptions {
  readonly link: S3Link;
  readonly keys: S3Keys;
  /** Whether clients are sent to S3: what is there is then looked at before. */
  readonly handsOut: boolean;
  readonly limits?: Partial<S3ContentLimits>;
}

export interface S3ContentLimits extends UploadLimits, BodyLimits, SweepLimits {
  /** Content of at most so many bytes is hashed before any of it is given. */
  readonly wholeBytes: number;
}

const defaultLimits: S3ContentLimits = {
  ...uploadLimits,
  ...bodyLimits,
  ...sweepLimits,
  wholeBytes: 1024 * 1024,
};

/** Of one URL. */
const urlSeconds = 60;

/** Content that replicas share in a bucket. */
export function makeS3Content(
  { link, keys, handsOut, limits: given = {} }: S3ContentOptions,
  dependencies: S3Dependencies,
): SharedContent {
  const limits = { ...defaultLimits, ...given };
  const { log, clock } = dependencies;
  const tags = makeObjectTags();
  const closing = new AbortController();
  const parts: Parts = { link, keys, handsOut, limits, tags, closing: closing.signal };
  const putAside = makePutAside(parts, dependencies);
  const open = makeOpen(parts, putAside, dependencies);
  const wrong = (content: ContentName): Promise<void> => putAside(content, 'bytes');
  const shares = makeS3Shares({ ...parts, open, putAside: wrong }, dependencies);
  return {
    isUp: () => link.isUp(),
    open,
    putAside: wrong,
    share: (content, from) => shares.share(content, from),
    ...makeS3Kept({ link, keys, limits }, dependencies),
    async urlFor(content, from, signal) {
      if (!handsOut || !link.isUp()) return undefined;
      const key = keys.blob(content.digest);
      const known = tags.rightOf(content.digest);
      if (known === undefined) {
        void shares.share(content, from);
        return undefined;
      }
      try {
        const found = await link.ask('head', (s3, own) => s3.head(key, own), { signal });
        if (found?.size !== content.size || found.etag !== known) {
          tags.forgetRight(content.digest);
          return undefined;
        }
        return await link.ask('sign', (s3) => s3.presign(key, urlSeconds), { signal });
      } catch (error) {
        signal.throwIfAborted();
        log.debug({ digest: content.digest, error: messageOf(error) }, 'no URL can be made');
        return undefined;
      }
    },
    sweep: (signal) => sweepS3({ link, keys, limits, clock }, signal),
    async close() {
      closing.abort(new Error('the proxy shuts down'));
      await shares.ended();
      link.close();
    },
  };
}

interface Parts {
  readonly link: S3Link;
  readonly keys: S3Keys;
  readonly handsOut: boolean;
  readonly limits: S3ContentLimits;
  readonly tags: ObjectTags;
  readonly closing: AbortSignal;
}

type PutAside = (content: ContentName, because: 'size' | 'bytes') => Promise<void>;

/**
 * Moves the object away that was read last, unless it is another by now, and remembers it, so that
 * it is not read again where it can't be moved.
 */
function makePutAside({ link, keys, tags }: Parts, { metrics, log }: S3Dependencies): PutAside {
  return async ({ digest }, because) => {
    const etag = tags.readOf(digest);
    if (etag === undefined) return;
    tags.noteBad(digest, etag);
    metrics.count('assay_s3_bad_objects_total', { because });
    log.error({ digest, because }, 'an object in S3 is not what its digest names');
    try {
      await putObjectAside({ digest, etag }, { link, keys });
    } catch (error) {
      log.warn({ digest, error: messageOf(error) }, 'a bad object in S3 can not be put aside');
    }
  };
}

function makeOpen(
  parts: Parts,
  putAside: PutAside,
  { clock, metrics }: S3Dependencies,
): SharedContent['open'] {
  const { link, keys, limits, tags, handsOut } = parts;
  const count = (bytes: number): void =>
    metrics.count('assay_bytes_saved_total', { tier: 'shared' }, bytes);

  const openObject = async (
    content: ContentName,
    start: number,
    signal: AbortSignal,
  ): Promise<ObjectAnswer | undefined> => {
    const { digest, size } = content;
    const key = keys.blob(digest);
    const found = await link.ask('get', (s3, own) => s3.get(key, start, own), { signal });
    if (found === undefined) return undefined;
    const { etag = '' } = found;
    if (found.size === size && !tags.isBad(digest, etag)) {
      tags.noteRead(digest, etag);
      return found;
    }
    found.stream.on('error', () => undefined).destroy();
    if (found.size !== size && !tags.isBad(digest, etag)) {
      tags.noteRead(digest, etag);
      await putAside(content, 'size');
    }
    return undefined;
  };
  return async (content, start, signal): Promise<SharedBytes | undefined> => {
    const { digest, size } = content;
    try {
      const found = await openObject(content, start, signal);
      if (found === undefined) return undefined;
      const { etag = '', stream: body } = found;
      if (size <= limits.wholeBytes && start === 0) {
        const bytes = await readWhole(withPatience(body, limits, clock), content);
        if (bytes === undefined) {
          await putAside(content, 'bytes');
          return undefined;
        }
        tags.noteRight(digest, etag);
        count(size);
        return { size, stream: Readable.from(size === 0 ? [] : [bytes], { objectMode: false }) };
      }
      const hash = handsOut && start === 0 ? makeContentHash(content) : undefined;
      const stream = withPatience(body, limits, clock, (chunk) => {
        count(chunk.byteLength);
        hash?.update(chunk);
        if (hash?.bytes === size && hash.matches()) tags.noteRight(digest, etag);
      });
      return { size, stream };
    } catch {
      // The link has counted it; what broke off is as good as not there.
      signal.throwIfAborted();
      return undefined;
    }
  };
}
