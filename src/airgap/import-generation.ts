import type { BundleDocument } from './bundle.ts';
import { copyGeneration, type StagedGeneration, writeGeneration } from './generation.ts';
import type { ImportDependencies, VerifiedBundle } from './import-bundle.ts';
import { stageTrust } from './import-trust.ts';
import { type ImageOutcome, isAdmitted } from './import-report.ts';
import { readLayoutImages } from './layout-images.ts';
import type { Published } from './published.ts';

/** A generation that is ready to be published, but for who is to be in it. */
export interface PreparedGeneration {
  readonly images: readonly ImageOutcome[];
  /** How old what came of revocations says that it is; undefined: nothing came. */
  readonly revocationAsOf: Date | undefined;
  /** Leaves out what is not admitted. */
  readonly staged: (images: readonly ImageOutcome[]) => Promise<StagedGeneration>;
}

/**
 * Lays out what a bundle is to be served from, with its trust files, and has each image verified
 * as it lies there.
 */
export async function prepareGeneration(
  {
    bundle,
    published,
    now,
  }: {
    readonly bundle: VerifiedBundle;
    readonly published: Published | undefined;
    readonly now: () => Date;
  },
  dependencies: ImportDependencies,
  signal: AbortSignal,
): Promise<PreparedGeneration> {
  const { store, files, verifyImages, onProgress } = dependencies;
  const { document } = bundle;
  const { work } = store;
  const fromLayouts = await readLayoutImages(store, published, files);
  const revocationAsOf = await stageTrust({ bundle, published }, dependencies);
  if (document.kind === 'revocation') {
    if (published === undefined) {
      const nothing = await writeGeneration(work.generation, document, files);
      return { images: [], revocationAsOf, staged: async () => nothing };
    }
    const from = store.generation(published.generation);
    await copyGeneration(from, work.generation, published.upstreams, files);
    return { images: [], revocationAsOf, staged: async () => published };
  }
  await writeGeneration(work.generation, document, files, fromLayouts);
  onProgress({ step: 'images', doneBytes: 0, totalBytes: 0 });
  const images = await verifyImages(document, now, signal);
  return {
    images,
    revocationAsOf,
    staged: (outcomes) =>
      writeGeneration(work.generation, withAdmitted(document, outcomes), files, fromLayouts),
  };
}

function withAdmitted(document: BundleDocument, outcomes: readonly ImageOutcome[]): BundleDocument {
  if (outcomes.length !== document.images.length) throw new TypeError('not every image was judged');
  const images = document.images.filter((_, index) => {
    const outcome = outcomes[index];
    return outcome !== undefined && isAdmitted(outcome);
  });
  return { ...document, images };
}
