import t from 'tap';
import { preAuthEncoding, readDsseEnvelope } from '../../../src/crypto/dsse.ts';

const base64 = (text: string): string => Buffer.from(text).toString('base64');
const good = {
  payloadType: 'application/vnd.in-toto+json',
  payload: base64('{"a":1}'),
  signatures: [{ keyid: 'k', sig: base64('signature') }],
};
const read = (envelope: unknown, maxBytes = 10_000) =>
  readDsseEnvelope(Buffer.from(JSON.stringify(envelope)), maxBytes);

t.test('an envelope is read', async (t) => {
  t.same(read(good), {
    payloadType: good.payloadType,
    payload: Buffer.from('{"a":1}'),
    signatures: [{ keyId: 'k', signature: Buffer.from('signature') }],
  });
  const [signature] = read({ ...good, signatures: [{ sig: 'AAAA', keyid: '' }] }).signatures;
  t.notOk('keyId' in (signature ?? {}), 'an empty hint is none');
});

t.test('what is signed has the lengths in bytes', async (t) => {
  const input = {
    payloadType: 'http://example.com/HelloWorld',
    payload: Buffer.from('hello world'),
  };
  const published = 'DSSEv1 29 http://example.com/HelloWorld 11 hello world';
  t.strictSame(Buffer.from(preAuthEncoding(input)).toString(), published);
  const wide = preAuthEncoding({ payloadType: 'é', payload: Buffer.from('ü') });
  t.strictSame(Buffer.from(wide).toString(), 'DSSEv1 2 é 2 ü');
});

const refused: Readonly<Record<string, [envelope: unknown, why: RegExp]>> = {
  'a list': [[good], /it is no object/],
  'a member that it may not have': [{ ...good, extra: 1 }, /"extra" is not known/],
  'no payload type': [{ ...good, payloadType: undefined }, /payloadType is missing/],
  'a payload type that is a number': [{ ...good, payloadType: 1 }, /payloadType is no text/],
  'an endless payload type': [{ ...good, payloadType: 'a'.repeat(257) }, /too long/],
  'no payload': [{ ...good, payload: '' }, /payload is empty/],
  'a payload in base64url': [{ ...good, payload: 'e30-' }, /payload is no base64/],
  'a payload without padding': [{ ...good, payload: 'e30' }, /payload is no base64/],
  'spare bits in base64': [{ ...good, payload: 'e31=' }, /payload is no base64/],
  'no signatures': [{ ...good, signatures: [] }, /has no signature/],
  'no list of them': [{ ...good, signatures: undefined }, /has no signature/],
  'signatures that are no list': [{ ...good, signatures: {} }, /signatures is no list/],
  'an empty signature': [{ ...good, signatures: [{ sig: '' }] }, /signatures\[0\].sig is empty/],
  'a key id that is a number': [{ ...good, signatures: [{ sig: 'AAAA', keyid: 1 }] }, /keyid/],
  'a certificate beside the signature': [
    { ...good, signatures: [{ sig: 'AAAA', cert: 'x' }] },
    /signatures\[0\]."cert" is not known/,
  ],
  '33 signatures': [
    { ...good, signatures: Array.from({ length: 33 }, () => ({ sig: 'AAAA' })) },
    /more than 32/,
  ],
};

for (const [what, [envelope, why]] of Object.entries(refused)) {
  t.test(`an envelope with ${what} is refused`, async (t) => {
    t.throws(() => read(envelope), { code: 'DSSE_MALFORMED', message: why });
  });
}

t.test('an envelope with a name twice, or larger than it may be, is refused', async (t) => {
  const twice = JSON.stringify(good).replace('{', `{"payload":"AAAA",`);
  const malformed = (message: RegExp) => ({ code: 'DSSE_MALFORMED', message });
  t.throws(() => readDsseEnvelope(Buffer.from(twice), 10_000), malformed(/twice/));
  t.throws(() => read(good, 20), malformed(/larger than 20 bytes/));
  t.throws(() => readDsseEnvelope(Buffer.from('{'), 10), malformed(/no JSON/));
});
