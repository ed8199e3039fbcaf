import type { Clock } from '../kernel/clock.ts';
import { messageOf, systemCodeOf } from '../kernel/tagged-error.ts';
import type { StoreHealth } from './blob-store.ts';

/** Whether the disk takes writes: after a failure of its own, none are tried for a while. */
export interface DiskTrouble {
  note(error: unknown): void;
  health(): StoreHealth;
}

/** Full, over quota, broken, mounted read-only, gone: no matter of the one file. */
const diskCodes = new Set(['ENOSPC', 'EDQUOT', 'EIO', 'EROFS', 'ENXIO', 'ENODEV', 'ESTALE']);

/** `onChange` is told when trouble begins, and when somebody sees that its time is over. */
export function makeDiskTrouble(
  clock: Clock,
  readOnlyMs: number,
  onChange: (health: StoreHealth) => void = () => undefined,
): DiskTrouble {
  let health: StoreHealth = { state: 'writable' };
  let untilMs = -Infinity;
  const change = (now: StoreHealth): void => {
    const isNews = now.state !== health.state;
    health = now;
    if (isNews) onChange(now);
  };
  return {
    note(error) {
      if (!diskCodes.has(systemCodeOf(error))) return;
      untilMs = clock.monotonicMs() + readOnlyMs;
      change({ state: 'read-only', because: messageOf(error) });
    },
    health() {
      if (clock.monotonicMs() >= untilMs) change({ state: 'writable' });
      return health;
    },
  };
}
