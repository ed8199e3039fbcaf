import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { AirgapError } from '../airgap/airgap-error.ts';
import { readFailure } from '../airgap/file-failure.ts';
import type { ImportRequest } from '../airgap/import-bundle.ts';
import { importLayout, type LayoutImportReport } from '../airgap/import-layout.ts';
import {
  isUpstream,
  nameLayout,
  type NamedLayout,
  type NamesWish,
  renderNamedIndex,
} from '../airgap/layout-names.ts';
import type { PlannedContent } from '../airgap/plan.ts';
import { unpackLayout } from '../airgap/unpack-layout.ts';
import type { Config } from '../config/schema.ts';
import { systemClock } from '../kernel/clock.ts';
import { systemCodeOf } from '../kernel/tagged-error.ts';
import { MalformedError } from '../oci/malformed-error.ts';
import { type Index, maxManifestBytes, readManifest } from '../oci/manifest.ts';
import { inLibrary, parseRepositoryPath } from '../oci/repository.ts';
import { systemFiles } from '../storage/file-system.ts';
import type { ContentSource } from '../upstream/content-source.ts';
import { type LayoutFiles, makeLayoutFiles } from '../upstream/layout-files.ts';
import { makeLayoutSource } from '../upstream/layout-source.ts';
import { UpstreamError } from '../upstream/upstream-error.ts';
import { checkReady, type ImportOverrides, openImporting, verifyImages } from './airgap-import.ts';
import { planLayout } from './airgap-layout-plan.ts';

export type { LayoutImportReport } from '../airgap/import-layout.ts';

export interface AirgapLayoutImport extends ImportRequest {
  /** The folder of an image layout, or the file of its tar archive. */
  readonly path: string;
  /** `UPSTREAM/PATH` of plain tags, or `UPSTREAM` alone of paths without a registry. */
  readonly repository: string | undefined;
  readonly onProgress: (doneBytes: number, totalBytes: number) => void;
}

/**
 * Imports a plain image layout into the store of the configuration, beside a live server or without
 * one. Throws `StartupError` and `AirgapError`.
 */
export async function importAirgapLayout(
  config: Config,
  { path, repository, onProgress, ...request }: AirgapLayoutImport,
  signal: AbortSignal,
  { clock = systemClock, files = systemFiles }: ImportOverrides = {},
): Promise<LayoutImportReport> {
  const wish = repository === undefined ? undefined : readNamesWish(repository);
  const opened = new AsyncDisposableStack();
  try {
    const importing = await openImporting(config, clock, opened);
    const { seal, replica, keptGenerations } = importing;
    const store = { ...importing.store, work: importing.store.layoutWork };
    const unpacked = join(store.work.root, 'unpacked');
    const layout: { files?: LayoutFiles } = {};
    return await importLayout(
      request,
      {
        store,
        files,
        seal,
        clock,
        keptGenerations,
        onProgress,
        async openLayout(ending) {
          if (await isFile(path)) {
            await unpackLayout(path, unpacked, files, ending);
            layout.files = makeLayoutFiles(unpacked);
          } else layout.files = makeLayoutFiles(path);
          const named = nameLayout(await readIndex(layout.files, path), wish);
          return planLayout(named, wish, sourcesOf(named, wish, layout.files), ending);
        },
        readContent: (content, ending) => readContent(layout.files, content, path, ending),
        checkReady: () => checkReady(config),
        verifyImages: (images, now, ending) =>
          verifyImages(images, config, { store, files, list: replica.list, now, clock }, ending),
      },
      signal,
    );
  } finally {
    await opened.disposeAsync();
  }
}

function readNamesWish(text: string): NamesWish {
  const slash = text.indexOf('/');
  const upstream = slash === -1 ? text : text.slice(0, slash);
  const path =
    slash === -1 ? undefined : parseRepositoryPath(inLibrary(upstream, text.slice(slash + 1)));
  if (isUpstream(upstream) && (slash === -1 || path !== undefined)) return { upstream, path };
  const message = `--repository ${text} is no UPSTREAM/PATH, such as docker.io/library/nginx`;
  throw new AirgapError('REPOSITORY_UNCLEAR', message);
}

async function isFile(path: string): Promise<boolean> {
  const found = await stat(path).catch((cause: unknown) => {
    if (systemCodeOf(cause) !== 'ENOENT') throw readFailure(path, cause);
    const message = `there is no ${path}: name the folder of an image layout, or its tar archive`;
    throw new AirgapError('LAYOUT_MISSING', message, { cause });
  });
  return found.isFile();
}

async function readIndex(files: LayoutFiles, path: string): Promise<Index> {
  try {
    const manifest = readManifest(await files.readIndex(maxManifestBytes), undefined);
    if (manifest.kind === 'index') return manifest;
  } catch (cause) {
    if (!(cause instanceof MalformedError) && !(cause instanceof UpstreamError)) throw cause;
    const message = `${path} is no image layout: ${cause.message}`;
    throw new AirgapError('LAYOUT_MALFORMED', message, { cause });
  }
  throw new AirgapError('LAYOUT_MALFORMED', `${path} is no image layout: its index is none`);
}

/** The layout as each of the upstreams that it has images of. */
function sourcesOf(
  named: NamedLayout,
  wish: NamesWish | undefined,
  files: LayoutFiles,
): (upstream: string) => ContentSource {
  const sources = new Map<string, ContentSource>();
  return (name) => {
    const index = renderNamedIndex(name, named, wish);
    const folder = { ...files, version: async () => 'given', readIndex: async () => index };
    const source = sources.get(name) ?? makeLayoutSource({ name, folder });
    sources.set(name, source);
    return source;
  };
}

async function* readContent(
  files: LayoutFiles | undefined,
  { digest }: PlannedContent,
  path: string,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const opened = await files?.openBlob(digest).catch((cause: unknown) => {
    throw readFailure(path, cause);
  });
  if (opened === undefined) {
    throw new AirgapError('BLOB_MISSING', `${path} is not whole: it needs ${digest}`);
  }
  const stream = opened.handle.createReadStream({ highWaterMark: 1 << 20, signal });
  try {
    yield* stream as AsyncIterable<Uint8Array>;
  } catch (cause) {
    signal.throwIfAborted();
    throw readFailure(path, cause);
  } finally {
    stream.destroy();
  }
}
