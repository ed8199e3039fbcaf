import { createPublicKey } from 'node:crypto';
import t from 'tap';
import { readFlattenedJws, verifyJws } from '../../../src/crypto/jws.ts';
import { signBytes } from '../../support/sign-bytes.ts';
import { keyKindOf, signatureAlgorithms, testKey } from '../../support/test-keys.ts';

const key = testKey('EC-256', 'jws');
const publicKey = createPublicKey(key);
const encode = (text: string | Uint8Array): string => Buffer.from(text).toString('base64url');
const header = '{"alg":"ES256","crit":["a"],"a":1}';

interface Plan {
  readonly header?: string;
  readonly payload?: string;
  readonly members?: Readonly<Record<string, unknown>>;
}

function envelope({ header: text = header, payload = '{}', members }: Plan = {}): string {
  const input = `${encode(text)}.${encode(payload)}`;
  const signature = encode(signBytes('ES256', key, Buffer.from(input)));
  const [protectedText, payloadText] = input.split('.');
  return JSON.stringify({
    payload: payloadText,
    protected: protectedText,
    header: { x5c: [] },
    signature,
    ...members,
  });
}

const read = (text: string): ReturnType<typeof readFlattenedJws> =>
  readFlattenedJws(Buffer.from(text), 10_000);
const refusal = (message: RegExp) => ({ code: 'JWS_MALFORMED', message });

t.test('an envelope is read into its parts', async (t) => {
  const jws = read(envelope({ payload: '{"a":1}' }));
  t.strictSame({ ...jws.protectedHeader }, { alg: 'ES256', crit: ['a'], a: 1 });
  t.strictSame({ ...jws.unprotectedHeader }, { x5c: [] });
  t.equal(Buffer.from(jws.payload).toString(), '{"a":1}');
  t.equal(jws.text.protected, encode(header));
});

const twice = (text: string, name: string): string =>
  text.replace(`"${name}":`, `"${name}":"AA","${name}":`);

const refused: Readonly<Record<string, [text: string, why: RegExp]>> = {
  'is no JSON': ['{', /the envelope is no JSON/],
  'is a list': ['[]', /no JSON object/],
  'is the compact form': [`"${encode(header)}.e30.AA"`, /no JSON object/],
  'is the general form': [
    envelope({ members: { signatures: [], protected: undefined, signature: undefined } }),
    /"signatures" is no member/,
  ],
  'has another member': [envelope({ members: { extra: 1 } }), /"extra" is no member/],
  'has a member in another case': [envelope({ members: { Payload: 'e30' } }), /"Payload" is no/],
  'has payload twice': [twice(envelope(), 'payload'), /stands twice/],
  'has protected twice': [twice(envelope(), 'protected'), /stands twice/],
  'has header twice': [twice(envelope(), 'header'), /stands twice/],
  'has signature twice': [twice(envelope(), 'signature'), /stands twice/],
  'has no payload': [envelope({ members: { payload: undefined } }), /payload is missing/],
  'has an empty payload': [envelope({ members: { payload: '' } }), /payload is missing/],
  'has no protected header': [envelope({ members: { protected: undefined } }), /protected is miss/],
  'has no header': [envelope({ members: { header: undefined } }), /header is no object/],
  'has no signature': [envelope({ members: { signature: undefined } }), /signature is missing/],
  'has an empty signature': [envelope({ members: { signature: '' } }), /signature is missing/],
  'has a payload that is no text': [envelope({ members: { payload: 1 } }), /payload is missing/],
  'has a header that is a list': [envelope({ members: { header: [] } }), /header is no object/],
  'has padding in its payload': [
    envelope({ members: { payload: 'e30=' } }),
    /payload is not base64url/,
  ],
  'has spare bits in its payload': [envelope({ members: { payload: 'e31' } }), /not base64url/],
  'has padding in its protected header': [
    envelope({ members: { protected: `${encode('{"alg":1}')}=` } }),
    /protected is not base64url/,
  ],
  'has a line break in its signature': [
    envelope({ members: { signature: 'AA\n' } }),
    /signature is not base64url/,
  ],
  'has a protected header that is no JSON': [envelope({ header: 'x' }), /protected header is no J/],
  'has a protected header that is a list': [envelope({ header: '[]' }), /header is no JSON object/],
  'has a name twice in its protected header': [
    envelope({ header: '{"alg":"ES256","alg":"none"}' }),
    /stands twice/,
  ],
  'has a byte order mark in its protected header': [
    envelope({ header: `\ufeff${header}` }),
    /no JSON/,
  ],
  'has a name in both headers': [
    envelope({ members: { header: { alg: 'ES256' } } }),
    /"alg" may not be in the unprotected/,
  ],
  'has crit in the unprotected header': [
    envelope({ header: '{"alg":"ES256"}', members: { header: { crit: ['a'] } } }),
    /"crit" may not be/,
  ],
  'turns base64url off': [envelope({ header: '{"alg":"ES256","b64":false}' }), /b64/],
};

for (const [what, [text, why]] of Object.entries(refused)) {
  t.test(`an envelope that ${what} is refused`, async (t) => {
    t.throws(() => read(text), refusal(why));
  });
}

t.test('a name that objects inherit is a name like any other', async (t) => {
  const members = { header: { toString: 1, constructor: 2 } };
  t.ok(read(envelope({ members })));
});

t.test('an envelope is read up to its bound', async (t) => {
  const bytes = Buffer.from(envelope());
  t.ok(readFlattenedJws(bytes, bytes.length));
  t.throws(() => readFlattenedJws(bytes, bytes.length - 1), refusal(/larger than/));
});

for (const algorithm of signatureAlgorithms) {
  t.test(`a signature by ${algorithm} verifies, and not over other bytes`, async (t) => {
    const signer = testKey(keyKindOf(algorithm), 'jws');
    const protectedText = encode(JSON.stringify({ alg: algorithm }));
    const bytes = signBytes(algorithm, signer, Buffer.from(`${protectedText}.e30`));
    const jws = (payload: string, signature: Uint8Array) =>
      read(
        JSON.stringify({
          payload,
          protected: protectedText,
          header: {},
          signature: encode(signature),
        }),
      );
    const verify = (payload: string, signature: Uint8Array): Promise<boolean> =>
      verifyJws(jws(payload, signature), algorithm, createPublicKey(signer), []);
    t.equal(await verify('e30', bytes), true);
    t.equal(await verify('W10', bytes), false);
    t.equal(await verify('e30', bytes.subarray(1)), false);
  });
}

t.test("another key's signature does not verify", async (t) => {
  const stranger = createPublicKey(testKey('EC-256', 'stranger'));
  t.equal(await verifyJws(read(envelope()), 'ES256', stranger, ['a']), false);
  t.equal(await verifyJws(read(envelope()), 'ES256', publicKey, ['a']), true);
});

t.test('a header that claims another algorithm than the key has is refused', async (t) => {
  const jws = read(envelope({ header: '{"alg":"ES384"}' }));
  await t.rejects(verifyJws(jws, 'ES256', publicKey, []), refusal(/can be verified/));
});

t.test('a critical name that the caller does not process is refused', async (t) => {
  const refused = verifyJws(read(envelope()), 'ES256', publicKey, ['b']);
  await t.rejects(refused, refusal(/can be verified.*"a" is not recognized/));
});

t.test('nothing verifies with a key for another algorithm', async (t) => {
  const rsa = createPublicKey(testKey('RSA-2048', 'jws'));
  t.equal(await verifyJws(read(envelope()), 'ES256', rsa, ['a']), false);
});
