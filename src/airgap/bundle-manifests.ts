import type { Descriptor } from '../oci/descriptor.ts';
import type { BundleDocument } from './bundle.ts';

/** Every manifest that a bundle speaks of, each as often as it does. */
export function* manifestsOf({ images }: Pick<BundleDocument, 'images'>): Generator<Descriptor> {
  for (const { root, children, evidence } of images) {
    yield root;
    yield* children;
    for (const { manifest } of evidence) yield manifest;
  }
}
