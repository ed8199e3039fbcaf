import type { Clock } from '../kernel/clock.ts';
import { messageOf } from '../kernel/tagged-error.ts';
import type { Log } from '../observe/log.ts';
import type { Metrics } from '../observe/metric-list.ts';
import type { InTurn } from '../storage/turns.ts';
import { PolicyRevisionError } from './gate-error.ts';
import {
  isSameMark,
  laterMark,
  type MarkPlace,
  markWith,
  noMark,
  type PolicyMark,
  type ReadMark,
  type SetBack,
  setBackTo,
  unrevised,
} from './policy-mark.ts';

/** Keeps an older revision of the trust policy from coming into force, here and on all replicas. */
export interface PolicyGuard {
  /** Before anything is decided by the policy of this start. Throws `PolicyRevisionError`. */
  admitFirst(revision: number | undefined): Promise<void>;
  /**
   * Before a policy of the revision takes the place of the one in force: from then on it keeps older
   * ones out everywhere. Throws `PolicyRevisionError`.
   */
  admit(revision: number | undefined): Promise<void>;
  /** Takes over what others know, and gives them what they lack. Never rejects. */
  look(): Promise<void>;
  /**
   * Permits revisions from this one, and none below, up to the highest that ever was; undefined
   * where just that is permitted already. Throws `PolicyRevisionError` where that can't be shared.
   */
  setBack(floor: number, by: Pick<SetBack, 'owner' | 'reason'>): Promise<PolicyMark | undefined>;
  mark(): PolicyMark;
  /** Why nothing may be decided by the policy in force; undefined: it may. */
  heldBack(): string | undefined;
  /** Where others have a newer revision in force: in words. Long before that holds anything back. */
  behind(): string | undefined;
}

export interface PolicyGuardDependencies {
  readonly shared: MarkPlace;
  readonly kept: MarkPlace & { readonly path: string };
  /** Of the policy in force here; undefined where it says none. */
  readonly inForce: () => number | undefined;
  /** Called when somebody has permitted an older revision. */
  readonly onSetBack: () => void;
  /** So long a replica may go on with an older revision than others have, until its own comes. */
  readonly graceMs: number;
  readonly inTurn: InTurn;
  readonly clock: Clock;
  readonly metrics: Metrics;
  readonly log: Log;
}

interface GuardState extends PolicyGuardDependencies {
  mark: PolicyMark;
  /** What a version to come has written is not understood, and so not overwritten. */
  isNewer: boolean;
  isKept: boolean;
  problem: string | undefined;
}

/** Throws `PolicyRevisionError` where what was known of revisions can't be read. */
export async function openPolicyGuard(dependencies: PolicyGuardDependencies): Promise<PolicyGuard> {
  const { clock, graceMs, inForce, inTurn, log, metrics } = dependencies;
  const kept = await dependencies.kept.read();
  const fresh = { mark: markOf(kept), isNewer: false, isKept: kept.kind === 'whole' };
  const state: GuardState = { ...dependencies, ...fresh, problem: undefined };
  await begin(state, kept);
  let behindSinceMs: number | undefined;

  const behind = (): string | undefined => {
    const revision = inForce() ?? unrevised;
    if (revision >= state.mark.floor) return undefined;
    return `the trust policy has ${describe(revision)}, and others have revision ${state.mark.floor}`;
  };
  const heldBack = (): string | undefined => {
    if (state.isNewer) return newerMark;
    const isOver = behindSinceMs !== undefined && clock.monotonicMs() - behindSinceMs >= graceMs;
    return isOver ? behind() : undefined;
  };
  const noteBehind = (): void => {
    const because = behind();
    if (because === undefined) behindSinceMs = undefined;
    else if (behindSinceMs === undefined) {
      behindSinceMs = clock.monotonicMs();
      log.error({ because, graceMs }, 'the trust policy is behind that of other replicas');
    }
    const fenced = heldBack() === undefined ? 0 : 1;
    metrics.set('assay_replica_fenced', { because: 'policy' }, fenced);
  };
  const look = async (): Promise<void> => {
    const { turn } = state.mark;
    await inTurn(() => bringTogether(state));
    noteBehind();
    if (state.mark.turn > turn) tellSetBack(state);
  };
  const admit = async (revision: number, present: number): Promise<void> => {
    await look();
    if (revision < Math.min(state.mark.floor, present)) throw refused(revision, state.mark);
    advance(state, markWith(state.mark, revision));
    await look();
  };
  return {
    admitFirst: (revision = unrevised) => admit(revision, Infinity),
    // One that is behind already stays: trust material that changes with it must not wait for it.
    admit: (revision = unrevised) => admit(revision, inForce() ?? unrevised),
    look,
    setBack: (floor, by) =>
      inTurn(async () => {
        await bringTogether(state);
        assertShared(state);
        if (floor === state.mark.floor || floor > state.mark.ceiling) return undefined;
        advance(state, setBackTo(state.mark, floor, { ...by, at: clock.now() }));
        await bringTogether(state);
        assertShared(state);
        return state.mark;
      }),
    mark: () => state.mark,
    heldBack,
    behind,
  };
}

const newerMark =
  'a newer version of Assay has noted something about revisions of the policy that this one does not know';

/** An unknown mark is no permission: an older policy could come in while it can't be read. */
async function begin(state: GuardState, kept: ReadMark): Promise<void> {
  if (kept.kind === 'newer') throw unknownMark(newerMark);
  const shared = await state.shared.read().catch(() => undefined);
  if (shared?.kind === 'newer') throw unknownMark(newerMark);
  const isOnlyOne = shared === undefined || shared.kind === 'absent';
  if (kept.kind === 'damaged' && isOnlyOne) {
    const other = shared === undefined ? 'the shared one can not be read' : 'there is no other';
    throw unknownMark(`${state.kept.path} does not open (${kept.because}), and ${other}`);
  }
  if (shared?.kind === 'damaged' && kept.kind !== 'whole') {
    throw unknownMark('what is shared of it does not open with the keys in state.keys');
  }
}

function unknownMark(why: string): PolicyRevisionError {
  const message = `which revisions of the trust policy may be in force is not known: ${why}`;
  return new PolicyRevisionError('POLICY_REVISION', message);
}

function assertShared({ problem, isNewer }: GuardState): void {
  const because = isNewer ? newerMark : problem;
  if (because === undefined) return;
  const message = `the state that replicas share can not be changed: ${because}`;
  throw new PolicyRevisionError('POLICY_REVISION', message);
}

async function bringTogether(state: GuardState): Promise<void> {
  const { shared, inForce, log } = state;
  try {
    const read = await shared.read();
    state.isNewer = read.kind === 'newer';
    if (state.isNewer) return;
    // One in force above all that was known came in while the shared state was away.
    const known = markWith(state.mark, inForce() ?? unrevised);
    const next = laterMark(known, markOf(read));
    advance(state, next);
    if (!isSameMark(next, markOf(read))) {
      if (read.kind === 'damaged') log.error({}, 'the shared mark of the policy is written again');
      await shared.write(next);
    }
    await keep(state);
    if (state.problem !== undefined) log.info({}, 'the mark of the policy is shared again');
    state.problem = undefined;
  } catch (error) {
    const because = messageOf(error);
    if (because !== state.problem) log.warn({ because }, 'the mark of the policy is not shared');
    state.problem = because;
    await keep(state).catch(() => undefined);
  }
}

function advance(state: GuardState, next: PolicyMark): void {
  state.isKept &&= isSameMark(next, state.mark);
  state.mark = next;
}

/** Where no policy ever had a revision there is nothing to keep. */
async function keep(state: GuardState): Promise<void> {
  if (state.isKept || isSameMark(state.mark, noMark)) return;
  await state.kept.write(state.mark);
  state.isKept = true;
}

function tellSetBack({ mark, log, onSetBack }: GuardState): void {
  const { floor, setBack } = mark;
  log.warn({ floor, ...setBack }, 'an older revision of the trust policy is permitted');
  onSetBack();
}

function markOf(read: ReadMark): PolicyMark {
  return read.kind === 'whole' ? read.mark : noMark;
}

function describe(revision: number): string {
  return revision === unrevised ? 'no revision' : `revision ${revision}`;
}

function refused(revision: number, { floor }: PolicyMark): PolicyRevisionError {
  const to = revision === unrevised ? 'none' : String(revision);
  const message =
    `the trust policy has ${describe(revision)}, and revision ${floor} was in force: bring that or a ` +
    `newer one, or permit the older one with \`assay policy set-back ${to}\``;
  return new PolicyRevisionError('POLICY_REVISION', message);
}
