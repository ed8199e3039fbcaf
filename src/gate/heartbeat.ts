import type { KeyValue } from '../storage/key-value.ts';
import type { Seal } from './sealed.ts';

/** What a replica says of itself every few seconds. Versions to come may say more. */
export interface Heartbeat {
  readonly id: string;
  /** Grows with each: one that is put back from the past is none. */
  readonly beat: number;
  /** What its clock showed, milliseconds since 1970. */
  readonly clockMs: number;
  /** Of Assay. */
  readonly version: string;
  /** Of the state that it keeps to its own version. */
  readonly schema: number;
  readonly policy: string;
  readonly revision: number | undefined;
  /** SHA-256 over the trust material that the policy rests on. */
  readonly trust: string;
  readonly denyEpoch: number;
}

/** Heartbeats in the state that replicas share, each for a few seconds. */
export interface Heartbeats {
  write(heartbeat: Heartbeat): Promise<void>;
  /** Those that are there, at most `maxReplicas`; what does not open is none. */
  read(): Promise<ReadHeartbeats>;
  remove(id: string): Promise<void>;
}

export interface ReadHeartbeats {
  readonly heartbeats: readonly Heartbeat[];
  /** Entries whose seal does not fit. */
  readonly unreadable: number;
}

export const maxReplicas = 256;
const prefix = 'replica/';
const textFields = ['id', 'version', 'policy', 'trust'] as const;
const numberFields = ['beat', 'clockMs', 'schema', 'denyEpoch'] as const;
const maxTextLength = 128;

export function makeHeartbeats(store: KeyValue, seal: Seal, keepMs: number): Heartbeats {
  return {
    async write(heartbeat) {
      const name = prefix + heartbeat.id;
      await store.put(name, seal.close(name, heartbeat), { keepMs });
    },
    async read() {
      const entries = await store.entries(prefix, maxReplicas);
      const read = entries.map(({ key, value }) => toHeartbeat(seal.open(key, value)));
      const heartbeats = read.filter((heartbeat) => heartbeat !== undefined);
      return { heartbeats, unreadable: read.length - heartbeats.length };
    },
    remove: (id) => store.delete(prefix + id),
  };
}

/** Sealed by one of ours, and maybe by a version whose fields are others. */
function toHeartbeat(opened: unknown): Heartbeat | undefined {
  if (typeof opened !== 'object' || opened === null) return undefined;
  const fields = opened as Readonly<Record<string, unknown>>;
  const areTexts = textFields.every((name) => {
    const text = fields[name];
    return typeof text === 'string' && text.length <= maxTextLength;
  });
  const areNumbers = numberFields.every((name) => Number.isFinite(fields[name]));
  return areTexts && areNumbers ? (fields as unknown as Heartbeat) : undefined;
}
