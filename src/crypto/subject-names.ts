import {
  childrenOf,
  type DerElement,
  derTags,
  expectChildren,
  readDer,
  readObjectIdentifier,
} from './der.ts';
import { EnvelopeError } from './envelope-error.ts';
import { isSameBytes } from './same-bytes.ts';
import type { Certificate } from './x509.ts';

/** A name of whom a certificate is for (RFC 5280, section 4.2.1.6). */
export interface SubjectName {
  readonly kind: 'email' | 'uri' | 'dns' | 'username';
  readonly value: string;
}

export const subjectAlternativeNameOid = '2.5.29.17';

const usernameOid = '1.3.6.1.4.1.57264.1.7';
const maxNames = 64;
const maxBytes = 4096;

/**
 * The subject alternative names that identify a signer: e-mail address, URI, DNS name, and Fulcio's
 * user name. Names of other kinds are passed by. Throws `EnvelopeError` for what can't be read, and
 * for a character that can't be seen: `a\0b` is not `a`.
 */
export function readSubjectNames({ extensions }: Certificate): readonly SubjectName[] {
  const extension = extensions.get(subjectAlternativeNameOid);
  if (extension === undefined) return [];
  const names = expectChildren(readDer(extension.value), 'the subject alternative names');
  if (names.length > maxNames) throw malformed(`has more than ${maxNames} names`);
  return names.flatMap((name) => readName(name) ?? []);
}

const kinds: Readonly<Record<number, SubjectName['kind']>> = {
  0x81: 'email',
  0x82: 'dns',
  0x86: 'uri',
};

function readName(element: DerElement): SubjectName | undefined {
  const { tag, content } = element;
  if (tag === 0xa0) return readOtherName(element);
  const kind = kinds[tag];
  return kind && { kind, value: readText(content, /^[\x21-\x7e]+$/) };
}

/** `OtherName ::= SEQUENCE { type-id, value [0] EXPLICIT }`, its own tag in place of SEQUENCE. */
function readOtherName(element: DerElement): SubjectName | undefined {
  const [typeId, wrapped, ...rest] = childrenOf(element);
  const oid = readObjectIdentifier(typeId, 'the type of another name');
  if (oid !== usernameOid) return undefined;
  const [value, ...more] = expectChildren(wrapped, 'another name', 0xa0);
  if (value?.tag !== derTags.utf8String || rest.length + more.length > 0) {
    throw malformed('has a user name that is no UTF8String');
  }
  return { kind: 'username', value: readText(value.content, /^[^\p{C}\p{Zl}\p{Zp}]+$/u) };
}

function readText(bytes: Uint8Array, allowed: RegExp): string {
  const text = Buffer.from(bytes).toString('utf8');
  const isWhole = bytes.length <= maxBytes && isSameBytes(Buffer.from(text), bytes);
  if (!isWhole || !allowed.test(text)) throw malformed('has a name that is no plain text');
  return text;
}

function malformed(why: string): EnvelopeError {
  return new EnvelopeError('CERTIFICATE_MALFORMED', `the certificate ${why}`);
}
