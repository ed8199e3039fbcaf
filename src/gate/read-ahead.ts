import { AsyncLocalStorage } from 'node:async_hooks';
import type { KeyValue } from '../storage/key-value.ts';
import type { OnTrail, Trail } from '../storage/trail.ts';

/** A store whose reads within some work are made ahead of it, all in one turn. */
export interface ReadAheadStore extends KeyValue {
  /** Does the work; what it reads by `get` and `entries` comes from the trail where it is there. */
  along<T>(trail: Trail, work: () => Promise<T>): Promise<T>;
}

interface Ahead {
  /** Undefined where it could not be read: then each read says so itself. */
  readonly found: Promise<OnTrail | undefined>;
  /** Written since, or read already: whoever asks again wants what is there by now. */
  readonly stale: Set<string>;
  isOver: boolean;
}

export function readAhead(store: KeyValue): ReadAheadStore {
  const scopes = new AsyncLocalStorage<Ahead>();
  const running = new Set<Ahead>();
  const current = (): Ahead | undefined => {
    const ahead = scopes.getStore();
    return ahead?.isOver === false ? ahead : undefined;
  };
  const note = (key: string): void => {
    for (const ahead of running) ahead.stale.add(key);
  };
  return {
    ...store,
    async get(key) {
      const ahead = current();
      const found = await ahead?.found;
      if (ahead === undefined || !found?.values.has(key) || ahead.stale.has(key)) {
        return store.get(key);
      }
      ahead.stale.add(key);
      return found.values.get(key);
    },
    async entries(prefix, limit) {
      const ahead = current();
      const found = await ahead?.found;
      const list = found?.lists.get(prefix);
      if (ahead === undefined || found === undefined || list === undefined) {
        return store.entries(prefix, limit);
      }
      const isEnough = list.length < found.maxListed || limit <= found.maxListed;
      if (!isEnough || hasStale(prefix, ahead)) return store.entries(prefix, limit);
      ahead.stale.add(prefix);
      return list.slice(0, limit);
    },
    put(key, value, options) {
      note(key);
      return store.put(key, value, options);
    },
    delete(key) {
      note(key);
      return store.delete(key);
    },
    async along(trail, work) {
      if (store.follow === undefined) return work();
      const within = current();
      const stale = within?.stale ?? new Set<string>();
      const ahead: Ahead = { found: follow(store, trail, within), stale, isOver: false };
      running.add(ahead);
      try {
        return await scopes.run(ahead, work);
      } finally {
        ahead.isOver = true;
        running.delete(ahead);
      }
    },
  };
}

async function follow(
  store: KeyValue,
  trail: Trail,
  within: Ahead | undefined,
): Promise<OnTrail | undefined> {
  const known = await within?.found;
  // What a search goes on with is nearly always on the trail that led there.
  if (trail.digest !== undefined && known?.digests.includes(trail.digest)) return known;
  return store.follow?.(trail).catch(() => undefined);
}

function hasStale(prefix: string, { stale }: Ahead): boolean {
  return [...stale].some((key) => key.startsWith(prefix));
}
