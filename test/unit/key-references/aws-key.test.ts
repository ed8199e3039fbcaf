import { generateKeyPairSync } from 'node:crypto';
import t, { type Test } from 'tap';
import {
  type FakeKeyService,
  keyReaderOf,
  type ScriptedAnswer,
  startKeyService,
} from '../../support/key-service.ts';

const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
const id = '1234abcd-12ab-34cd-56ef-1234567890ab';
const arn = `arn:aws:kms:eu-central-1:111122223333:key/${id}`;
const key = {
  KeyId: arn,
  KeySpec: 'ECC_NIST_P256',
  KeyUsage: 'SIGN_VERIFY',
  PublicKey: publicKey.export({ type: 'spki', format: 'der' }).toString('base64'),
  SigningAlgorithms: ['ECDSA_SHA_256'],
};
const pem = publicKey.export({ type: 'spki', format: 'pem' }) as string;
const secretAccessKey = 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY';

function read(
  service: FakeKeyService,
  name: string,
  changed: Readonly<Record<string, string>> = {},
) {
  const environment = {
    AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE',
    AWS_SECRET_ACCESS_KEY: secretAccessKey,
    AWS_REGION: 'eu-north-1',
    AWS_CA_BUNDLE: 'ca.pem',
    ...changed,
  };
  const uri = name.startsWith('awskms:') ? name : `awskms://${service.host}/${name}`;
  return keyReaderOf({ environment, files: { 'ca.pem': service.ca } })(uri);
}

const start = (t: Test, answer: ScriptedAnswer = { body: key }): Promise<FakeKeyService> =>
  startKeyService(t, () => answer);

t.test('a key is asked for by its id, in a request that is signed', async (t) => {
  const service = await start(t);
  t.equal(await read(service, id), pem);
  t.match(service.calls, [
    {
      method: 'POST',
      path: '/',
      headers: {
        host: service.host,
        'content-type': 'application/x-amz-json-1.1',
        'x-amz-target': 'TrentService.GetPublicKey',
        'x-amz-date': /^\d{8}T\d{6}Z$/,
        authorization:
          /^AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE\/\d{8}\/eu-north-1\/kms\/aws4_request, SignedHeaders=content-type;host;x-amz-date;x-amz-target, Signature=[0-9a-f]{64}$/,
      },
      body: JSON.stringify({ KeyId: id }),
    },
  ]);
  t.equal(service.calls[0]?.headers['x-amz-security-token'], undefined);
});

for (const name of [arn, 'alias/acme', 'arn:aws:kms:eu-central-1:111122223333:alias/acme/images']) {
  t.test(`a key is asked for as ${name}`, async (t) => {
    const service = await start(t);
    t.equal(await read(service, name), pem);
    t.equal(service.calls[0]?.body, JSON.stringify({ KeyId: name }));
  });
}

t.test("the region is the ARN's, whatever the environment says", async (t) => {
  const service = await start(t);
  await read(service, arn);
  t.match(service.calls[0]?.headers.authorization, '/eu-central-1/kms/');
});

t.test('AWS_DEFAULT_REGION counts where AWS_REGION is not set', async (t) => {
  const service = await start(t);
  await read(service, id, { AWS_REGION: '', AWS_DEFAULT_REGION: 'us-west-2' });
  t.match(service.calls[0]?.headers.authorization, '/us-west-2/kms/');
});

t.test('the token of temporary credentials is sent and signed', async (t) => {
  const service = await start(t);
  await read(service, id, { AWS_SESSION_TOKEN: 'a-session' });
  t.match(service.calls[0]?.headers, {
    'x-amz-security-token': 'a-session',
    authorization: ';x-amz-security-token;',
  });
});

const answers: readonly (readonly [string, ScriptedAnswer, RegExp])[] = [
  [
    'refuses',
    { status: 400, body: { __type: 'AccessDeniedException', message: secretAccessKey } },
    /answers with status 400$/,
  ],
  ['leads elsewhere', { status: 302, headers: { location: '/' }, body: key }, /status 302$/],
  ['answers with no JSON', { body: `<${secretAccessKey}>` }, /that is no JSON$/],
  [
    'answers with another key',
    { body: { ...key, KeyId: arn.replace('1234abcd', '00000000') } },
    /is another key$/,
  ],
  ['says no key', { body: { ...key, KeyId: undefined } }, /KeyId is no text$/],
  [
    'has a key to encrypt with',
    { body: { ...key, KeyUsage: 'ENCRYPT_DECRYPT' } },
    /none to sign with$/,
  ],
  ['leaves the key out', { body: { ...key, PublicKey: undefined } }, /PublicKey is no text$/],
  ['has a key that is no base64', { body: { ...key, PublicKey: pem } }, /is not in base64$/],
];

for (const [what, answer, message] of answers) {
  t.test(`no key where the service ${what}`, async (t) => {
    const service = await start(t, answer);
    const error: unknown = await read(service, id).catch((e: unknown) => e);
    t.match(error, { name: 'KeyReferenceError', message });
    t.notMatch(String(error), /EXAMPLE/, 'no credentials in the error');
    t.equal(service.calls.length, 1);
  });
}

t.test('an answer for another ARN is another key', async (t) => {
  const service = await start(t);
  await t.rejects(read(service, arn.replace('111122223333', '444455556666')), {
    message: 'the answer is another key',
  });
});

const settings: readonly (readonly [string, Readonly<Record<string, string>>, RegExp])[] = [
  ['without a key id', { AWS_ACCESS_KEY_ID: '' }, /are not both set$/],
  ['without a secret', { AWS_SECRET_ACCESS_KEY: '' }, /are not both set$/],
  ['with a token of two lines', { AWS_SESSION_TOKEN: 'a\nb' }, /^AWS_SESSION_TOKEN is empty, or/],
  ['without a region', { AWS_REGION: '' }, /^AWS_REGION is not set/],
  ['with a region that is none', { AWS_REGION: 'x.example/' }, /^AWS_REGION is no region$/],
  ['with CAs that are not there', { AWS_CA_BUNDLE: 'none.pem' }, /can not be read from none\.pem$/],
];

for (const [what, changed, message] of settings) {
  t.test(`AWS is not asked ${what}`, async (t) => {
    const service = await start(t);
    await t.rejects(read(service, id, changed), { code: 'KEY_SERVICE_NOT_CONFIGURED', message });
    t.same(service.calls, []);
  });
}

for (const name of [
  'awskms://',
  'awskms:///acme',
  'awskms:///alias/',
  `awskms://user@kms.example/${id}`,
  `awskms://kms.example/path/${id}`,
  `awskms:///${id}?region=x`,
  `awskms:///arn:aws:s3:eu-north-1:111122223333:key/${id}`,
  `awskms://kms.example:99999/${id}`,
]) {
  t.test(`no reference to a key of AWS: ${name}`, async (t) => {
    const service = await start(t);
    await t.rejects(read(service, name), {
      code: 'KEY_REFERENCE_MALFORMED',
      message: /^is not of the form awskms:\/\//,
    });
    t.same(service.calls, []);
  });
}
