import { rm } from 'node:fs/promises';
import { AirgapError } from './airgap-error.ts';
import { findBundle } from './find-bundle.ts';
import type { VerifiedBundle } from './import-bundle.ts';
import { verifyMetadata } from './metadata-reader.ts';
import { readDocument, readVolumes } from './open-bundle.ts';
import type { StoreState } from './store-state.ts';

/**
 * Opens the bundle in the folders for an import: metadata first, by what the store knows, or by
 * the pinned root before the first. Nothing but small files is read. Throws `AirgapError`.
 */
export async function openForImport(
  places: readonly string[],
  pinnedRoot: () => Promise<Uint8Array | undefined>,
  known: StoreState | undefined,
  now: Date,
): Promise<VerifiedBundle> {
  const root = known?.metadata.root ?? (await pinnedRoot());
  if (root === undefined) {
    throw new AirgapError(
      'ROOT_MISSING',
      'nothing says whose bundles to trust: name the root metadata that came another way' +
        ' (airgap.root in the configuration, or --root root.json)',
    );
  }
  const folder = await findBundle(places);
  const trusted = { root, seen: known?.metadata.seen };
  const metadata = await verifyMetadata({ folder, trusted, now });
  const document = await readDocument(metadata);
  const { snapshot, recovered } = metadata;
  return {
    document,
    snapshot,
    recovered,
    metadata: metadata.trusted,
    volumes: await readVolumes(metadata),
    places,
    async copyIndex(into) {
      await rm(into, { force: true });
      await metadata.copyTarget('blobs.idx', into);
    },
    copyTrust: (path, into) => metadata.copyTarget(path, into),
  };
}
