import { createHash } from 'node:crypto';
import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import type { Test } from 'tap';
import { importAirgap, type ImportReport } from '../../src/compose/airgap-import.ts';
import { loadConfig } from '../../src/config/load.ts';
import type { FileSystem } from '../../src/storage/file-system.ts';
import { type AppKit, type AppOptions, startAt, writeConfiguration } from './app-kit.ts';
import { type FullBundle, usualRoots } from './bundle-kit.ts';
import { type FakeClock, makeFakeClock } from './fake-clock.ts';

export interface ZoneOptions extends Partial<
  Pick<AppOptions, 'rules' | 'identities' | 'config' | 'files'>
> {
  readonly airgap?: Readonly<Record<string, unknown>>;
  readonly root?: Uint8Array | undefined;
  readonly clock?: FakeClock;
}

export interface ImportWish {
  readonly keepTrusted?: boolean;
  readonly verifyOnly?: boolean;
  readonly files?: FileSystem;
  readonly places?: readonly string[];
  readonly root?: string;
}

/** A site without a network. */
export interface ZoneKit {
  readonly file: string;
  readonly folder: string;
  readonly store: string;
  readonly clock: FakeClock;
  import(bundle: Pick<FullBundle, 'folder'> | undefined, wish?: ImportWish): Promise<ImportReport>;
  serve(): Promise<AppKit>;
  /** What is in force, hashed: the same for the same. */
  published(): string;
  /** All files of the store with their hashes, but for what differs from run to run. */
  contents(): Readonly<Record<string, string>>;
}

/** Whoever acme signed for is trusted, in `docker.io` and `ghcr.io`. */
export function makeZone(t: Test, options: ZoneOptions = {}): ZoneKit {
  const { clock = makeFakeClock('2030-01-02T00:00:00Z'), airgap, root = usualRoots[0] } = options;
  const rules = options.rules ?? [
    { repositories: ['docker.io/**', 'ghcr.io/**'], require: { signedBy: 'acme' } },
  ];
  const file = writeConfiguration(t, {
    ...options,
    upstreams: {},
    rules,
    config: {
      upstreams: undefined,
      airgap: { store: './store', root: './root.json', ...airgap },
      ...options.config,
      trust: { store: './trust', offline: true, ...(options.config?.['trust'] as object) },
    },
  });
  const folder = join(file, '..');
  writeFileSync(join(folder, 'root.json'), root);
  const store = join(folder, 'store');
  const { signal } = new AbortController();
  return {
    file,
    folder,
    store,
    clock,
    async import(bundle, wish = {}) {
      return importAirgap(
        await loadConfig(file),
        {
          places: wish.places ?? [bundle?.folder ?? ''],
          mode: wish.verifyOnly === true ? 'verify-only' : 'import',
          untrusted: wish.keepTrusted === true ? 'keep-trusted' : 'refuse-all',
          ...(wish.root !== undefined && { root: wish.root }),
          onProgress: () => undefined,
        },
        signal,
        { clock, ...(wish.files && { files: wish.files }) },
      );
    },
    serve: () => startAt(t, file, clock),
    published: () => {
      const all = contentsOf(store);
      const kept = Object.entries(all).filter(([name]) =>
        /^(?:published\.json|state-|generations|trust|receipts)/.test(name),
      );
      return createHash('sha256').update(JSON.stringify(kept)).digest('hex');
    },
    contents: () => contentsOf(store),
  };
}

/** The log of imports has times, the receipt's key is random, and what makes locks is taken later. */
const changing = /^(?:audit\.log|receipt\.key|receipts\/|staging\/[0-9a-f]{16}\.)/;

export function contentsOf(store: string): Readonly<Record<string, string>> {
  if (!existsSync(store)) return {};
  const names = readdirSync(store, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(store, join(entry.parentPath, entry.name)))
    .filter((name) => !changing.test(name))
    .toSorted();
  return Object.fromEntries(
    names.map((name) => [
      name,
      createHash('sha256')
        .update(readFileSync(join(store, name)))
        .digest('hex'),
    ]),
  );
}

/** Changes one bit of a file. */
export function flip(file: string, at: number): void {
  const bytes = readFileSync(file);
  bytes[at] = bytes[at]! ^ 1;
  writeFileSync(file, bytes);
}
