import type { Digest } from '../oci/digest.ts';
import type { Report } from '../verdict/report.ts';
import type { PassedOver } from '../verdict/search.ts';
import type { Budget } from './budget.ts';
import type { EnvelopeLead } from './candidate.ts';
import { isTooLarge } from './envelope.ts';
import type { Recollection } from './examined.ts';
import type { Lead } from './places.ts';

/** One manifest or envelope that is to be read. */
export type Task =
  | { readonly kind: 'lead'; readonly name: string; readonly lead: Lead }
  | { readonly kind: 'envelope'; readonly name: string; readonly envelope: EnvelopeLead };

/** What became of what was found, beside the reports. */
export interface Tally {
  /** Manifests and envelopes that nobody looked at. */
  unexamined: number;
  readonly passedOver: PassedOver[];
}

/** What is still to be read, in its order. */
export interface Agenda {
  /** Puts tasks before all others; gives what is remembered of them, which are not read again. */
  add(tasks: readonly Task[]): readonly Report[];
  /** The next task that the budget allows; undefined when there is none, or nothing left to spend. */
  next(): Task | undefined;
  /** Counts what is left as unexamined. */
  close(): void;
}

/**
 * What was untrusted before is not read again; what could not be made out before comes last, so
 * that it keeps nobody from being seen, and in turn, so that none of it keeps another from it.
 */
export function makeAgenda(recollection: Recollection, budget: Budget, tally: Tally): Agenda {
  let fresh: Task[] = [];
  let again: { readonly task: Task; readonly turn: number }[] = [];
  return {
    add(tasks) {
      const first: Task[] = [];
      const reports: Report[] = [];
      for (const task of tasks) {
        const known = recollection.get(task.name);
        if (known?.kind === 'untrusted') reports.push(...known.reports);
        else if (known?.kind === 'other')
          tally.passedOver.push({ digest: digestOf(task), because: known.because });
        else if (known?.kind === 'unclear') again.push({ task, turn: known.turn });
        else first.push(task);
      }
      fresh = [...first, ...fresh];
      again = again.toSorted((a, b) => a.turn - b.turn);
      return reports;
    },
    next() {
      while (!budget.isOver()) {
        const task = fresh.shift() ?? again.shift()?.task;
        if (task === undefined || affords(task, budget)) return task;
        tally.unexamined += 1;
      }
      return undefined;
    },
    close() {
      tally.unexamined += fresh.length + again.length;
    },
  };
}

/** A manifest is a candidate, and so is each of its envelopes but the first. */
function affords(task: Task, budget: Budget): boolean {
  if (task.kind === 'lead') return budget.takeCandidate();
  const { envelope } = task;
  const isBytes = isTooLarge(envelope) || budget.takeBytes(envelope.layer.size);
  return isBytes && (envelope.index === 0 || budget.takeCandidate());
}

function digestOf(task: Task): Digest {
  return task.kind === 'lead' ? task.lead.digest : task.envelope.manifest;
}
