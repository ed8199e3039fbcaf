import type { BundleDenial, BundleDocument } from '../airgap/bundle.ts';
import type { DenyReplica } from '../gate/deny-replica.ts';
import { describeTarget } from '../verdict/denial.ts';

/**
 * Takes a bundle's denials to the site's deny list, but for those that are on it without an end.
 * Resolves with how many came to it. Whoever takes one back here has it again with the next bundle
 * that names it.
 */
export async function applyDenials(
  denials: readonly BundleDenial[],
  { stream, sequence }: Pick<BundleDocument, 'stream' | 'sequence'>,
  replica: Pick<DenyReplica, 'list' | 'add'>,
): Promise<number> {
  const known = new Set(
    replica.list
      .entries()
      .filter(({ until }) => until === undefined)
      .map(({ target }) => describeTarget(target)),
  );
  const owner = `air-gap stream ${stream}, bundle ${sequence}`;
  let added = 0;
  for (const { target, because } of denials) {
    const name = describeTarget(target);
    if (known.has(name)) continue;
    known.add(name);
    await replica.add({ target, reason: because, owner });
    added += 1;
  }
  return added;
}
