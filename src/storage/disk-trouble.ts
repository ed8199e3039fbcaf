import type { Clock } from '../kernel/clock.ts';
import { messageOf } from '../kernel/tagged-error.ts';
import type { StoreHealth } from './blob-store.ts';
import { systemCodeOf } from './file-system.ts';

/** Whether the disk takes writes: after a failure of its own, none are tried for a while. */
export interface DiskTrouble {
  note(error: unknown): void;
  health(): StoreHealth;
}

/** Full, over quota, broken, mounted read-only, gone: no matter of the one file. */
const diskCodes = new Set(['ENOSPC', 'EDQUOT', 'EIO', 'EROFS', 'ENXIO', 'ENODEV', 'ESTALE']);

export function makeDiskTrouble(clock: Clock, readOnlyMs: number): DiskTrouble {
  let because = '';
  let untilMs = -Infinity;
  return {
    note(error) {
      if (!diskCodes.has(systemCodeOf(error))) return;
      because = messageOf(error);
      untilMs = clock.monotonicMs() + readOnlyMs;
    },
    health: () =>
      clock.monotonicMs() < untilMs ? { state: 'read-only', because } : { state: 'writable' },
  };
}
