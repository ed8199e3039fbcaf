import {
  type DerElement,
  derTags,
  expectChildren,
  expectTag,
  readDer,
  readObjectIdentifier,
} from './der.ts';
import { expectInteger, readCount, readIntegerBytes } from './der-integer.ts';
import { readTime } from './der-time.ts';
import { EnvelopeError } from './envelope-error.ts';
import { readExtensionList } from './extensions.ts';
import { type HashName, readHashAlgorithm } from './hash-algorithm.ts';
import { readingAs } from './reading-as.ts';

/** What an authority signs (RFC 3161, section 2.4.2): these bytes existed at this time. */
export interface TstInfo {
  /** OID of the policy under which it was issued. */
  readonly policy: string;
  readonly imprint: { readonly hash: HashName; readonly digest: Uint8Array };
  readonly serialNumber: Uint8Array;
  readonly genTime: Date;
  /** What `genTime` has below a millisecond. */
  readonly genTimeNanoseconds: number;
  /** Undefined where none is stated, or one of nothing. */
  readonly accuracyMicroseconds: number | undefined;
  readonly nonce?: Uint8Array;
}

const tags = { millis: 0x80, micros: 0x81, authority: 0xa0, extensions: 0xa1 } as const;
const maxSeconds = 2 ** 31;
const maxPart = 999;
/** RFC 3161, section 2.4.2: 160 bits are to be expected. */
const maxSerialBytes = 64;

/** Throws `EnvelopeError` with the code `TIMESTAMP_MALFORMED`, or for an imprint by a weak hash. */
export function readTstInfo(untrusted: Uint8Array): TstInfo {
  return readingAs('TIMESTAMP_MALFORMED', 'not a TSTInfo', () => {
    const [version, policy, imprint, serial, genTime, ...optional] = expectChildren(
      readDer(untrusted),
      'TSTInfo',
    );
    const { content: number } = expectTag(version, derTags.integer, 'the version');
    if (readCount(number, 255, 'the version') !== 1) throw malformed('its version is not 1');
    return {
      policy: readObjectIdentifier(policy, 'the policy'),
      imprint: readImprint(imprint),
      serialNumber: readNumber(serial, 'the serial number'),
      ...readGenTime(genTime),
      ...readOptional(optional),
    };
  });
}

function readImprint(element: DerElement | undefined): TstInfo['imprint'] {
  const [algorithm, digest, ...rest] = expectChildren(element, 'the imprint');
  if (rest.length > 0) throw malformed('the imprint has more than two parts');
  return {
    hash: readHashAlgorithm(algorithm, "the imprint's hash"),
    digest: expectTag(digest, derTags.octetString, "the imprint's digest").content,
  };
}

function readNumber(element: DerElement | undefined, what: string): Uint8Array {
  const bytes = readIntegerBytes(element, what);
  if (bytes.length > maxSerialBytes)
    throw malformed(`${what} is longer than ${maxSerialBytes} bytes`);
  return bytes;
}

const fractional = /^(\d{14})(?:[.](\d{0,8}[1-9]))?Z$/;

/** X.690, clause 11.7: in Z, and a fraction without trailing zeros; 9 digits are read. */
function readGenTime(
  element: DerElement | undefined,
): Pick<TstInfo, 'genTime' | 'genTimeNanoseconds'> {
  const { content } = expectTag(element, derTags.generalizedTime, 'the time');
  const [, seconds, fraction = ''] = fractional.exec(Buffer.from(content).toString('latin1')) ?? [];
  if (element === undefined || seconds === undefined) throw malformed('the time is malformed');
  const whole = readTime({ ...element, content: Buffer.from(`${seconds}Z`) }, 'the time');
  const nanoseconds = Number(fraction.padEnd(9, '0'));
  return {
    genTime: new Date(whole.getTime() + Math.floor(nanoseconds / 1e6)),
    genTimeNanoseconds: nanoseconds % 1e6,
  };
}

/** Each at most once, in this order: accuracy, ordering, nonce, the authority's name, extensions. */
const order: readonly number[] = [
  derTags.sequence,
  derTags.boolean,
  derTags.integer,
  tags.authority,
  tags.extensions,
];

function readOptional(
  optional: readonly DerElement[],
): Pick<TstInfo, 'accuracyMicroseconds' | 'nonce'> {
  let next = 0;
  const fields = new Map<number, DerElement>();
  for (const field of optional) {
    const place = order.indexOf(field.tag, next);
    if (place < 0) throw malformed('it has unknown fields, or fields out of order');
    next = place + 1;
    fields.set(field.tag, field);
  }
  const nonce = fields.get(derTags.integer);
  assertNoCriticalExtension(fields.get(tags.extensions));
  return {
    accuracyMicroseconds: readAccuracy(fields.get(derTags.sequence)),
    ...(nonce !== undefined && { nonce: readNumber(nonce, 'the nonce') }),
  };
}

/** RFC 5280, section 4.2: what is critical and not known makes the whole unusable; none is known. */
function assertNoCriticalExtension(element: DerElement | undefined): void {
  if (element === undefined) return;
  for (const [oid, { critical }] of readExtensionList({ ...element, tag: derTags.sequence })) {
    if (critical) throw malformed(`its extension ${oid} is critical and not known here`);
  }
}

/** Seconds, then `[0]` milliseconds and `[1]` microseconds. */
function readAccuracy(element: DerElement | undefined): number | undefined {
  if (element === undefined) return undefined;
  let micros = 0;
  let last = -1;
  for (const { tag, content } of expectChildren(element, 'the accuracy')) {
    const place = accuracyParts.findIndex((part) => part.tag === tag);
    const part = accuracyParts[place];
    if (part === undefined || place <= last) throw malformed('the accuracy has unknown parts');
    micros +=
      readCount(expectInteger(content, 'the accuracy'), part.max, 'the accuracy') * part.micros;
    last = place;
  }
  return micros === 0 ? undefined : micros;
}

const accuracyParts = [
  { tag: derTags.integer, max: maxSeconds, micros: 1e6 },
  { tag: tags.millis, max: maxPart, micros: 1e3 },
  { tag: tags.micros, max: maxPart, micros: 1 },
] as const;

function malformed(message: string): EnvelopeError {
  return new EnvelopeError('TIMESTAMP_MALFORMED', message);
}
