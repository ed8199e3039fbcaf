import { createHash } from 'node:crypto';
import { createReadStream, existsSync } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { BlobStore } from '../../src/storage/blob-store.ts';

/** What lies in a store's folder. */
export interface StoreState {
  /** What is wrong; empty when all is well. */
  readonly complaints: readonly string[];
  readonly stored: readonly string[];
  /** Unfinished content and the notes on it. */
  readonly staging: readonly string[];
  readonly trash: readonly string[];
  readonly quarantine: readonly string[];
}

export interface CheckOptions {
  /** Files in staging and trash that did not change for so long are orphans; a day unless told. */
  readonly orphanMs?: number;
  /** A store over the folder, whose own count must agree. */
  readonly store?: Pick<BlobStore, 'usage'> | undefined;
}

/**
 * The store below a folder for content and state, from its files alone: every stored file has the
 * hash that names it, nothing else lies among them, and no unfinished content is forgotten.
 */
export async function checkStore(
  dataFolder: string,
  { orphanMs = 86_400_000, store }: CheckOptions = {},
): Promise<StoreState> {
  const root = storeRoot(dataFolder);
  const complaints: string[] = [];
  const stored: string[] = [];
  let bytes = 0;
  for (const algorithm of await namesIn(join(root, 'blobs'))) {
    for (const name of await namesIn(join(root, 'blobs', algorithm))) {
      const hash = createHash(algorithm);
      const file = createReadStream(join(root, 'blobs', algorithm, name));
      const isThere = await pipeline(file, hash).then(() => true, unlessGone);
      if (!isThere) continue;
      stored.push(`${algorithm}:${name}`);
      bytes += file.bytesRead;
      const found = hash.digest('hex');
      if (found !== name) complaints.push(`${algorithm}/${name} has the hash ${found}`);
    }
  }
  const state = {
    staging: await namesIn(join(root, 'staging')),
    trash: await namesIn(join(root, 'trash')),
    quarantine: await namesIn(join(root, 'quarantine')),
  };
  for (const place of ['staging', 'trash'] as const) {
    for (const name of state[place]) {
      const found = await stat(join(root, place, name)).catch(() => undefined);
      const ageMs = found === undefined ? 0 : Date.parse(new Date().toISOString()) - found.mtimeMs;
      if (ageMs > orphanMs) complaints.push(`${place}/${name} is an orphan`);
    }
  }
  const counted = (await store?.usage())?.blobs ?? { files: stored.length, bytes };
  if (counted.files !== stored.length || counted.bytes !== bytes) {
    const here = `${stored.length} files and ${bytes} bytes`;
    complaints.push(`there are ${here}, ${counted.files} and ${counted.bytes} are counted`);
  }
  return { complaints, stored, ...state };
}

/** A store at work may take away what was just listed. */
function unlessGone(error: unknown): false {
  if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return false;
  throw error;
}

/** The folder that has `blobs` in it: the given one or one in it. */
export function storeRoot(dataFolder: string): string {
  const places = ['.', 'store', 'blobs', 'content', 'layers'].map((name) => join(dataFolder, name));
  return places.find((place) => existsSync(join(place, 'blobs', 'sha256'))) ?? dataFolder;
}

async function namesIn(folder: string): Promise<readonly string[]> {
  return existsSync(folder) ? (await readdir(folder)).toSorted() : [];
}
