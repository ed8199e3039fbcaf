import { createHmac, hkdfSync, timingSafeEqual } from 'node:crypto';
import { Encoder } from 'cbor-x';
import { isNonEmpty, type NonEmpty } from '../kernel/non-empty.ts';
import { messageOf } from '../kernel/tagged-error.ts';
import type { Log } from '../observe/log.ts';
import type { Metrics } from '../observe/metric-list.ts';
import type { KeyValue, PutOptions } from '../storage/key-value.ts';
import type { Trail } from '../storage/trail.ts';
import type { StoreLife } from '../storage/store-life.ts';
import { UnavailableError } from './gate-error.ts';
import { readAhead } from './read-ahead.ts';
import { writtenLater } from './written-later.ts';

/**
 * State whose entries nobody can forge, move or alter without the key: CBOR under an HMAC over
 * the entry's own name and value. Whatever does not open is absent, counted and logged. What can't
 * be read is not absent: `get` and `names` throw `UnavailableError`. What can't be written is
 * logged, and written later; while there is a fence, writes are dropped.
 */
export interface SealedState extends StoreLife {
  get(name: string): Promise<unknown>;
  put(name: string, value: unknown, options?: PutOptions): Promise<void>;
  delete(name: string): Promise<void>;
  names(prefix: string, limit: number): Promise<readonly string[]>;
  /** The values of the same, without those that do not open. */
  values(prefix: string, limit: number): Promise<readonly unknown[]>;
  /** Does the work. Reads within it that are on the trail take one turn together. */
  along<T>(trail: Trail, work: () => Promise<T>): Promise<T>;
}

/** The seal itself, for entries that are kept elsewhere, or that must not be lost in silence. */
export interface Seal {
  close(name: string, value: unknown): Uint8Array;
  /** Undefined unless it was sealed under this very name by one of the keys. */
  open(name: string, sealed: Uint8Array): unknown;
}

export function makeSeal(keys: NonEmpty<Uint8Array>): Seal {
  const sealKeys = keys.map(deriveKey);
  return {
    close: (name, value) => seal(name, value, sealKeys),
    open: (name, sealed) => open(name, sealed, sealKeys),
  };
}

const version = 1;
const keyIdBytes = 8;
const macBytes = 32;
const headerBytes = 1 + keyIdBytes + macBytes;
const cbor = new Encoder({ useRecords: false, mapsAsObjects: true, structuredClone: false });

interface SealKey {
  readonly id: Buffer;
  readonly secret: Buffer;
}

interface SealedStateDependencies {
  readonly metrics: Metrics;
  readonly log: Log;
  /** Of the store, where it may lose what it took. */
  readonly life?: StoreLife | undefined;
  /** Why writes are dropped at the moment; undefined: they are made. */
  readonly fence?: (() => string | undefined) | undefined;
}

const wholeLife: StoreLife = { losses: () => 0, isWhole: async () => true };

/**
 * The first key seals; every key opens, so that keys can be rotated. Keys have at least 32 bytes.
 */
export function makeSealedState(
  keptIn: KeyValue,
  keys: NonEmpty<Uint8Array>,
  { metrics, log, life = wholeLife, fence = () => undefined }: SealedStateDependencies,
): SealedState {
  const store = readAhead(writtenLater(keptIn));
  const seals = makeSeal(keys);
  const reject = (name: string, because: string): undefined => {
    metrics.count('assay_sealed_entries_rejected_total', {});
    log.error({ entry: name, because }, 'a state entry does not open and is ignored');
    return undefined;
  };
  const unreadable = (entry: string) => (cause: unknown) => {
    const message = 'the state could not be read';
    log.error({ entry, because: messageOf(cause) }, message);
    throw new UnavailableError('UNAVAILABLE', message, { cause });
  };
  const unwritten = (entry: string) => (error: unknown) => {
    log.error({ entry, because: messageOf(error) }, 'the state could not be written');
  };
  return {
    async get(name) {
      const sealed = await store.get(name).catch(unreadable(name));
      if (sealed === undefined) return undefined;
      return seals.open(name, sealed) ?? reject(name, 'its seal does not fit');
    },
    put: async (name, value, options) => {
      if (fence() !== undefined) return;
      await store.put(name, seals.close(name, value), options).catch(unwritten(name));
    },
    delete: async (name) => {
      if (fence() === undefined) await store.delete(name).catch(unwritten(name));
    },
    names: (prefix, limit) => store.keys(prefix, limit).catch(unreadable(prefix)),
    async values(prefix, limit) {
      const entries = await store.entries(prefix, limit).catch(unreadable(prefix));
      return entries.flatMap(({ key, value }) => {
        const opened = seals.open(key, value) ?? reject(key, 'its seal does not fit');
        return opened === undefined ? [] : [opened];
      });
    },
    along: (trail, work) => store.along(trail, work),
    losses: () => life.losses(),
    isWhole: () => life.isWhole(),
  };
}

function deriveKey(key: Uint8Array): SealKey {
  const derive = (purpose: string, bytes: number): Buffer =>
    Buffer.from(hkdfSync('sha256', key, Buffer.alloc(0), `assay state ${purpose}`, bytes));
  return { id: derive('key id', keyIdBytes), secret: derive('seal', 32) };
}

function seal(name: string, value: unknown, keys: readonly SealKey[]): Buffer {
  if (!isNonEmpty(keys)) throw new TypeError('sealed state without a key');
  const body = cbor.encode(value);
  const [key] = keys;
  return Buffer.concat([Buffer.of(version), key.id, macOf(key, name, body), body]);
}

function open(name: string, sealed: Uint8Array, keys: readonly SealKey[]): unknown {
  if (sealed.byteLength <= headerBytes || sealed[0] !== version) return undefined;
  const bytes = Buffer.from(sealed.buffer, sealed.byteOffset, sealed.byteLength);
  const key = keys.find(({ id }) => id.equals(bytes.subarray(1, 1 + keyIdBytes)));
  const body = bytes.subarray(headerBytes);
  if (key === undefined) return undefined;
  const mac = bytes.subarray(1 + keyIdBytes, headerBytes);
  return timingSafeEqual(mac, macOf(key, name, body)) ? cbor.decode(body) : undefined;
}

/** The name is length-prefixed, so that no part of it can pass for the body's beginning. */
function macOf(key: SealKey, name: string, body: Uint8Array): Buffer {
  const nameBytes = Buffer.from(name, 'utf8');
  const length = Buffer.alloc(4);
  length.writeUInt32BE(nameBytes.byteLength);
  return createHmac('sha256', key.secret)
    .update(Buffer.of(version))
    .update(length)
    .update(nameBytes)
    .update(body)
    .digest();
}
