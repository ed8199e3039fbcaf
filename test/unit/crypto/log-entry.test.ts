import { createHash } from 'node:crypto';
import t from 'tap';
import { maxLogEntryBytes, readLogEntry } from '../../../src/crypto/log-entry.ts';
import {
  base64,
  chain,
  entryBody,
  type EntryName,
  logEntries,
  publicKeyDer,
  publicKeyPem,
} from '../../support/log-entries.ts';

const digest = createHash('sha256').update('artifact').digest();
const hash = { algorithm: 'sha256', digest };

const covered: Readonly<Record<EntryName, readonly string[]>> = {
  'hashedrekord 0.0.1': ['artifactHash'],
  'hashedrekord 0.0.2': ['artifactHash'],
  'dsse 0.0.1': ['envelopeHash', 'payloadHash'],
  'dsse 0.0.2': ['payloadHash'],
  'intoto 0.0.1': ['envelopeHash', 'payloadHash'],
  'intoto 0.0.2': ['envelopeHash', 'payloadHash'],
  'rekord 0.0.1': ['artifactHash'],
};

for (const [name, hashes] of Object.entries(covered) as [EntryName, readonly string[]][]) {
  t.test(`an entry ${name} is read into what it vouches for`, async (t) => {
    const { kind, version, signatures, ...rest } = readLogEntry(entryBody(name));
    t.strictSame(`${kind} ${version}`, name);
    t.strictSame(rest, Object.fromEntries(hashes.map((each) => [each, hash])));
    const [first, ...others] = signatures;
    t.strictSame(others, []);
    const expected = name === 'intoto 0.0.1' ? undefined : Buffer.from('signature');
    t.strictSame(first?.signature, expected);
    const { verifier } = first ?? {};
    const isKey = ['dsse 0.0.1', 'intoto 0.0.1', 'rekord 0.0.1'].includes(name);
    t.strictSame(verifier?.kind, isKey ? 'public-key' : 'certificate');
    if (verifier?.kind === 'certificate') {
      t.strictSame(verifier.certificate.fingerprint, chain.leaf.fingerprint);
    } else t.strictSame(Buffer.from(verifier?.publicKey.der ?? []), publicKeyDer);
  });
}

/** The path of every field of a spec. */
function pathsOf(value: unknown, path: readonly string[] = []): readonly (readonly string[])[] {
  if (typeof value !== 'object' || value === null) return [path];
  const below = Object.entries(value).flatMap(([name, item]) => pathsOf(item, [...path, name]));
  return path.length === 0 ? below : [path, ...below];
}

function changed(value: unknown, [name = '', ...rest]: readonly string[], to: unknown): unknown {
  const copy = structuredClone(value) as Record<string, unknown>;
  if (rest.length === 0) copy[name] = to;
  else copy[name] = changed(copy[name], rest, to);
  return Array.isArray(value) ? Object.values(copy) : copy;
}

// Of a key's kind the key itself says more; the payload hash of intoto 0.0.1 is optional, and its
// payload type is no claim of the log's.
const optional = ['keyDetails', 'payloadType'];
const isOptional = (name: EntryName, path: readonly string[]): boolean =>
  optional.includes(path.at(-1) ?? '') ||
  (name === 'intoto 0.0.1' && path.join('.') === 'content.payloadHash');

for (const name of Object.keys(logEntries) as EntryName[]) {
  t.test(`an entry ${name} without one of its fields, or with another, is refused`, async (t) => {
    for (const path of pathsOf(logEntries[name])) {
      const refuses = (to: unknown, how: string): void => {
        const body = entryBody(name, changed(logEntries[name], path, to));
        t.throws(() => readLogEntry(body), { code: 'LOG_MALFORMED' }, `${path.join('.')} ${how}`);
      };
      if (isOptional(name, path)) continue;
      refuses(undefined, 'missing');
      refuses(1, 'a number');
      refuses('\u0000', 'no base64');
      refuses([], 'a list');
    }
  });
}

const pems: Readonly<Record<string, string>> = {
  'two certificates': chain.pem,
  'a private key': publicKeyPem.replaceAll('PUBLIC', 'PRIVATE'),
  'no PEM': 'x',
  'a certificate that is cut off': chain.leaf.pem.replace(/\n.*\n-----END/, '\n-----END'),
};

for (const [what, pem] of Object.entries(pems)) {
  t.test(`a verifier that is ${what} is refused`, async (t) => {
    const spec = changed(
      logEntries['hashedrekord 0.0.1'],
      ['signature', 'publicKey', 'content'],
      base64(pem),
    );
    t.throws(() => readLogEntry(entryBody('hashedrekord 0.0.1', spec)), {
      code: 'LOG_MALFORMED',
      message: /verifier/,
    });
  });
}

const refused: Readonly<Record<string, [body: string | Buffer, why: RegExp]>> = {
  'no JSON': ['{', /no JSON/],
  'a kind that is not known': ['{"apiVersion":"0.0.1","kind":"tuf","spec":{}}', /not known/],
  'a version that is not known': ['{"apiVersion":"0.0.3","kind":"dsse","spec":{}}', /not known/],
  'a kind out of the prototype': ['{"apiVersion":"","kind":"constructor","spec":{}}', /empty/],
  'no spec': ['{"apiVersion":"0.0.1","kind":"dsse"}', /spec is missing/],
  'another member': ['{"apiVersion":"0.0.1","kind":"dsse","spec":{},"x":1}', /"x" is not known/],
  'a member twice': ['{"kind":"dsse","kind":"dsse"}', /twice/],
  'more bytes than may be': [Buffer.alloc(maxLogEntryBytes + 1, 32), /larger than/],
  'SHA-1': [
    entryBody(
      'dsse 0.0.1',
      changed(logEntries['dsse 0.0.1'], ['payloadHash', 'algorithm'], 'sha1'),
    ),
    /algorithm is not accepted/,
  ],
  'a hash in capitals': [
    entryBody(
      'dsse 0.0.1',
      changed(
        logEntries['dsse 0.0.1'],
        ['payloadHash', 'value'],
        digest.toString('hex').toUpperCase(),
      ),
    ),
    /no lower-case hex/,
  ],
  'a hash that is short': [
    entryBody('dsse 0.0.1', changed(logEntries['dsse 0.0.1'], ['payloadHash', 'value'], 'ab')),
    /not as long as/,
  ],
  'a signature of PGP': [
    entryBody('rekord 0.0.1', changed(logEntries['rekord 0.0.1'], ['signature', 'format'], 'pgp')),
    /not of format x509/,
  ],
};

for (const [what, [body, why]] of Object.entries(refused)) {
  t.test(`an entry with ${what} is refused`, async (t) => {
    const malformed = { code: 'LOG_MALFORMED', message: why };
    t.throws(() => readLogEntry(Buffer.from(body)), malformed);
  });
}
