import { readdir, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import type { Test } from 'tap';
import { systemClock } from '../../src/kernel/clock.ts';
import { type Digest, digestOf } from '../../src/oci/digest.ts';
import { openFsBlobStore } from '../../src/storage/fs-blob-store.ts';
import { openLmdbKeyValue } from '../../src/storage/lmdb-key-value.ts';
import { makeManifestStore } from '../../src/storage/manifest-store.ts';
import { type Content, makeContent, store } from '../contract/blob-store.ts';
import { writeConfiguration } from './app-kit.ts';
import { type FakeS3, startFakeS3 } from './fake-s3.ts';
import { type Run, runInProcess } from './run-assay.ts';
import { opening, openS3Kit } from './s3-kit.ts';
import { configurationOf } from './s3-server.ts';

/** Three blobs of 2 KiB, and a manifest. */
export const contents = [1, 2, 3].map((seed) => makeContent(2048, seed));
export const digests = contents.map(({ name }) => name.digest);
export const manifest = Buffer.from('{}');

export interface CacheKit {
  /** The folder for content and state. */
  readonly path: string;
  /** Runs `assay cache …`. */
  cache(...words: readonly string[]): Promise<Run>;
  /** The same, and reads what it prints for programs. */
  json<T>(...words: readonly string[]): Promise<T>;
  /** File names of the stored blobs, in order. */
  stored(): Promise<readonly string[]>;
  fileOf(digest: Digest): string;
  /** As if it had last been asked for so long ago. */
  age(digest: Digest, ms: number): Promise<void>;
}

/** A configuration with stored contents, as a proxy leaves them that ran before. */
export async function makeCacheKit(
  t: Test,
  config: Readonly<Record<string, unknown>> = {},
): Promise<CacheKit> {
  const file = writeConfiguration(t, { upstreams: { reg: 'http://127.0.0.1:1' }, config });
  const path = join(file, '..', 'data');
  await storeAll(path);
  const fileOf = (digest: Digest): string => join(path, 'blobs', ...digest.split(':'));
  const cache = (...words: readonly string[]): Promise<Run> =>
    runInProcess(['cache', ...words, '--config', file]);
  return {
    path,
    cache,
    json: async <T>(...words: readonly string[]) =>
      JSON.parse((await cache(...words, '--json')).stdout) as T,
    stored: async () => (await readdir(join(path, 'blobs', 'sha256'))).toSorted(),
    fileOf,
    async age(digest, ms) {
      const then = new Date(systemClock.now().getTime() - ms);
      await utimes(fileOf(digest), then, then);
    },
  };
}

/** The same, with a bucket that replicas share. */
export async function makeSharedCacheKit(
  t: Test,
): Promise<CacheKit & { readonly s3: FakeS3; share(content: Content): Promise<void> }> {
  const s3 = await startFakeS3(t);
  const storage = { path: './data', s3: configurationOf(s3.address) };
  const kit = await makeCacheKit(t, { storage });
  const { shared } = openS3Kit(t, s3.address);
  return { ...kit, s3, share: (content) => shared.share(content.name, opening(content)) };
}

async function storeAll(path: string): Promise<void> {
  const blobs = await openFsBlobStore({ path }, { clock: systemClock });
  for (const content of contents) await store(blobs, content);
  await blobs.close();
  const values = await openLmdbKeyValue(join(path, 'content'));
  const key = { kind: 'manifest', place: 'reg/app', digest: digestOf(manifest) } as const;
  await makeManifestStore(values).put(key, { bytes: manifest, contentType: undefined });
  await values.close();
}

/** Each line is refused for its reason, as wrong usage. */
export async function refusesEach(t: Test, lines: Readonly<Record<string, RegExp>>): Promise<void> {
  const { cache, stored } = await makeCacheKit(t);
  for (const [line, message] of Object.entries(lines)) {
    const run = await cache(...line.split(' '));
    t.equal(run.code, 64, line);
    t.match(run.stderr, message, line);
  }
  t.equal((await stored()).length, 3, 'nothing was taken away');
}
