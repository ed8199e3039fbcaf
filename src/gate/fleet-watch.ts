import type { Clock } from '../kernel/clock.ts';
import type { Log } from '../observe/log.ts';
import type { Metrics } from '../observe/metric-list.ts';
import { type ClockFence, type Offset, offsetWithin } from './clock-fence.ts';
import type { Heartbeat, Heartbeats } from './heartbeat.ts';
import { makeRollCall, type Present } from './roll-call.ts';

/** What this replica knows of the others, and tells them of itself. */
export interface FleetWatch {
  /** Compares clocks and what the others have with this one. Never rejects. */
  look(): Promise<void>;
  /** The same, and tells the others that this one is there. Never rejects. */
  beat(): Promise<void>;
  /** Tells them that it is not any more. Never rejects. */
  leave(): Promise<void>;
  view(): FleetView;
}

/** How others differ. */
export type Difference = 'policy' | 'trust' | 'version' | 'schema';

export interface FleetView {
  readonly others: number;
  /** How many of the others have another one. */
  readonly different: Readonly<Record<Difference, number>>;
  /** The farthest of Redis and the others, milliseconds; undefined where there is none to compare with. */
  readonly offMs: number | undefined;
}

export interface FleetWatchDependencies {
  readonly heartbeats: Heartbeats;
  /** The clock of what keeps the state; undefined: it has none. Throws where it can't be read. */
  readonly sharedTime: () => Promise<Date | undefined>;
  readonly fence: ClockFence;
  /** What this replica says of itself now, but for what is counted here. */
  readonly standing: () => Omit<Heartbeat, 'id' | 'beat' | 'clockMs'>;
  readonly id: string;
  /** A replica that is not heard of for so long is gone. */
  readonly lifeMs: number;
  /** A clock that is off by more is told. */
  readonly toldMs: number;
  readonly clock: Clock;
  readonly metrics: Metrics;
  readonly log: Log;
}

const differences: Readonly<Record<Difference, (heartbeat: Standing) => unknown>> = {
  policy: ({ policy }) => policy,
  trust: ({ trust }) => trust,
  version: ({ version }) => version,
  schema: ({ schema }) => schema,
};

type Standing = ReturnType<FleetWatchDependencies['standing']>;

const nobody: FleetView = {
  others: 0,
  different: { policy: 0, trust: 0, version: 0, schema: 0 },
  offMs: undefined,
};

export function makeFleetWatch(dependencies: FleetWatchDependencies): FleetWatch {
  const { heartbeats, fence, standing, id, lifeMs, clock, metrics } = dependencies;
  const rollCall = makeRollCall(id, clock, lifeMs);
  const tell = makeTeller(dependencies);
  let view = nobody;
  let beat = 0;
  let lastUnreadable = 0;

  const look = async (): Promise<void> => {
    const shared = await sharedOffset(dependencies);
    const read = await heartbeats.read().catch(() => undefined);
    // Whom nobody can be asked about may still be there: what was known stands, time goes on.
    if (read === undefined) return;
    if (read.unreadable > lastUnreadable) {
      const more = read.unreadable - lastUnreadable;
      metrics.count('assay_sealed_entries_rejected_total', {}, more);
    }
    lastUnreadable = read.unreadable;
    const others = rollCall.take(read.heartbeats);
    const offsets = [...shared, ...others.map(toOffset)];
    fence.judge(offsets);
    view = {
      others: others.length,
      different: countDifferences(others, standing()),
      offMs: farthest(offsets),
    };
    publish(view, offsets, dependencies);
    tell(view, others);
  };
  return {
    look,
    async beat() {
      await look();
      beat += 1;
      const clockMs = clock.now().getTime();
      // Also where this clock is wrong: it is for the others to see.
      await heartbeats.write({ ...standing(), id, beat, clockMs }).catch(() => undefined);
    },
    leave: () => heartbeats.remove(id).catch(() => undefined),
    view: () => view,
  };
}

async function sharedOffset({
  sharedTime,
  clock,
}: FleetWatchDependencies): Promise<readonly Offset[]> {
  const fromMs = clock.now().getTime();
  const shown = await sharedTime().catch(() => undefined);
  if (shown === undefined) return [];
  return [{ of: 'redis', ms: offsetWithin(shown.getTime(), fromMs, clock.now().getTime()) }];
}

function toOffset({ offsetMs }: Present): Offset {
  return { of: 'replica', ms: offsetMs };
}

function farthest(offsets: readonly Offset[]): number | undefined {
  if (offsets.length === 0) return undefined;
  return Math.max(...offsets.map(({ ms }) => Math.abs(ms)));
}

function countDifferences(
  others: readonly Present[],
  own: Standing,
): Readonly<Record<Difference, number>> {
  const count = (of: (standing: Standing) => unknown): number =>
    others.filter(({ heartbeat }) => of(heartbeat) !== of(own)).length;
  return {
    policy: count(differences.policy),
    trust: count(differences.trust),
    version: count(differences.version),
    schema: count(differences.schema),
  };
}

function publish(
  { others, different }: FleetView,
  offsets: readonly Offset[],
  { metrics, fence }: FleetWatchDependencies,
): void {
  metrics.set('assay_replicas_seen', {}, others + 1);
  for (const [what, count] of Object.entries(different)) {
    metrics.set('assay_replicas_different', { what }, count);
  }
  const skew = (of: Offset['of']): number =>
    (farthest(offsets.filter((offset) => offset.of === of)) ?? 0) / 1000;
  metrics.set('assay_replica_clock_skew_seconds', { against: 'redis' }, skew('redis'));
  metrics.set('assay_replica_clock_skew_seconds', { against: 'replicas' }, skew('replica'));
  metrics.set('assay_replica_fenced', { because: 'clock' }, fence.because() === undefined ? 0 : 1);
}

/** Says each thing once, when it begins and when it ends. */
function makeTeller({ log, standing, fence, toldMs }: FleetWatchDependencies) {
  const told = new Map<string, string>();
  const once = (what: string, now: string | undefined, begin: () => void, end: string): void => {
    const former = told.get(what);
    if (now === former) return;
    if (now === undefined) {
      told.delete(what);
      log.info({}, end);
      return;
    }
    told.set(what, now);
    begin();
  };
  return ({ offMs = 0 }: FleetView, others: readonly Present[]): void => {
    for (const [what, of] of Object.entries(differences)) {
      const own = of(standing());
      const found = others.filter(({ heartbeat }) => of(heartbeat) !== own);
      const fields = {
        what,
        own,
        others: found
          .slice(0, 5)
          .map(({ heartbeat }) => ({ id: heartbeat.id, has: of(heartbeat) })),
      };
      const now = found.length === 0 ? undefined : JSON.stringify(fields);
      const begin = (): void => log.warn(fields, `other replicas have another ${what}`);
      once(what, now, begin, `all replicas have the same ${what} again`);
    }
    const isOff = offMs > toldMs ? 'off' : undefined;
    const tellOff = (): void =>
      log.warn({ seconds: offMs / 1000 }, 'the clocks of this replica and others differ');
    once('clock', isOff, tellOff, 'the clocks of this replica and others agree again');
    const because = fence.because();
    const tellFenced = (): void =>
      log.error({ because }, 'nothing is written to the shared state, since the clock is wrong');
    once('fence', because && 'up', tellFenced, 'the shared state is written to again');
  };
}

/** What was found, in a few words for a person. */
export function describeFleet({ others, different, offMs }: FleetView): string {
  const counts = Object.entries(different).filter(([, count]) => count > 0);
  const words = [
    others < 2 ? `${others === 0 ? 'no' : 1} other is there` : `${others} others are there`,
    ...counts.map(([what, count]) => `${count} have another ${what}`),
    ...(offMs === undefined || offMs < 1000
      ? []
      : [`clocks differ by ${Math.round(offMs / 1000)} s`]),
  ];
  return words.join('; ');
}
