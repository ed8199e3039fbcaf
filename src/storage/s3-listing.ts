import type { FoundObject } from './object-client.ts';
import type { S3Link } from './s3-link.ts';

export interface Listing {
  readonly prefix: string;
  /** Begins behind this key. */
  readonly after?: string | undefined;
  /** Of a thousand objects each; all of them unless told. */
  readonly maxPages?: number | undefined;
}

/** What is in the bucket, in the order of keys, a page in memory at a time. Throws `StorageError`. */
export async function* listObjects(
  link: S3Link,
  { prefix, after, maxPages = Infinity }: Listing,
  signal: AbortSignal,
): AsyncGenerator<FoundObject> {
  let last = after;
  for (let page = 0; page < maxPages; page += 1) {
    const from = last;
    const found = await link.ask('list', (s3, own) => s3.list(prefix, from, own), { signal });
    const next = found?.at(-1)?.key;
    // Who gives the same page again and again is not asked for ever.
    if (found === undefined || next === undefined || (last !== undefined && next <= last)) return;
    // Some know no prefixes, and the bucket may be others' as well: who asks deletes what is found.
    yield* found.filter(({ key }) => key.startsWith(prefix));
    last = next;
  }
}
