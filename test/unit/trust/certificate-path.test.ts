import t from 'tap';
import { readCertificate } from '../../../src/crypto/certificate.ts';
import type { Certificate } from '../../../src/crypto/x509.ts';
import {
  codeSigning,
  findCertificatePath,
  type PathRequest,
} from '../../../src/trust/certificate-path.ts';
import * as asn1 from '../../support/der-encoder.ts';
import { type ChainOptions, makeChain } from '../../support/test-ca.ts';

const read = (options: ChainOptions = {}): readonly Certificate[] =>
  makeChain(options).ders.map(readCertificate);
const now = new Date('2030-01-01T00:00:00Z');

function requestOf(options: ChainOptions = {}, overrides: Partial<PathRequest> = {}): PathRequest {
  const [leaf, ...issuers] = read(options);
  if (leaf === undefined) throw new TypeError('a chain has a leaf');
  return {
    leaf,
    anchors: issuers.slice(-1),
    intermediates: issuers.slice(0, -1),
    times: [now],
    purpose: codeSigning,
    ...overrides,
  };
}

for (const intermediates of [0, 1, 2] as const) {
  t.test(
    `a path over ${intermediates} intermediates is found, in whatever order they stand`,
    async (t) => {
      const request = requestOf({ intermediates });
      const found = findCertificatePath({
        ...request,
        intermediates: request.intermediates.toReversed(),
      });
      t.strictSame(found.kind, 'found');
      const path = found.kind === 'found' ? found.path : [];
      t.strictSame(
        path.map(({ fingerprint }) => fingerprint),
        read({ intermediates }).map((c) => c.fingerprint),
      );
    },
  );
}

const ends = { notBefore: '2029-12-31T00:00:00Z', notAfter: '2030-01-01T00:00:00Z' };
const critical = { oid: '1.2.3.4', critical: true, value: asn1.nothing() };
const constrained = { oid: '2.5.29.30', critical: false, value: asn1.sequence() };
const serverAuth = { extendedKeyUsage: { purposes: ['1.3.6.1.5.5.7.3.1'] } };

const refused: Readonly<Record<string, [options: ChainOptions, why: RegExp]>> = {
  'a leaf of another purpose': [{ leaf: serverAuth }, /extended key usage lacks/],
  'a leaf without a purpose': [{ leaf: { extendedKeyUsage: 'absent' } }, /usage lacks/],
  'a leaf of any purpose': [
    { leaf: { extendedKeyUsage: { purposes: ['2.5.29.37.0'] } } },
    /usage lacks/,
  ],
  'a leaf that is a CA': [{ leaf: { basicConstraints: { isCa: true } } }, /it is a CA/],
  'a leaf without key usage': [{ leaf: { keyUsage: 'absent' } }, /no key usage/],
  'a leaf that may not sign': [
    { leaf: { keyUsage: { bits: ['keyAgreement'] } } },
    /lacks digitalSignature/,
  ],
  'a leaf with a critical extension that is not known': [
    { leaf: { extensions: [critical] } },
    /critical extension 1.2.3.4/,
  ],
  'an issuer that is no CA': [
    { intermediate: { 0: { basicConstraints: { isCa: false } } } },
    /it is no CA/,
  ],
  'an issuer without basic constraints': [
    { intermediate: { 0: { basicConstraints: 'absent' } } },
    /no basic constraints/,
  ],
  'an issuer that may not sign certificates': [
    { intermediate: { 0: { keyUsage: { bits: ['digitalSignature'] } } } },
    /lacks keyCertSign/,
  ],
  'an issuer of another purpose': [{ intermediate: { 0: serverAuth } }, /may not issue for this/],
  'an issuer with name constraints': [
    { intermediate: { 0: { extensions: [constrained] } } },
    /name constraints/,
  ],
  'an issuer with a critical extension that is not known': [
    { intermediate: { 0: { extensions: [critical] } } },
    /critical extension 1.2.3.4/,
  ],
  'an anchor with name constraints': [{ root: { extensions: [constrained] } }, /name constraints/],
  'a path longer than an issuer allows': [
    { root: { basicConstraints: { isCa: true, pathLength: 0 } } },
    /path length is 0/,
  ],
  'an issuer that did not sign': [{ leaf: { signedBy: 'stranger' } }, /did not sign/],
  'a signature by SHA-1': [{ leaf: { hash: 'sha1' } }, /is not accepted/],
  'a leaf that names another issuer': [
    { leaf: { issuer: 'CN=somebody else' } },
    /no trusted authority issued/,
  ],
};

for (const [what, [options, why]] of Object.entries(refused)) {
  t.test(`a path with ${what} is none`, async (t) => {
    const result = findCertificatePath(requestOf(options));
    t.match(result, { kind: 'none', because: why });
  });
}

// GHSA-wfqv-66vq-46rm: every certificate, at every time.
for (const [what, options] of Object.entries({
  leaf: { leaf: ends },
  intermediate: { intermediate: { 0: ends } },
  anchor: { root: ends },
} satisfies Record<string, ChainOptions>)) {
  t.test(`the ${what} must be valid at every time, both ends included`, async (t) => {
    const at = (...times: readonly string[]) => {
      const [first = '', ...rest] = times;
      const all = [new Date(first), ...rest.map((time) => new Date(time))] as const;
      return findCertificatePath(requestOf(options, { times: all }));
    };
    t.match(at(ends.notBefore), { kind: 'found' });
    t.match(at(ends.notBefore, ends.notAfter), { kind: 'found' });
    const outside = { kind: 'none', because: /is valid from 2029-12-31.* not at / };
    t.match(at('2030-01-01T00:00:01Z'), outside);
    t.match(at('2029-12-30T23:59:59Z'), outside);
    t.match(at(ends.notBefore, '2030-01-01T00:00:01Z'), outside, 'one of two');
  });
}

t.test('an issuer of any purpose, or of none that is listed, may issue', async (t) => {
  const purposes = { extendedKeyUsage: { purposes: ['2.5.29.37.0'] } };
  t.match(findCertificatePath(requestOf({ intermediate: { 0: purposes } })), { kind: 'found' });
  const own = { extendedKeyUsage: { purposes: [codeSigning] } };
  t.match(findCertificatePath(requestOf({ intermediate: { 0: own } })), { kind: 'found' });
  const several = { extendedKeyUsage: { purposes: ['1.3.6.1.5.5.7.3.1', codeSigning] } };
  t.match(findCertificatePath(requestOf({ intermediate: { 0: several } })), { kind: 'found' });
});

t.test('what only came along is never an anchor', async (t) => {
  const request = requestOf();
  const all = { intermediates: [...request.intermediates, ...request.anchors] };
  const stranger = requestOf({ authority: 'stranger' });
  t.match(findCertificatePath({ ...request, ...all, anchors: [] }), { kind: 'none' });
  t.match(findCertificatePath({ ...request, ...all, anchors: stranger.anchors }), { kind: 'none' });
});

t.test('a certificate that has the same name and another key leads nowhere else', async (t) => {
  const request = requestOf();
  const [twin] = read({ intermediate: { 0: { key: 'EC-384' } } }).slice(1);
  if (twin === undefined) throw new TypeError('a chain has an intermediate');
  const found = findCertificatePath({
    ...request,
    intermediates: [twin, ...request.intermediates],
  });
  t.match(found, { kind: 'found' });
});

t.test('a leaf without a subject is called by its fingerprint', async (t) => {
  const request = requestOf({ leaf: { subject: [], ...serverAuth } });
  const because = new RegExp(`certificate ${request.leaf.fingerprint.slice(0, 16)} may not`);
  t.match(findCertificatePath(request), { kind: 'none', because });
});

t.test('the search is bounded, whoever sends how many issuers of one name', async (t) => {
  const request = requestOf({ leaf: { issuer: 'C=US, ST=WA, O=acme, CN=acme root' } });
  const [root] = request.anchors;
  if (root === undefined) throw new TypeError('a chain has a root');
  // Each is issued by its own name, so that all of them fit behind one another.
  const many = Array.from({ length: 200 }, (_, index) => {
    const serial = Uint8Array.of(1, index);
    const own = { serial, subject: 'C=US, ST=WA, O=acme, CN=acme root' };
    return readCertificate(makeChain({ intermediates: 0, root: own }).root.der);
  });
  const stranger = requestOf({ authority: 'stranger' }).anchors;
  const result = findCertificatePath({ ...request, anchors: stranger, intermediates: many });
  t.match(result, { kind: 'none', because: /more than 64 ways/ });
});
