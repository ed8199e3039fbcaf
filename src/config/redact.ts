import { inspect } from 'node:util';

/** Bytes that no log, error or status page may show. Printed, joined or serialized, it is `***`. */
export interface Secret {
  /** The text itself: call it where it is sent, never where it is kept. */
  reveal(): string;
  toString(): string;
  toJSON(): string;
  [inspect.custom](): string;
}

const redacted = '***';

export function makeSecret(text: string): Secret {
  const hide = (): string => redacted;
  return { reveal: () => text, toString: hide, toJSON: hide, [inspect.custom]: hide };
}
