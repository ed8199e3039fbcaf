import { setImmediate as othersTurn } from 'node:timers/promises';
import type { IdentityRequirement } from '../verdict/identity-requirement.ts';
import type { Report } from '../verdict/report.ts';
import { makeAgenda, type Tally, type Task } from './agenda.ts';
import {
  type Candidate,
  type Envelopes,
  type ReadFrom,
  readLead,
  toFailedCandidate,
} from './candidate.ts';
import { isTooLarge, readEnvelope } from './envelope.ts';
import type { EnvelopeRoom } from './envelope-room.ts';
import { inBrief, type Recollection } from './examined.ts';
import type { Lead } from './places.ts';
import { eachSettled } from './settled.ts';
import type { Subject } from './verifier.ts';

export type Examinable = Exclude<Candidate, { kind: 'other' }>;

/** What an examination of leads needs. */
export interface ExaminationPlan {
  readonly subject: Subject;
  readonly from: ReadFrom;
  /** Every identity that the rule names, with what it demands here. */
  readonly identities: ReadonlyMap<string, IdentityRequirement | undefined>;
  readonly recollection: Recollection;
  readonly room: EnvelopeRoom;
  /** Manifests and envelopes that are fetched at the same time. */
  readonly concurrency: number;
  readonly examine: (
    candidate: Examinable,
    identity: string,
    requirement: IdentityRequirement | undefined,
  ) => Promise<Report>;
}

/**
 * Examines leads in their order within the budget, and yields the reports of each as soon as they
 * are there. A consumer that has enough stops early.
 */
export async function* examineLeads(
  leads: readonly Lead[],
  plan: ExaminationPlan,
  tally: Tally,
): AsyncGenerator<readonly Report[]> {
  const agenda = makeAgenda(plan.recollection, plan.from.budget, tally);
  const tasks = leads.map((lead): Task => ({
    kind: 'lead',
    // Under a tag the same manifest may do without a subject.
    name: `${lead.path}@${lead.digest}${lead.isTagged ? ' tagged' : ''}`,
    lead,
  }));
  yield agenda.add(tasks);
  const held: Held = { leaves: new Map(), isOver: false };
  const next = () => {
    const task = agenda.next();
    return task && (async () => ({ task, outcome: await read(task, plan, held) }));
  };
  try {
    for await (const { task, outcome } of eachSettled(next, plan.concurrency)) {
      if (outcome.kind === 'envelopes') {
        tally.unexamined += outcome.omitted;
        yield agenda.add(toTasks(task, outcome));
      } else {
        const reports = await conclude(task, outcome, plan, tally);
        held.leaves.get(task)?.();
        held.leaves.delete(task);
        yield reports;
      }
    }
    agenda.close();
  } finally {
    held.isOver = true;
    for (const leave of held.leaves.values()) leave();
  }
}

/** How to give back the room that envelopes take, by task. */
interface Held {
  readonly leaves: Map<Task, () => void>;
  /** Nobody waits any more: what still comes gives it back at once. */
  isOver: boolean;
}

async function read(
  task: Task,
  { subject, from, room }: ExaminationPlan,
  held: Held,
): Promise<Candidate | Envelopes> {
  if (task.kind === 'lead') return readLead(task.lead, subject.descriptor.digest, from);
  const { envelope } = task;
  if (!isTooLarge(envelope)) {
    try {
      const leave = await room.enter(envelope.layer.size, from.budget.signal);
      if (held.isOver) leave();
      else held.leaves.set(task, leave);
    } catch (error) {
      return toFailedCandidate(error, envelope.manifest);
    }
  }
  return readEnvelope(envelope, from);
}

/** An envelope that is alone goes by the name of its manifest, which need not be read again then. */
function toTasks({ name }: Task, { envelopes }: Envelopes): readonly Task[] {
  return envelopes.map((envelope) => ({
    kind: 'envelope',
    name: envelope.isSeveral ? `${name}#${envelope.index}` : name,
    envelope,
  }));
}

async function conclude(
  { name }: Task,
  candidate: Candidate,
  { identities, recollection, examine }: ExaminationPlan,
  tally: Tally,
): Promise<readonly Report[]> {
  if (candidate.kind === 'other') {
    const { digest, because, isLasting } = candidate;
    tally.passedOver.push({ digest, because });
    recollection.set(name, isLasting ? { kind: 'other', because } : { kind: 'unclear' });
    return [];
  }
  // It may be made to cost milliseconds, and there may be many: other requests are not to wait.
  await othersTurn();
  const reports: Report[] = [];
  for (const [identity, requirement] of identities) {
    reports.push(await examine(candidate, identity, requirement));
  }
  const isLasting = isLastingly(candidate) && reports.every(isForGood);
  recollection.set(
    name,
    isLasting ? { kind: 'untrusted', reports: reports.map(inBrief) } : { kind: 'unclear' },
  );
  return reports;
}

function isLastingly(candidate: Examinable): boolean {
  return candidate.kind === 'broken' ? candidate.isLasting : candidate.kind !== 'unfetched';
}

/**
 * Neither time nor anybody's answer would change it: the bytes, the rule and the trust material do.
 * But for a plugin's no, which holds as long, lest it is run for each copy of a signature.
 */
function isForGood({ outcome, reason }: Report): boolean {
  return (
    outcome === 'untrusted' && (reason === 'signature-invalid' || reason === 'no-trusted-signer')
  );
}
