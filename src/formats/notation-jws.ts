import { parseBase64 } from '../crypto/base64.ts';
import { EnvelopeError } from '../crypto/envelope-error.ts';
import { parseRfc3339 } from '../crypto/rfc3339.ts';
import { type FlattenedJws, readFlattenedJws, verifyJws } from '../crypto/jws.ts';
import type { Json, JsonObject } from '../kernel/json.ts';
import { quoted } from '../kernel/quoted.ts';
import { notationChecks } from './notation/checks.ts';
import { examineNotation } from './notation/examination.ts';
import {
  attributeNames,
  expectCertificates,
  maxEnvelopeBytes,
  type NotationEnvelope,
} from './notation/notation-envelope.ts';
import { isSignatureManifest, notationArtifactType } from './notation/signature-manifest.ts';
import { thumbprintHint } from './notation/thumbprint-hint.ts';
import type { SignatureFormat } from './signature-format.ts';

/** Notary Project signatures in JWS (signature-envelope-jws.md). */
export const notationJws: SignatureFormat = {
  id: 'notation-jws',
  family: 'notation',
  checks: notationChecks,
  maxEnvelopeBytes,
  artifactTypes: [notationArtifactType],
  envelopesOf: (manifest) =>
    isSignatureManifest(manifest, 'application/jose+json') ? manifest.layers : [],
  hints: thumbprintHint,
  examine: ({ bytes: untrustedEnvelope }, subject, requirement, context) =>
    examineNotation({ untrustedEnvelope, read: readJwsEnvelope, subject, requirement, context }),
};

export function readJwsEnvelope(untrusted: Uint8Array): NotationEnvelope {
  const jws = readFlattenedJws(untrusted, maxEnvelopeBytes);
  const { alg, crit, cty, ...attributes } = jws.protectedHeader;
  const read = <T>(name: string, parse: (text: string) => T | undefined): T | undefined => {
    if (!Object.hasOwn(attributes, name)) return undefined;
    const value = parse(expectText(attributes[name], name));
    if (value === undefined) throw malformed(`${name} is malformed`);
    return value;
  };
  const critical = readCritical(crit);
  return {
    claimedAlgorithm: expectText(alg, 'alg'),
    contentType: expectText(cty, 'cty'),
    critical,
    labels: new Set(Object.keys(attributes)),
    text: (name) => read(name, (text) => text),
    time: (name) => read(name, parseRfc3339),
    json: (name) => expectPresent(attributes[name], name),
    payload: jws.payload,
    signature: jws.signature,
    ...readUnprotected(jws),
    // Which of them are known is a check of its own, which comes before this one.
    isSignedBy: (key, algorithm) => verifyJws(jws, algorithm, key, critical),
  };
}

function readCritical(untrusted: Json | undefined): readonly string[] {
  if (!Array.isArray(untrusted) || untrusted.length === 0) {
    throw malformed('crit is missing or empty');
  }
  return untrusted.map((name: Json) => expectText(name, 'a name in crit'));
}

function readUnprotected({
  unprotectedHeader,
}: FlattenedJws): Pick<NotationEnvelope, 'certificates' | 'timestampToken'> {
  const { x5c } = unprotectedHeader;
  if (!Array.isArray(x5c)) throw malformed('x5c is missing or no list');
  const certificates = x5c.map((item: Json) => expectBase64(item, 'a certificate in x5c'));
  return {
    certificates: expectCertificates(certificates, 'JWS_MALFORMED'),
    timestampToken: readToken(unprotectedHeader),
  };
}

function readToken({ [attributeNames.timestampSignature]: token }: JsonObject) {
  return token === undefined ? undefined : expectBase64(token, attributeNames.timestampSignature);
}

function expectBase64(value: Json | undefined, what: string): Uint8Array {
  const bytes = parseBase64(expectText(value, what), 'base64');
  if (bytes === undefined) throw malformed(`${what} is not base64`);
  return bytes;
}

function expectPresent(value: Json | undefined, what: string): Json {
  if (value === undefined) throw malformed(`${quoted(what)} is missing`);
  return value;
}

function expectText(value: Json | undefined, what: string): string {
  if (typeof value !== 'string' || value === '') {
    throw malformed(`${quoted(what)} is missing, empty or no text`);
  }
  return value;
}

function malformed(why: string): EnvelopeError {
  return new EnvelopeError('JWS_MALFORMED', `not a Notation JWS: ${why}`);
}
