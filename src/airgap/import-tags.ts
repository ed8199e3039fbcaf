import { scopeOf } from '../oci/repository.ts';
import { AirgapError } from './airgap-error.ts';
import type { BundleDocument } from './bundle.ts';
import { nameOf } from './plan.ts';
import type { StoreState, TagState } from './store-state.ts';

type Tags = StoreState['tags'];

/**
 * What is known of tags after a bundle. Throws `AirgapError` (TAG_ROLLBACK) where one goes back,
 * or elsewhere under the same version, without a record of the bundle that permits it now.
 */
export function followTags(
  { images, rollbacks }: Pick<BundleDocument, 'images' | 'rollbacks'>,
  known: Tags,
  now: Date,
): Tags {
  const next = new Map(Object.entries(known));
  const permitted = Map.groupBy(
    rollbacks,
    ({ repository, tag }) => `${scopeOf(repository)}:${tag}`,
  );
  for (const image of images) {
    const { tag, tagVersion: version, root } = image;
    if (tag === undefined || version === undefined) continue;
    const name = nameOf(image);
    const before = next.get(name);
    const state: TagState = { version, digest: root.digest };
    const isPermitted = (): boolean =>
      permitted.get(name)?.some(({ to, until }) => to === root.digest && now < until) === true;
    if (before !== undefined && goesBack(before, state) && !isPermitted()) {
      throw new AirgapError('TAG_ROLLBACK', describe(name, before, state));
    }
    next.set(name, state);
  }
  return Object.fromEntries(next);
}

function goesBack(before: TagState, { version, digest }: TagState): boolean {
  return version < before.version || (version === before.version && digest !== before.digest);
}

function describe(name: string, before: TagState, next: TagState): string {
  return (
    `${name} had version ${before.version} here (${before.digest}), and the bundle has version` +
    ` ${next.version} (${next.digest}) without a signed record that permits it`
  );
}
