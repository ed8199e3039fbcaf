import type { Seal } from '../gate/sealed.ts';
import type { KeyValue } from '../storage/key-value.ts';
import type { KnownRate, SharedRates } from '../upstream/rate-budget.ts';

/** Longer than anything in it counts. */
const keepMs = 10 * 60_000;

/**
 * What replicas know of upstreams' limits, sealed: whoever else writes there must not make us think
 * that an upstream allows nothing. Where it can't be read each replica goes by what it was told.
 */
export function makeSharedRates(store: KeyValue, seal: Seal): SharedRates {
  return {
    async read(upstream) {
      const name = nameOf(upstream);
      const sealed = await store.get(name);
      return sealed === undefined ? undefined : (seal.open(name, sealed) as KnownRate | undefined);
    },
    async write(upstream, known) {
      const name = nameOf(upstream);
      await store.put(name, seal.close(name, known), { keepMs });
    },
  };
}

function nameOf(upstream: string): string {
  return `rate/${upstream}`;
}
