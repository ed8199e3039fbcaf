import { once } from 'node:events';
import { messageOf } from '../kernel/tagged-error.ts';
import type { ContentName } from './blob-store.ts';
import type { S3Keys } from './s3-keys.ts';
import type { S3Dependencies, S3Link } from './s3-link.ts';
import type { ObjectTags } from './s3-objects.ts';
import { upload, type UploadLimits } from './s3-upload.ts';
import type { OpenToShare, SharedContent } from './shared-content.ts';
import { StorageError } from './storage-error.ts';

/** What goes from here to S3, a few at a time: each holds a part in memory. */
export interface S3Shares {
  share(content: ContentName, open: OpenToShare): Promise<void>;
  /** Resolves when nothing is under way any more. */
  ended(): Promise<void>;
}

interface Parts extends Pick<SharedContent, 'open'> {
  /** What was read last is not what its digest names. */
  readonly putAside: (content: ContentName) => Promise<void>;
  readonly link: S3Link;
  readonly keys: S3Keys;
  readonly handsOut: boolean;
  readonly limits: UploadLimits;
  readonly tags: ObjectTags;
  /** Ends all of it. */
  readonly closing: AbortSignal;
}

type Outcome = 'stored' | 'there' | 'mismatch' | 'failed' | 'left-out';

const maxAtOnce = 4;
/** Those who wait hold content open here. */
const maxWaiting = 256;

export function makeS3Shares(parts: Parts, { metrics, log }: S3Dependencies): S3Shares {
  const { closing } = parts;
  const under = new Map<string, Promise<void>>();
  const waiting: (() => void)[] = [];
  let running = 0;

  const inTurn = async (work: () => Promise<Outcome>): Promise<Outcome> => {
    if (running >= maxAtOnce) {
      if (waiting.length >= maxWaiting) return 'left-out';
      const { promise, resolve } = Promise.withResolvers<void>();
      waiting.push(resolve);
      await promise;
    } else {
      running += 1;
    }
    try {
      return await work();
    } finally {
      const next = waiting.shift();
      if (next === undefined) running -= 1;
      else next();
    }
  };
  const run = async (content: ContentName, open: OpenToShare): Promise<void> => {
    const { digest } = content;
    let outcome: Outcome;
    try {
      outcome = await inTurn(() => shareOne(content, open, parts));
    } catch (error) {
      const isMismatch = error instanceof StorageError && error.code === 'CONTENT_MISMATCH';
      outcome = isMismatch ? 'mismatch' : 'failed';
      if (!closing.aborted) log.warn({ digest, error: messageOf(error) }, 'content is not shared');
    }
    metrics.count('assay_s3_uploads_total', { outcome });
  };
  return {
    share(content, open) {
      const { digest } = content;
      const known = under.get(digest);
      if (known !== undefined) return known;
      const sharing = run(content, open).finally(() => under.delete(digest));
      under.set(digest, sharing);
      return sharing;
    },
    async ended() {
      await Promise.all(under.values());
    },
  };
}

async function shareOne(content: ContentName, open: OpenToShare, parts: Parts): Promise<Outcome> {
  const { link, keys, tags, closing } = parts;
  const { digest, size } = content;
  closing.throwIfAborted();
  const key = keys.blob(digest);
  const found = await link.ask('head', (s3, own) => s3.head(key, own), { signal: closing });
  if (found?.size === size && !tags.isBad(digest, found.etag ?? '')) {
    if (!parts.handsOut || tags.rightOf(digest) === found.etag) return 'there';
    if (await isRight(content, parts)) return 'there';
  }
  const stream = await open(closing);
  if (stream === undefined) return 'left-out';
  // It may be ended while nobody reads it: the upload hears of it when it does.
  stream.on('error', () => undefined);
  try {
    const etag = await upload(content, stream, parts, closing);
    tags.noteRight(digest, etag);
    return 'stored';
  } finally {
    // It may have been left in the middle of it.
    stream.destroy();
  }
}

/** Reads all of what somebody else left, which notes it if it is right; away with it if it is not. */
async function isRight(
  content: ContentName,
  { open, tags, putAside, closing }: Parts,
): Promise<boolean> {
  const found = await open(content, 0, closing);
  if (found === undefined) return false;
  try {
    found.stream.resume();
    await once(found.stream, 'close', { signal: closing });
  } finally {
    // It may have been left in the middle of it.
    found.stream.on('error', () => undefined).destroy();
  }
  // What was right before may be another object by now.
  const right = tags.rightOf(content.digest);
  if (right !== undefined && right === tags.readOf(content.digest)) return true;
  await putAside(content);
  return false;
}
