import type { Clock } from '../kernel/clock.ts';
import type { AnswerStore } from './answer-store.ts';
import type { Asker } from './ask-source.ts';
import type { Held } from './held-answers.ts';
import type { RevocationEvents } from './revocation-events.ts';
import type { RevocationLimits } from './revocation-limits.ts';

export interface RefreshDependencies {
  readonly store: AnswerStore;
  readonly asker: Asker;
  readonly clock: Clock;
  readonly events: RevocationEvents;
  readonly limits: RevocationLimits;
}

/** One round: what ended or is not used is dropped, what grows old is asked for, a few at once. */
export async function refreshAnswers(dependencies: RefreshDependencies): Promise<void> {
  const { store, asker, clock, events, limits } = dependencies;
  const nowMs = clock.now().getTime();
  for (const held of store.all()) {
    const isUnused = nowMs - held.usedAt.getTime() > limits.unusedMs;
    if (isUnused || held.validUntil.getTime() <= nowMs) store.forget(held.source.key);
  }
  const inUse = store.all();
  for (const kind of ['ocsp', 'crl'] as const) {
    const ages = inUse
      .filter(({ source }) => source.kind === kind)
      .map(({ fetchedAt }) => nowMs - fetchedAt.getTime());
    events.oldest(kind, Math.max(0, ...ages) / 1000);
  }
  const due = inUse
    .filter((held) => isDue(held, nowMs, limits))
    .filter(({ source }) => asker.failureOf(source.key) === undefined)
    .toSorted((a, b) => a.validUntil.getTime() - b.validUntil.getTime())
    .slice(0, limits.refreshesAtOnce);
  await Promise.all(due.map((held) => renew(held, nowMs, dependencies)));
  await store.removeEnded();
}

function isDue(
  { keep, fetchedAt, validUntil }: Held,
  nowMs: number,
  { refreshAfterMs }: RevocationLimits,
): boolean {
  const half = (validUntil.getTime() - fetchedAt.getTime()) / 2;
  const ageMs = nowMs - fetchedAt.getTime();
  return keep === 'until-its-end' && ageMs >= Math.min(half, refreshAfterMs);
}

async function renew(
  held: Held,
  nowMs: number,
  { store, asker, limits }: RefreshDependencies,
): Promise<void> {
  const { source, usedAt } = held;
  // Of several processes on one cache the first one asks for all of them.
  const theirs = await store.newer(held);
  const isEnough = theirs !== undefined && !isDue(theirs, nowMs, limits);
  const renewed = isEnough ? theirs : await asker.ask(source).catch(() => undefined);
  // Nobody asked: refreshing must not be what keeps an answer in use.
  if (renewed !== undefined) renewed.usedAt = usedAt;
}
