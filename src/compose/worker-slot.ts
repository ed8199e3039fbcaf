import type { Readiness } from '../admin/health.ts';
import type { MetricsSnapshot } from '../observe/metrics.ts';
import type { WorkerProcess } from './fork-worker.ts';
import { makeQuestions, type Questions } from './questions.ts';
import type { StartupErrorCode } from './startup-error.ts';
import type { WorkerQuestion } from './worker-messages.ts';

/** One of the workers that there should be; its process may be another one after a crash. */
export interface Slot {
  /** From 1. */
  readonly worker: number;
  run: Run | undefined;
}

/** One process of it, from its start to its end. */
export interface Run {
  readonly process: WorkerProcess;
  readonly questions: Questions<WorkerQuestion, MetricsSnapshot | Readiness>;
  readonly exited: PromiseWithResolvers<void>;
  isListening: boolean;
  /** It has said something. */
  isHeard: boolean;
  /** How often it was asked, or looked at, since it last said something. */
  silentRounds: number;
  /** What decides in it, as it last said. */
  inForce: string | undefined;
  /** For how many rounds that was something else than in the primary. */
  strayRounds: number;
  /** It was killed since it answered nothing. */
  isHung: boolean;
  /** Why it could not start, in its own words. */
  problem: { readonly code: StartupErrorCode; readonly messages: readonly string[] } | undefined;
  /** The last that was heard of what it counts. */
  metrics: MetricsSnapshot | undefined;
}

/** The longest that anybody waits for what a worker says of itself. */
const answerMs = 2_000;

export function makeRun(process: WorkerProcess): Run {
  return {
    process,
    questions: makeQuestions(
      (id, question) => process.send({ kind: 'question', id, question }),
      answerMs,
    ),
    exited: Promise.withResolvers(),
    isListening: false,
    isHeard: false,
    silentRounds: 0,
    inForce: undefined,
    strayRounds: 0,
    isHung: false,
    problem: undefined,
    metrics: undefined,
  };
}

/** How many rounds a worker may say nothing. */
export interface HangLimits {
  readonly maxSilentRounds: number;
  /** Before its first word: it takes a while to load. */
  readonly maxSilentRoundsAtStart: number;
}

/**
 * Asks it for a word; true where it has given none for too long. That is told by rounds and not by
 * a clock: where all processes stood still for a while, none of them hangs.
 */
export function isSilent(run: Run, limits: HangLimits): boolean {
  const { maxSilentRounds, maxSilentRoundsAtStart } = limits;
  const most = run.isHeard ? maxSilentRounds : maxSilentRoundsAtStart;
  if (run.silentRounds >= most) return true;
  run.silentRounds += 1;
  if (run.isHeard) run.process.send({ kind: 'are-you-alive' });
  return false;
}

/** How many rounds a worker may decide by something else than the primary. */
export interface StrayLimits {
  /** A change reaches them one after the other. */
  readonly maxStrayRounds: number;
  /** After so many it is told again. */
  readonly strayAgainRounds: number;
}

/**
 * Whether it is to be told to load policy and trust anew. One that could not read a file for a
 * moment would otherwise go by the former ones until the next change.
 */
export function isStray(run: Run, expected: string, limits: StrayLimits): boolean {
  const { maxStrayRounds, strayAgainRounds } = limits;
  const isSame = run.inForce === undefined || run.inForce === expected;
  run.strayRounds = isSame ? 0 : run.strayRounds + 1;
  return run.strayRounds % strayAgainRounds === maxStrayRounds;
}

/** Whether it serves, in its own words; undefined where it says nothing. */
export async function readinessOf({ questions }: Run): Promise<Readiness | undefined> {
  const answer = await questions.ask('ready');
  return answer !== undefined && 'ok' in answer ? answer : undefined;
}

/** Takes down what it counts; what was heard of it before stays where it says nothing. */
export async function askForMetrics(run: Run): Promise<void> {
  const answer = await run.questions.ask('metrics');
  if (answer !== undefined && !('ok' in answer)) run.metrics = answer;
}
