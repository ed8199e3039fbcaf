import {
  type DerElement,
  derTags,
  expectChildren,
  expectTag,
  readBoolean,
  readDer,
} from './der.ts';
import { encodeDer } from './der-writer.ts';
import { EnvelopeError } from './envelope-error.ts';
import { readExtensionList } from './extensions.ts';
import { readCrlUrls } from './revocation-urls.ts';
import type { Extension } from './x509.ts';

/** What the extensions of a list say of it (RFC 5280, section 5.2). */
export interface CrlExtensions {
  /** Rises with every list of the issuer; a list and its deltas are counted together. */
  readonly number?: bigint;
  /** Of a delta: the number of the list that it builds on. */
  readonly baseNumber?: bigint;
  /** Where deltas to this list are. */
  readonly freshestUrls: readonly string[];
  readonly scope: CrlScope;
}

/** Which certificates and reasons a list is about (RFC 5280, section 5.2.5). */
export interface CrlScope {
  /** DER of issuingDistributionPoint, which a list and its deltas share; empty where there is none. */
  readonly der: Uint8Array;
  /** Where it is published; undefined where it does not say, and so is about all. */
  readonly urls?: readonly string[];
  readonly certificates: 'all' | 'users' | 'authorities';
  /** A bit for each reason, as in ReasonFlags. */
  readonly reasons: number;
}

/** Bits 1 to 8 of ReasonFlags (RFC 5280, section 4.2.1.13); bit 0 is unused. */
export const allReasons = 0b1_1111_1110;

const oids = {
  number: '2.5.29.20',
  deltaIndicator: '2.5.29.27',
  issuingDistributionPoint: '2.5.29.28',
  freshest: '2.5.29.46',
} as const;
const processed: readonly string[] = Object.values(oids);
const maxNumberBytes = 21;
/** Real ones take some hundred; they are read before the signature is verified. */
const maxExtensionsBytes = 16 * 1024;
const everything: CrlScope = { der: new Uint8Array(), certificates: 'all', reasons: allReasons };

/** Throws `EnvelopeError` for a critical extension that is not processed. */
export function readCrlExtensions(wrapper: DerElement | undefined): CrlExtensions {
  if (wrapper === undefined) return { freshestUrls: [], scope: everything };
  if (wrapper.bytes.length > maxExtensionsBytes) {
    throw malformed(`extensions of more than ${maxExtensionsBytes} bytes`);
  }
  const [list, ...rest] = expectChildren(wrapper, 'the extensions of the revocation list', 0xa0);
  if (list === undefined || rest.length > 0) throw malformed('extensions that are no single list');
  const extensions = readExtensionList(list);
  for (const [oid, { critical }] of extensions) {
    if (critical && !processed.includes(oid)) throw malformed(`the critical extension ${oid}`);
  }
  const number = extensions.get(oids.number);
  const base = extensions.get(oids.deltaIndicator);
  const freshest = extensions.get(oids.freshest);
  const point = extensions.get(oids.issuingDistributionPoint);
  return {
    ...(number !== undefined && { number: readNumber(number) }),
    ...(base !== undefined && { baseNumber: readNumber(base) }),
    freshestUrls: freshest === undefined ? [] : readCrlUrls(freshest),
    scope: point === undefined ? everything : readScope(point),
  };
}

/** Section 5.2.3: not negative, at most 20 octets of value. */
function readNumber({ value }: Extension): bigint {
  const { content } = expectTag(readDer(value), derTags.integer, 'the number of the list');
  const isNegative = (content[0] ?? 0x80) >= 0x80;
  if (isNegative || content.length > maxNumberBytes) throw malformed('no number');
  return BigInt(`0x${Buffer.from(content).toString('hex')}`);
}

/**
 * IssuingDistributionPoint. A list of other issuers' certificates (indirectCRL) or of attribute
 * certificates says nothing that we can use.
 */
function readScope({ value }: Extension): CrlScope {
  const fields = new Map(
    expectChildren(readDer(value), 'the scope').map((each) => [each.tag, each]),
  );
  const flag = (tag: number): boolean => {
    const field = fields.get(tag);
    return field !== undefined && readBoolean(field);
  };
  const known = [0xa0, 0x81, 0x82, 0x83, 0x84, 0x85];
  if ([...fields.keys()].some((tag) => !known.includes(tag))) throw malformed('an unknown scope');
  const [users, authorities, indirect, attributes] = [0x81, 0x82, 0x84, 0x85].map(flag);
  if (indirect === true) throw malformed('entries of other issuers, which is not supported');
  if (attributes === true) throw malformed('only attribute certificates');
  if (users === true && authorities === true) throw malformed('a scope that contradicts itself');
  const name = fields.get(0xa0);
  const urls = name === undefined ? undefined : urlsOf(name);
  return {
    der: value,
    ...(urls !== undefined && { urls }),
    certificates: users === true ? 'users' : authorities === true ? 'authorities' : 'all',
    reasons: readReasons(fields.get(0x83)),
  };
}

/** DistributionPointName: fullName alone; what is relative to an issuer's name is not supported. */
function urlsOf({ bytes }: DerElement): readonly string[] {
  // CRLDistributionPoints holds the same type in the same place.
  const point = encodeDer(derTags.sequence, bytes);
  return readCrlUrls({ value: encodeDer(derTags.sequence, point) });
}

/** A BIT STRING of at most 9 bits, `[3]` implicit; all reasons where it does not stand. */
function readReasons(element: DerElement | undefined): number {
  if (element === undefined) return allReasons;
  const [unused = 8, first = 0, second = 0, ...rest] = element.content;
  if (unused > 7 || rest.length > 0) throw malformed('reasons that can not be read');
  let reasons = 0;
  for (let bit = 1; bit <= 8; bit += 1) {
    const isSet = bit < 8 ? (first >> (7 - bit)) & 1 : second >> 7;
    reasons |= isSet << bit;
  }
  return reasons;
}

function malformed(what: string): EnvelopeError {
  return new EnvelopeError('CRL_MALFORMED', `the revocation list has ${what}`);
}
