import type { Heartbeat } from '../../src/gate/heartbeat.ts';

/** What a replica says that is like all others. */
export function heartbeatOf(id: string, overrides: Partial<Heartbeat> = {}): Heartbeat {
  return {
    id,
    beat: 1,
    clockMs: Date.parse('2030-01-01T00:00:00Z'),
    version: '1.0.0',
    schema: 1,
    policy: 'policy-1',
    revision: 1,
    trust: 'trust-1',
    denyEpoch: 0,
    ...overrides,
  };
}
