import type { SignatureFormat } from '../formats/signature-format.ts';
import { messageOf } from '../kernel/tagged-error.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import type { ContentSource } from '../upstream/content-source.ts';
import { type Candidate, readCandidate } from './candidate.ts';
import type { Subject } from './verifier.ts';

export interface DiscoveryLimits {
  /** Referrers that are fetched and read at most for one subject. */
  readonly maxCandidates: number;
  /** Referrers fetched at the same time. */
  readonly concurrency: number;
}

/** Where signatures were looked for, and what could not be looked at. */
export interface Discovery {
  /** Why the list of referrers itself could not be had. */
  readonly unlisted: string | undefined;
  /** Referrers past the limit, which nobody looked at. */
  readonly left: number;
  /** Candidates in batches, likely signatures first; a caller that has enough stops early. */
  readonly batches: AsyncIterable<readonly Candidate[]>;
}

/** Lists the referrers of a subject and reads them in batches, within limits. */
export async function discover(
  subject: Subject,
  source: ContentSource,
  formats: readonly SignatureFormat[],
  limits: DiscoveryLimits,
  signal: AbortSignal,
): Promise<Discovery> {
  const { path } = subject.repository;
  let hints: readonly Descriptor[];
  try {
    hints = await source.listReferrers(path, subject.descriptor.digest, signal);
  } catch (error) {
    return { unlisted: messageOf(error), left: 0, batches: none() };
  }
  const examined = inLikelihood(hints, formats).slice(0, limits.maxCandidates);
  const from = { source, path, formats };
  async function* batches(): AsyncGenerator<readonly Candidate[]> {
    for (let start = 0; start < examined.length; start += limits.concurrency) {
      const batch = examined.slice(start, start + limits.concurrency);
      yield await Promise.all(
        batch.map((hint) => readCandidate(hint, subject.descriptor.digest, from, signal)),
      );
    }
  }
  return { unlisted: undefined, left: hints.length - examined.length, batches: batches() };
}

/** Some registries list every referrer with the empty type, so the hint orders and never drops. */
function inLikelihood(
  hints: readonly Descriptor[],
  formats: readonly SignatureFormat[],
): readonly Descriptor[] {
  const known = new Set(formats.flatMap((format) => format.artifactTypes));
  const isLikely = ({ artifactType }: Descriptor): boolean =>
    artifactType !== undefined && known.has(artifactType);
  return [...hints.filter(isLikely), ...hints.filter((hint) => !isLikely(hint))];
}

async function* none(): AsyncGenerator<readonly Candidate[]> {}
