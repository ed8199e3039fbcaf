import { type Repository, scopeOf } from '../oci/repository.ts';
import { type Denial, describeDenial } from '../verdict/denial.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import type { Metrics } from '../observe/metric-list.ts';
import { denialBehind } from './denied-content.ts';
import type { DenyList } from './deny-list.ts';
import type { Admission } from './trusted-content.ts';

/** What an answer sends. */
export interface Sent {
  readonly descriptor: Pick<Descriptor, 'digest'>;
  readonly admission: Admission;
}

/** Answers under way, so that a denial ends them too. */
export interface RunningAnswers {
  /**
   * Calls `cut` with why, once, as soon as what is sent is denied, or was before; the returned
   * function ends the watch.
   */
  watch(repository: Repository, sent: Sent, cut: (because: string) => void): () => void;
}

interface Running {
  readonly repository: Repository;
  readonly sent: Sent;
  readonly cut: (because: string) => void;
}

/** More than there may be connections; past it an answer is cut at its beginning. */
const maxRunning = 100_000;

export function makeRunningAnswers(list: DenyList, metrics: Metrics): RunningAnswers {
  const running = new Set<Running>();
  const end = (answer: Running, because: string): void => {
    running.delete(answer);
    metrics.count('assay_answers_cut_total', {});
    answer.cut(because);
  };
  const cutIfDenied = (answer: Running): void => {
    const denial = denialOf(answer, list);
    if (denial !== undefined) end(answer, describeDenial(denial));
  };
  list.onChange(() => {
    for (const answer of running) cutIfDenied(answer);
  });
  return {
    watch(repository, sent, cut) {
      const answer = { repository, sent, cut };
      running.add(answer);
      if (running.size > maxRunning) end(answer, 'too many answers are under way');
      // It was admitted a moment ago, and opened since.
      else cutIfDenied(answer);
      return () => void running.delete(answer);
    },
  };
}

/**
 * Of the content, of anything that vouches for it, or of who signed that. Another root may vouch
 * for it as well: then the next request finds it.
 */
function denialOf({ repository, sent }: Running, list: DenyList): Denial | undefined {
  const { verdict, through } = sent.admission;
  for (const digest of [sent.descriptor.digest, ...through]) {
    const denial = list.onDigest(digest);
    if (denial !== undefined) return denial;
  }
  return list.onRepository(scopeOf(repository)) ?? (verdict && denialBehind(verdict, list));
}
