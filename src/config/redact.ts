import { inspect } from 'node:util';

/** Bytes that no log, error or status page may show. Printed, joined or serialized, it is `***`. */
export interface Secret {
  /** The text itself: call it where it is sent, never where it is kept. */
  reveal(): string;
  toString(): string;
  toJSON(): string;
  [inspect.custom](): string;
}

const hide = (): string => '***';

export function makeSecret(text: string): Secret {
  return { reveal: () => text, toString: hide, toJSON: hide, [inspect.custom]: hide };
}
