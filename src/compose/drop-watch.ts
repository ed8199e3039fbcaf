import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { readFileBounded } from '../files/read-file.ts';
import type { Clock } from '../kernel/clock.ts';
import { isObject, readJson } from '../kernel/json.ts';
import { messageOf } from '../kernel/tagged-error.ts';
import type { Log } from '../observe/log.ts';
import type { Metrics } from '../observe/metric-list.ts';
import { fingerprintOf } from './watch-files.ts';

/** What became of a bundle in a drop folder. */
export interface DropOutcome {
  readonly outcome: 'published' | 'held' | 'refused' | 'failed';
  /** Whether the same bundle may do better later: something is missing, or in the way. */
  readonly isPassing: boolean;
  readonly because?: string;
  readonly sequence?: number;
  readonly generation?: number;
  readonly receipt?: string;
  /** Of content that no kept generation names. */
  readonly freedBytes?: number;
}

export interface DropWatchDependencies {
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
  /** As `assay airgap import` does; rejects only where it was stopped. */
  readonly importBundle: (folder: string) => Promise<DropOutcome>;
}

export interface DropWatch {
  /** Imports what is finished and has not changed since the last look; never rejects. */
  look(): Promise<void>;
}

/** What is known of a folder with a bundle. */
interface Known {
  readonly fingerprint: string;
  /** Tries of what it is now. */
  tries: number;
  /** Of the clock that never goes back; Infinity: not as it is. */
  nextMs: number;
}

const firstPauseMs = 60_000;
const maxPauseMs = 3_600_000;
const maxFolders = 1_000;
const maxTimestampBytes = 1024 * 1024;

/**
 * Looks for bundles in the folders and in those right below them. A bundle is finished when its
 * `metadata/timestamp.json` is there, which is written last, and nothing of it has changed between
 * two looks. One that can't be believed, or is refused, is not tried again until something of it
 * changes; one that lacks something after a pause that doubles up to an hour.
 */
export function makeDropWatch(
  folders: readonly string[],
  { clock, log, metrics, importBundle }: DropWatchDependencies,
): DropWatch {
  let known = new Map<string, Known>();
  const take = async (folder: string, bundle: Known): Promise<void> => {
    const told = await importBundle(folder);
    const { isPassing, ...outcome } = told;
    bundle.tries += 1;
    const pauseMs = Math.min(firstPauseMs * 2 ** (bundle.tries - 1), maxPauseMs);
    bundle.nextMs = isPassing ? clock.monotonicMs() + pauseMs : Infinity;
    metrics.count('assay_airgap_drops_total', { outcome: told.outcome });
    const isGood = told.outcome === 'published' || told.outcome === 'held';
    if (isGood) log.info({ folder, ...outcome }, 'a bundle of a drop folder is in force');
    else log.error({ folder, ...outcome }, 'a bundle of a drop folder was not imported');
  };
  const lookOnce = async (): Promise<void> => {
    const seen = new Map<string, Known>();
    const ready: string[] = [];
    for (const folder of await findFinished(folders)) {
      const fingerprint = await fingerprintOf(folder);
      const before = known.get(folder);
      const isSame = before?.fingerprint === fingerprint;
      seen.set(folder, isSame ? before : { fingerprint, tries: 0, nextMs: -Infinity });
      if (isSame && clock.monotonicMs() >= before.nextMs) ready.push(folder);
    }
    known = seen;
    // Those below a newer one would be refused.
    for (const folder of await inSequence(ready)) {
      const bundle = seen.get(folder);
      if (bundle !== undefined) await take(folder, bundle);
    }
  };
  return {
    look: () =>
      lookOnce().catch((error: unknown) => {
        log.warn({ because: messageOf(error) }, 'the drop folders could not be looked at');
      }),
  };
}

async function findFinished(folders: readonly string[]): Promise<readonly string[]> {
  const found: string[] = [];
  for (const folder of folders) {
    const below = await readdir(folder, { withFileTypes: true }).catch(() => []);
    const names = below
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => join(folder, name));
    for (const each of [folder, ...names.toSorted().slice(0, maxFolders)]) {
      if ((await readTimestamp(each)) !== undefined) found.push(each);
    }
  }
  return [...new Set(found)];
}

async function readTimestamp(folder: string): Promise<Buffer | undefined> {
  const file = join(folder, 'metadata', 'timestamp.json');
  return readFileBounded(file, maxTimestampBytes).catch(() => undefined);
}

/** By what they say of themselves, which nobody has verified yet; the others last. */
async function inSequence(folders: readonly string[]): Promise<readonly string[]> {
  const numbered = await Promise.all(
    folders.map(async (folder) => ({ folder, version: versionIn(await readTimestamp(folder)) })),
  );
  return numbered.toSorted((a, b) => a.version - b.version).map(({ folder }) => folder);
}

function versionIn(bytes: Buffer | undefined): number {
  try {
    const document = bytes && readJson(bytes);
    const signed = isObject(document) ? document['signed'] : undefined;
    const version = isObject(signed) ? signed['version'] : undefined;
    return typeof version === 'number' ? version : Number.MAX_SAFE_INTEGER;
  } catch {
    return Number.MAX_SAFE_INTEGER;
  }
}
