import { isAbsolute, resolve } from 'node:path';
import { parseCidr } from './cidr.ts';
import {
  type Duration,
  durationPattern,
  type LeafKind,
  type Size,
  sizePattern,
} from './schema-leaf.ts';

/** What the readers see of a leaf's schema. */
export interface LeafSchema {
  readonly leaf: LeafKind;
  readonly expects: string;
  readonly pattern?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly const?: string;
  readonly enum?: readonly string[];
}

/** A leaf as it stands in the file, its variables in place. */
export interface LeafText {
  readonly value: string | number | boolean | null;
  /** Came out of `${NAME}`, and so is text whatever it looks like. */
  readonly isExpanded: boolean;
}

type Reader = (given: LeafText, schema: LeafSchema, folder: string) => unknown;

/** A reader for each kind but secrets; undefined where the text is not what the kind expects. */
export const leafReaders: Readonly<Record<Exclude<LeafKind, 'secret'>, Reader>> = {
  text: ({ value }, { pattern = '' }) =>
    typeof value === 'string' && value.length <= 1024 && new RegExp(pattern).test(value)
      ? value
      : undefined,
  integer: (given, schema) => readInteger(given, schema),
  'integer-or-word': (given, schema) =>
    typeof given.value === 'string' && new RegExp(schema.pattern ?? '').test(given.value)
      ? given.value
      : readInteger(given, schema),
  boolean: ({ value, isExpanded }) => {
    if (typeof value === 'boolean') return value;
    if (!isExpanded) return undefined;
    return value === 'true' || (value === 'false' ? false : undefined);
  },
  literal: ({ value }, schema) => (value === schema.const ? schema.const : undefined),
  choice: ({ value }, schema) => schema.enum?.find((each) => each === value),
  duration: ({ value }) => parseDuration(value),
  size: ({ value }) => parseSize(value),
  path: ({ value }, _, folder) =>
    typeof value === 'string' && value !== '' && !value.includes('\0')
      ? isAbsolute(value)
        ? value
        : resolve(folder, value)
      : undefined,
  origin: ({ value }) => parseUrl(value, 'origin'),
  'base-url': ({ value }) => parseUrl(value, 'base'),
  cidr: ({ value }) => (typeof value === 'string' ? parseCidr(value) : undefined),
};

function readInteger({ value, isExpanded }: LeafText, schema: LeafSchema): number | undefined {
  const isDigits = isExpanded && typeof value === 'string' && /^\d{1,9}$/.test(value);
  const number = isDigits ? Number(value) : value;
  if (typeof number !== 'number' || !Number.isSafeInteger(number)) return undefined;
  const { minimum = 0, maximum = Number.MAX_SAFE_INTEGER } = schema;
  return number >= minimum && number <= maximum ? number : undefined;
}

const msPerUnit = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
const bytesPerUnit = {
  B: 1,
  KiB: 1024,
  MiB: 1024 ** 2,
  GiB: 1024 ** 3,
  TiB: 1024 ** 4,
} as const;

export function parseDuration(value: unknown): Duration | undefined {
  const amount = parseAmount(value, durationPattern, msPerUnit);
  return amount === undefined ? undefined : { ms: amount };
}

export function parseSize(value: unknown): Size | undefined {
  const amount = parseAmount(value, sizePattern, bytesPerUnit);
  return amount === undefined ? undefined : { bytes: amount };
}

function parseAmount(
  value: unknown,
  pattern: string,
  units: Readonly<Record<string, number>>,
): number | undefined {
  const match = typeof value === 'string' ? new RegExp(pattern).exec(value) : null;
  const amount = Number(match?.[1]) * (units[match?.[2] ?? ''] ?? NaN);
  return Number.isSafeInteger(amount) ? amount : undefined;
}

function parseUrl(value: unknown, form: 'origin' | 'base'): string | undefined {
  if (typeof value !== 'string' || !/^https?:\/\/[^?#@\s\\]+$/.test(value)) return undefined;
  const url = URL.parse(value);
  if (url === null || url.username !== '' || url.password !== '') return undefined;
  if (form === 'origin') return url.pathname === '/' ? url.origin : undefined;
  return `${url.origin}${url.pathname}`.replace(/\/+$/, '');
}
