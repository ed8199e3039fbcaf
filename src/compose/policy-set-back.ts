import type { Config } from '../config/schema.ts';
import { type PolicyMark, unrevised } from '../gate/policy-mark.ts';
import { makeSeal } from '../gate/sealed.ts';
import { type Clock, systemClock } from '../kernel/clock.ts';
import { openConfiguredGuard } from './policy-guard.ts';
import { openShared } from './state.ts';
import { openSealKeys } from './state-folder.ts';

export interface SetBackWish {
  /** Undefined: a policy that says none. */
  readonly revision: number | undefined;
  readonly reason: string;
  readonly owner: string;
}

/** Which revisions may be in force from now on. */
export type SetBackDone = Pick<PolicyMark, 'floor' | 'ceiling'>;

const silent = {
  metrics: { count() {}, time() {}, set() {} },
  log: { debug() {}, info() {}, warn() {}, error() {} },
};

/**
 * Permits revisions of the policy from this one, on every replica with this configuration;
 * undefined where they are permitted already. Throws `StartupError` and `PolicyRevisionError`.
 */
export async function setBackPolicy(
  config: Config,
  { revision = unrevised, reason, owner }: SetBackWish,
  clock: Clock = systemClock,
): Promise<SetBackDone | undefined> {
  const opened = new AsyncDisposableStack();
  try {
    const { store } = await openShared(config, opened);
    const seal = makeSeal(await openSealKeys(config));
    const observed = { clock, ...silent };
    const guard = await openConfiguredGuard(config, { store, seal }, undefined, observed);
    return await guard.setBack(revision, { reason, owner });
  } finally {
    await opened.disposeAsync();
  }
}
