import { makeSecret, type Secret } from './redact.ts';
import type { Config } from './schema.ts';

/** A configuration with its secrets in the open, as it goes to a process of our own. */
export type HandedConfig = { readonly handed: unknown };

/** A map is nothing that a configuration has otherwise. */
type OpenSecret = ReadonlyMap<'secret', string>;

/**
 * A configuration in values that can be copied to another process (the structured clone algorithm).
 * That process has what this one has loaded, whatever has become of the files meanwhile.
 */
export function handOver(config: Config): HandedConfig {
  return { handed: copy(config, (value) => (isSecret(value) ? open(value) : undefined)) };
}

/** The configuration that was handed over. */
export function takeOver({ handed }: HandedConfig): Config {
  return copy(handed, close) as Config;
}

function close(value: object): Secret | undefined {
  if (!(value instanceof Map)) return undefined;
  return makeSecret(String((value as OpenSecret).get('secret')));
}

function open(secret: Secret): OpenSecret {
  return new Map([['secret', secret.reveal()]]);
}

function isSecret(value: object): value is Secret {
  return 'reveal' in value && typeof value.reveal === 'function';
}

function copy(value: unknown, swap: (value: object) => unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  const other = swap(value);
  if (other !== undefined) return other;
  if (Array.isArray(value)) return value.map((item) => copy(item, swap));
  const entries = Object.entries(value).map(([key, item]) => [key, copy(item, swap)] as const);
  // As they were read: without a prototype, `__proto__` is a key like any other.
  return Object.assign(Object.create(null) as object, Object.fromEntries(entries));
}
