import { Type, type TUnsafe } from 'typebox';
import type { Secret } from './redact.ts';

/** A span of time, written `500ms`, `60s`, `15m`, `24h` or `90d`. */
export interface Duration {
  readonly ms: number;
}

/** An amount of bytes, written `512 B`, `64 KiB`, `10 MiB`, `50 GiB` or `1 TiB`. */
export interface Size {
  readonly bytes: number;
}

/** How a leaf's text is read; one reader each in `leaf-reader.ts`. */
export type LeafKind =
  | 'text'
  | 'integer'
  | 'integer-or-word'
  | 'boolean'
  | 'literal'
  | 'choice'
  | 'duration'
  | 'size'
  | 'path'
  | 'secret'
  | 'origin'
  | 'base-url'
  | 'cidr';

interface LeafOptions {
  readonly description: string;
  readonly default?: unknown;
}

function leaf<T>(
  kind: LeafKind,
  expects: string,
  schema: object,
  options: LeafOptions,
): TUnsafe<T> {
  return Type.Unsafe<T>({ ...schema, ...options, leaf: kind, expects });
}

/** Text of which a whole-string pattern is required, always anchored by the caller. */
export const text = (pattern: string, expects: string, options: LeafOptions): TUnsafe<string> =>
  leaf<string>('text', expects, { type: 'string', pattern }, options);

export const port = (options: LeafOptions): TUnsafe<number> =>
  leaf<number>(
    'integer',
    'a port from 0 to 65535 (0 takes any free one)',
    { type: 'integer', minimum: 0, maximum: 65535 },
    options,
  );

export const integer = (minimum: number, maximum: number, options: LeafOptions): TUnsafe<number> =>
  leaf<number>(
    'integer',
    `a number from ${minimum} to ${maximum}`,
    { type: 'integer', minimum, maximum },
    options,
  );

/** A number, or one word in its place. */
export const integerOr = <const T extends string>(
  word: T,
  minimum: number,
  maximum: number,
  options: LeafOptions,
): TUnsafe<T | number> =>
  leaf<T | number>(
    'integer-or-word',
    `${word} or a number from ${minimum} to ${maximum}`,
    // The pattern is for text alone, the bounds are for numbers.
    { type: ['integer', 'string'], pattern: `^${word}$`, minimum, maximum },
    options,
  );

export const flag = (options: LeafOptions): TUnsafe<boolean> =>
  leaf<boolean>('boolean', 'true or false', { type: 'boolean' }, options);

/** One value and no other; the type says what it means. */
export const only = <const T extends string>(
  value: T,
  expects: string,
  options: LeafOptions,
): TUnsafe<T> => leaf<T>('literal', expects, { const: value }, options);

/** One of a few words. */
export const choice = <const T extends string>(
  values: readonly [T, ...T[]],
  options: LeafOptions,
): TUnsafe<T> => leaf<T>('choice', values.join(' or '), { enum: values }, options);

export const durationPattern = '^(\\d{1,9})(ms|s|m|h|d)$';
export const sizePattern = '^(\\d{1,12}) ?(B|KiB|MiB|GiB|TiB)$';

export const duration = (options: LeafOptions): TUnsafe<Duration> =>
  leaf<Duration>(
    'duration',
    'a duration such as 500ms, 60s, 15m, 24h or 90d',
    { type: 'string', pattern: durationPattern },
    options,
  );

export const size = (options: LeafOptions): TUnsafe<Size> =>
  leaf<Size>(
    'size',
    'a size such as 64 KiB, 10 MiB or 50 GiB',
    { type: 'string', pattern: sizePattern },
    options,
  );

/** Becomes absolute: relative ones are relative to the configuration file. */
export const path = (options: LeafOptions): TUnsafe<string> =>
  leaf<string>('path', 'a path', { type: 'string', minLength: 1 }, options);

export const secret = (options: LeafOptions): TUnsafe<Secret> =>
  leaf<Secret>(
    'secret',
    'text, such as "${NAME}", or { file: PATH }',
    {
      anyOf: [
        { type: 'string', minLength: 1 },
        {
          type: 'object',
          properties: { file: { type: 'string', minLength: 1 } },
          required: ['file'],
          additionalProperties: false,
        },
      ],
    },
    options,
  );

/** Scheme, host and port of a URL, without a trailing slash. */
export const origin = (options: LeafOptions): TUnsafe<string> =>
  leaf<string>(
    'origin',
    'a URL of only scheme, host and port, such as https://registry.example',
    { type: 'string', format: 'uri', pattern: '^https?://[^/?#@]+/?$' },
    options,
  );

/** A URL to put paths behind, without a trailing slash. */
export const baseUrl = (options: LeafOptions): TUnsafe<string> =>
  leaf<string>(
    'base-url',
    'an http or https URL without user, query and fragment',
    { type: 'string', format: 'uri', pattern: '^https?://[^?#@]+$' },
    options,
  );

/** An address block, such as `10.0.0.0/8` or `fd00::/8`. */
export const cidr = (options: LeafOptions): TUnsafe<string> =>
  leaf<string>(
    'cidr',
    'an address block such as 10.0.0.0/8 or fd00::/8, with no bits set behind the prefix',
    { type: 'string', pattern: '^[0-9a-fA-F.:]+/\\d{1,3}$' },
    options,
  );
