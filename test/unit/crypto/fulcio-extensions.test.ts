import t from 'tap';
import { readCertificate } from '../../../src/crypto/certificate.ts';
import {
  type FulcioIdentity,
  fulcioClaims,
  readFulcioIdentity,
} from '../../../src/crypto/fulcio-extensions.ts';
import * as asn1 from '../../support/der-encoder.ts';
import { type FulcioPlan, fulcioExtensions, uriName } from '../../support/fulcio-certificate.ts';
import type { TestExtension } from '../../support/test-certificate.ts';
import { makeChain } from '../../support/test-ca.ts';

const readAll = (extensions: readonly TestExtension[]): FulcioIdentity =>
  readFulcioIdentity(readCertificate(makeChain({ leaf: { subject: [], extensions } }).leaf.der));
const read = (plan: FulcioPlan = {}): FulcioIdentity => readAll(fulcioExtensions(plan));
const bare = (text: string): Uint8Array => Buffer.from(text);

t.test('issuer and subject are read', async (t) => {
  t.strictSame(read(), {
    issuer: 'https://accounts.acme.test',
    subject: { kind: 'email', value: 'dev@acme.test' },
    claims: new Map(),
  });
});

t.test('the old issuer, bare text, stands where the new one is not', async (t) => {
  const issuer = { oid: '1.3.6.1.4.1.57264.1.1', value: bare('https://old.test') };
  const others = fulcioExtensions().filter(({ oid }) => !oid.endsWith('.1.8'));
  t.strictSame(readAll([...others, issuer]).issuer, 'https://old.test');
  t.strictSame(
    read({ claims: { 1: bare('https://accounts.acme.test') } }).issuer,
    'https://accounts.acme.test',
  );
});

t.test('every claim is read under its name', async (t) => {
  const numbers = [2, 3, 4, 5, 6, ...Array.from({ length: 15 }, (_, index) => index + 9)];
  const claims = Object.fromEntries(
    numbers.map((number) => [number, number < 7 ? bare(`${number}`) : asn1.utf8(`${number}`)]),
  );
  const found = read({ claims }).claims;
  t.strictSame([...found.keys()], fulcioClaims);
  t.strictSame([...found.values()], numbers.map(String));
  t.strictSame(found.get('githubWorkflowRef'), '6');
  t.strictSame(found.get('buildSignerUri'), '9');
  t.strictSame(found.get('sourceRepositoryUri'), '12');
  t.strictSame(found.get('buildTrigger'), '20');
  t.strictSame(found.get('deploymentEnvironment'), '23');
});

const refused: Readonly<Record<string, [plan: FulcioPlan, why: RegExp]>> = {
  'no subject': [{ names: [] }, /names no subject/],
  'two subjects': [
    { names: [uriName('https://a.test'), uriName('https://b.test')] },
    /names more than one subject/,
  ],
  'an empty issuer': [{ claims: { 8: asn1.utf8('') } }, /names no issuer/],
  'two issuers': [{ claims: { 1: bare('https://other.test') } }, /names two issuers/],
  'an issuer that is no UTF8String': [{ claims: { 8: asn1.ia5('a') } }, /no UTF8String/],
  'an issuer that is bare text': [{ claims: { 8: bare('https://a') } }, /./],
  'a byte behind the issuer': [
    { claims: { 8: Buffer.concat([asn1.utf8('a'), Uint8Array.of(0)]) } },
    /after the end/,
  ],
  'a claim that is no UTF-8': [
    { claims: { 12: asn1.der(0x0c, Uint8Array.of(0xff)) } },
    /not UTF-8/,
  ],
  'an old claim that is no UTF-8': [{ claims: { 5: Uint8Array.of(0xc0, 0x80) } }, /not UTF-8/],
  'an endless claim': [{ claims: { 12: asn1.utf8('a'.repeat(5000)) } }, /too long a value/],
};

for (const [what, [plan, why]] of Object.entries(refused)) {
  t.test(`a certificate with ${what} is refused`, async (t) => {
    t.throws(() => read(plan), { code: 'CERTIFICATE_MALFORMED', message: why });
  });
}

t.test('a certificate without an issuer is refused', async (t) => {
  const san = { oid: '2.5.29.17', value: asn1.sequence(uriName('https://a')) };
  t.throws(() => readAll([san]), { code: 'CERTIFICATE_MALFORMED', message: /names no issuer/ });
});
