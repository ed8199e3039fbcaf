import type { BundleDenial, BundleDocument } from '../airgap/bundle.ts';
import { maxDenials } from '../gate/denial-set.ts';
import { fullList } from '../gate/deny-change.ts';
import type { DenyReplica } from '../gate/deny-replica.ts';
import { describeTarget } from '../verdict/denial.ts';

/** Each writes the list once; one of all entries could take longer than a writer may. */
const batchLength = 100;
/** Characters that people may write as a reason. */
const maxReasonLength = 500;

/**
 * Takes a bundle's denials to the site's deny list, but for those that are on it without an end.
 * Resolves with how many came to it. Whoever takes one back here has it again with the next bundle
 * that names it. Throws `DenyListError`, before any is taken where there is no room for all: what
 * the site itself has to deny must not find the list full of somebody else's.
 */
export async function applyDenials(
  denials: readonly BundleDenial[],
  { stream, sequence }: Pick<BundleDocument, 'stream' | 'sequence'>,
  replica: Pick<DenyReplica, 'list' | 'addAll'>,
): Promise<number> {
  const entries = replica.list.entries();
  const known = new Set(
    entries.filter(({ until }) => until === undefined).map(({ target }) => describeTarget(target)),
  );
  const owner = `air-gap stream ${stream}, bundle ${sequence}`;
  const byName = new Map(denials.map((denial) => [describeTarget(denial.target), denial]));
  const fresh = [...byName].filter(([name]) => !known.has(name)).map(([, denial]) => denial);
  if (entries.length + fresh.length > maxDenials) throw fullList();
  for (let from = 0; from < fresh.length; from += batchLength) {
    const batch = fresh.slice(from, from + batchLength);
    await replica.addAll(
      batch.map(({ target, because }) => ({ target, reason: shortened(because), owner })),
    );
  }
  return fresh.length;
}

function shortened(because: string): string {
  const characters = Array.from(because);
  if (characters.length <= maxReasonLength) return because;
  return `${characters.slice(0, maxReasonLength - 1).join('')}…`;
}
