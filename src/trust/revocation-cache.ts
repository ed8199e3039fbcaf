/** Where signed answers are kept between requests and starts: bytes by name, in order of names. */
export interface RevocationCache {
  get(key: string): Promise<Uint8Array | undefined>;
  put(key: string, value: Uint8Array): Promise<void>;
  delete(key: string): Promise<void>;
  keys(prefix: string, limit: number): Promise<readonly string[]>;
}

export interface StoredAnswer {
  readonly fetchedAt: Date;
  readonly validUntil: Date;
  /** As they were signed: verified again whenever they are read. */
  readonly bytes: Uint8Array;
}

/** Both times, in milliseconds. */
const headerBytes = 16;
const maxRemovedAtOnce = 100;

export async function getAnswer(
  cache: RevocationCache,
  key: string,
): Promise<StoredAnswer | undefined> {
  const value = await cache.get(`answer ${key}`);
  if (value === undefined || value.length <= headerBytes) return undefined;
  const header = Buffer.from(value.buffer, value.byteOffset, headerBytes);
  const [fetchedMs, untilMs] = [header.readDoubleBE(0), header.readDoubleBE(8)];
  return {
    fetchedAt: new Date(Number.isFinite(fetchedMs) ? fetchedMs : 0),
    validUntil: new Date(Number.isFinite(untilMs) ? untilMs : 0),
    bytes: value.subarray(headerBytes),
  };
}

/** Keeps an answer until it is of no use any more; a later one of the same key takes its place. */
export async function putAnswer(
  cache: RevocationCache,
  key: string,
  { fetchedAt, validUntil, bytes }: StoredAnswer,
): Promise<void> {
  const value = Buffer.alloc(headerBytes + bytes.length);
  value.writeDoubleBE(fetchedAt.getTime(), 0);
  value.writeDoubleBE(validUntil.getTime(), 8);
  value.set(bytes, headerBytes);
  await cache.put(`answer ${key}`, value);
  // By the end of their use, so that what ended is found without reading the rest.
  await cache.put(`until ${validUntil.toISOString()} ${key}`, Uint8Array.of(1));
}

/** Removes some of what ended before `now`. */
export async function removeEnded(cache: RevocationCache, now: Date): Promise<void> {
  const limit = `until ${now.toISOString()}`;
  for (const name of await cache.keys('until ', maxRemovedAtOnce)) {
    if (name >= limit) return;
    const key = name.split(' ').slice(2).join(' ');
    const answer = await getAnswer(cache, key);
    // It may have been renewed since.
    if (answer !== undefined && answer.validUntil <= now) await cache.delete(`answer ${key}`);
    await cache.delete(name);
  }
}
