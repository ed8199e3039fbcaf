import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { AirgapError } from '../airgap/airgap-error.ts';
import type { BundleDocument } from '../airgap/bundle.ts';
import { makeHeldBlobs } from '../airgap/held-blobs.ts';
import { importBundle, type ImportRequest } from '../airgap/import-bundle.ts';
import type { ImageOutcome, ImportProgress, ImportReport } from '../airgap/import-report.ts';
import { openForImport } from '../airgap/import-source.ts';
import { lastOfRoots } from '../airgap/metadata-roots.ts';
import { makeStoreFiles, type StoreFiles } from '../airgap/store-files.ts';
import type { Config } from '../config/schema.ts';
import { readFileBounded } from '../files/read-file.ts';
import type { DenyList } from '../gate/deny-list.ts';
import { type MadeGate, makeGate } from '../gate/gate.ts';
import { makeSeal, makeSealedState } from '../gate/sealed.ts';
import { type Clock, randomHex, systemClock } from '../kernel/clock.ts';
import { messageOf } from '../kernel/tagged-error.ts';
import type { Log } from '../observe/log.ts';
import type { Metrics } from '../observe/metric-list.ts';
import { type FileSystem, systemFiles } from '../storage/file-system.ts';
import { matching } from '../storage/matching.ts';
import { makeMemoryKeyValue } from '../storage/memory-key-value.ts';
import { TrustError } from '../trust/trust-error.ts';
import type { ContentSource } from '../upstream/content-source.ts';
import { makeLayoutSource } from '../upstream/layout-source.ts';
import { applyDenials } from './airgap-denials.ts';
import { judgeImages } from './airgap-images.ts';
import { revocationAsOf } from './airgap-revocation.ts';
import { openDenyList } from './deny.ts';
import { gateLimits } from './limits.ts';
import { loadWholeBasis } from './load-basis.ts';
import { readFailure } from './read-failure.ts';
import { openRevocation } from './revocation.ts';
import { StartupError } from './startup-error.ts';
import { makeStorageFolder, openSealKeys } from './state-folder.ts';
import { openShared } from './state.ts';
import { makeConfiguredVerifier } from './verifier.ts';
import { openWorkApart } from './worker-threads.ts';
import { makeZoneLayout } from './zone-layout.ts';

export type { ImageOutcome, ImportReport } from '../airgap/import-report.ts';

export interface AirgapImport extends ImportRequest {
  /** Folders that the bundle came in, or parts of it. */
  readonly places: readonly string[];
  /** Before `airgap.root` of the configuration. */
  readonly root?: string | undefined;
  readonly onProgress: (progress: ImportProgress) => void;
}

export interface ImportOverrides {
  readonly clock?: Clock;
  readonly files?: FileSystem;
}

const silent: { readonly metrics: Metrics; readonly log: Log } = {
  metrics: { count() {}, time() {}, set() {} },
  log: { debug() {}, info() {}, warn() {}, error() {} },
};
const maxRootBytes = 1024 * 1024;

/**
 * Imports a bundle into the store of the configuration, beside a live server or without one.
 * Throws `StartupError` and `AirgapError`.
 */
export async function importAirgap(
  config: Config,
  { places, root, onProgress, ...request }: AirgapImport,
  signal: AbortSignal,
  { clock = systemClock, files = systemFiles }: ImportOverrides = {},
): Promise<ImportReport> {
  const opened = new AsyncDisposableStack();
  try {
    const importing = await openImporting(config, clock, opened);
    const { store, seal, replica, keptGenerations } = importing;
    const pinned = (): Promise<Buffer | undefined> => readRoot(root ?? config.airgap?.root);
    const { list } = replica;
    return await importBundle(
      request,
      {
        store,
        files,
        seal,
        clock,
        keptGenerations,
        onProgress,
        openBundle: (known, now) => openForImport(places, pinned, known, now),
        readRevocation,
        deny: (denials, document) => applyDenials(denials, document, replica),
        checkReady: () => checkReady(config),
        verifyImages: (document, now, ending) =>
          verifyImages(document, config, { store, files, list, now, clock }, ending),
      },
      signal,
    );
  } finally {
    await opened.disposeAsync();
  }
}

/** What every import needs: the store, and what the site denies. Throws `StartupError`. */
export async function openImporting(config: Config, clock: Clock, opened: AsyncDisposableStack) {
  const { airgap } = config;
  if (airgap?.store === undefined) {
    const message = 'the configuration has no airgap.store, into which bundles are imported';
    throw new StartupError('CONFIGURATION_MISSING', message);
  }
  const store = makeStoreFiles(airgap.store);
  await makeStorageFolder(config.storage.path);
  const seal = makeSeal(await openSealKeys(config));
  const shared = await openShared(config, opened);
  const replica = await openDenyList(config, { ...shared, seal }, { ...silent, clock });
  return { store, seal, replica, keptGenerations: airgap.generations };
}

async function readRoot(file: string | undefined): Promise<Buffer | undefined> {
  if (file === undefined) return undefined;
  try {
    const root = await readFileBounded(file, maxRootBytes);
    lastOfRoots([root]);
    return root;
  } catch (cause) {
    if (cause instanceof AirgapError) {
      const message = `${file} is no root to begin with: ${cause.message}`;
      throw new AirgapError('ROOT_MISSING', message, { cause });
    }
    const message = `the root ${file} can not be read: ${readFailure(cause)}`;
    throw new AirgapError('ROOT_MISSING', message, { cause });
  }
}

/** Of what lies in the store nothing counts yet. */
const nothingCarried = '';

/** Throws `StartupError` with every problem of the site's own policy and trust material. */
export async function checkReady(config: Config): Promise<void> {
  await loadWholeBasis(offlineOf(config), async () => undefined, nothingCarried);
}

function offlineOf(config: Config): Config {
  return { ...config, trust: { ...config.trust, offline: true } };
}

interface Staged {
  readonly store: StoreFiles;
  readonly files: FileSystem;
  readonly list: DenyList;
  readonly now: () => Date;
  readonly clock: Clock;
}

/** By the site's policy and trust, with what came along of revocations, and nothing over the network. */
export async function verifyImages(
  document: Pick<BundleDocument, 'images'>,
  config: Config,
  staged: Staged,
  signal: AbortSignal,
): Promise<readonly ImageOutcome[]> {
  const { store, files, now } = staged;
  const clock: Clock = { now, monotonicMs: () => staged.clock.monotonicMs() };
  const opened = new AsyncDisposableStack();
  try {
    const gate = await openStagedGate(config, { ...staged, clock }, opened);
    const held = makeHeldBlobs({ folder: store.folder, files, clock });
    const layout = makeZoneLayout(store.root, '', () => atStaged(store));
    return await judgeImages(document, { gate, held, files: layout }, signal);
  } finally {
    await opened.disposeAsync();
  }
}

function atStaged({ work }: StoreFiles) {
  return { version: 'staged', generation: work.generation };
}

/** A gate of its own over what is staged, which remembers nothing. */
async function openStagedGate(
  config: Config,
  { store, list, clock }: Staged,
  opened: AsyncDisposableStack,
): Promise<MadeGate> {
  const carried = join(store.work.trust, 'revocation');
  const offline = offlineOf(config);
  const loaded = await loadWholeBasis(offline, async () => undefined, carried);
  const basis = { ...loaded, generation: 1 };
  const observed = { ...silent, clock, denied: list };
  const trust = () => basis.trust;
  const revocation = openRevocation(
    offline,
    { ...observed, trust, ownListeners: () => [] },
    opened,
  );
  const upstreams = openStagedSources(store);
  const parts = { ...observed, revocation, ...openWorkApart(opened) };
  const { tag, staleTag, untrusted } = config.lifetimes;
  return makeGate({
    ...observed,
    source: upstreams.get,
    verifier: makeConfiguredVerifier(offline, () => basis, upstreams, parts),
    state: makeSealedState(makeMemoryKeyValue(), [Buffer.from(randomHex(32))], silent),
    denyList: list,
    matching,
    lifetimes: { tagMs: tag.ms, staleTagMs: staleTag.ms, absentMs: untrusted.ms },
    limits: gateLimits,
  });
}

function openStagedSources(store: StoreFiles) {
  const sources = new Map<string, ContentSource>();
  return {
    get: (upstream: string): ContentSource | undefined => {
      if (!existsSync(join(store.work.generation, upstream, 'index.json'))) return undefined;
      const folder = makeZoneLayout(store.root, upstream, () => atStaged(store));
      const source = sources.get(upstream) ?? makeLayoutSource({ name: upstream, folder });
      sources.set(upstream, source);
      return source;
    },
  };
}

/** What can't be read here would keep the server from starting. */
async function readRevocation(folder: string): Promise<Date | undefined> {
  if (!existsSync(folder)) return undefined;
  try {
    return await revocationAsOf(folder);
  } catch (cause) {
    if (!(cause instanceof TrustError)) throw cause;
    const message = `the bundle's revocation data do not load: ${messageOf(cause)}`;
    throw new AirgapError('TRUST_FILE_MALFORMED', message, { cause });
  }
}
