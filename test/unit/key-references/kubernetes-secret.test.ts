import { generateKeyPairSync } from 'node:crypto';
import t, { type Test } from 'tap';
import {
  type FakeKeyService,
  keyReaderOf,
  type ScriptedAnswer,
  startKeyService,
} from '../../support/key-service.ts';
import { makeChain } from '../../support/test-ca.ts';

const pem = generateKeyPairSync('ec', { namedCurve: 'prime256v1' }).publicKey.export({
  type: 'spki',
  format: 'pem',
}) as string;
const account = '/var/run/secrets/kubernetes.io/serviceaccount';
const base64 = (text: string): string => Buffer.from(text).toString('base64');

const secret = {
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name: 'cosign-key', namespace: 'assay' },
  data: {
    'cosign.key': base64('the private half'),
    'cosign.password': base64('hunter2'),
    'cosign.pub': base64(pem),
  },
};

interface Changed {
  readonly environment?: Readonly<Record<string, string>>;
  readonly files?: Readonly<Record<string, string>>;
}

function read(service: FakeKeyService, uri: string, changed: Changed = {}) {
  const environment = {
    KUBERNETES_SERVICE_HOST: '127.0.0.1',
    KUBERNETES_SERVICE_PORT: String(service.port),
    ...changed.environment,
  };
  const files = {
    [`${account}/token`]: 'a-token-of-ours\n',
    [`${account}/ca.crt`]: service.ca,
    ...changed.files,
  };
  return keyReaderOf({ environment, files })(uri);
}

const start = (t: Test, answer: ScriptedAnswer = { body: secret }): Promise<FakeKeyService> =>
  startKeyService(t, () => answer);

t.test('the public key of a secret is read with the word of the service account', async (t) => {
  const service = await start(t);
  t.equal(await read(service, 'k8s://assay/cosign-key'), pem);
  t.match(service.calls, [
    {
      method: 'GET',
      path: '/api/v1/namespaces/assay/secrets/cosign-key',
      headers: { authorization: 'Bearer a-token-of-ours' },
    },
  ]);
  t.equal(service.calls.length, 1);
});

const answers: readonly (readonly [string, ScriptedAnswer, RegExp])[] = [
  ['says that we may not', { status: 403, body: secret }, /answers with status 403$/],
  ['has no such secret', { status: 404, body: secret }, /answers with status 404$/],
  [
    'sends us elsewhere',
    { status: 307, headers: { location: '/other' }, body: secret },
    /answers with status 307$/,
  ],
  ['answers with no JSON', { body: '{"kind":"hunter2' }, /something that is no JSON$/],
  [
    'says a name twice',
    { body: JSON.stringify(secret).replace('{', '{"kind":"Secret",') },
    /something that is no JSON$/,
  ],
  ['answers with a list', { body: [secret] }, /JSON that is no object$/],
  ['answers with a list of secrets', { body: { ...secret, kind: 'SecretList' } }, /is no Secret$/],
  ['says nothing of what it is', { body: { ...secret, metadata: null } }, /metadata is no object$/],
  [
    'answers with another namespace',
    { body: { ...secret, metadata: { name: 'cosign-key', namespace: 'other' } } },
    /is another secret$/,
  ],
  [
    'answers with another name',
    { body: { ...secret, metadata: { name: 'other', namespace: 'assay' } } },
    /is another secret$/,
  ],
  ['has no data', { body: { ...secret, data: undefined } }, /data is no object$/],
  [
    'has no public key',
    { body: { ...secret, data: { 'cosign.key': base64('hunter2') } } },
    /has no entry cosign\.pub$/,
  ],
  ['has a key that is no text', { body: { ...secret, data: { 'cosign.pub': 1 } } }, /is no text$/],
  [
    'has a key that is not in base64',
    { body: { ...secret, data: { 'cosign.pub': pem } } },
    /cosign\.pub is not in base64$/,
  ],
  ['answers without an end', { body: ' '.repeat(2 ** 21 + 1) }, /larger than 2097152 bytes$/],
];

for (const [what, answer, message] of answers) {
  t.test(`no key where the API server ${what}`, async (t) => {
    const service = await start(t, answer);
    const error: unknown = await read(service, 'k8s://assay/cosign-key').catch((e: unknown) => e);
    t.match(error, { name: 'KeyReferenceError', message });
    t.notMatch(String(error), /hunter2|aHVudGVyMg|a-token/, 'nothing secret in the error');
    t.equal(service.calls.length, 1, 'asked once, and followed nowhere');
  });
}

const settings: readonly (readonly [string, Changed, RegExp])[] = [
  ['outside of a cluster', { environment: { KUBERNETES_SERVICE_HOST: '' } }, /_HOST is not set/],
  [
    'with an address that is none',
    { environment: { KUBERNETES_SERVICE_HOST: 'a@b/c' } },
    /"a@b\/c" and its port are no address$/,
  ],
  [
    'with a token of two lines',
    { files: { [`${account}/token`]: 'a-token\r\nx: y' } },
    /account's token is empty, or has characters/,
  ],
  ['with an empty token', { files: { [`${account}/token`]: '' } }, /token is empty/],
  ['without CAs', { files: { [`${account}/ca.crt`]: '' } }, /ca\.crt has no certificate in PEM$/],
];

for (const [what, changed, message] of settings) {
  t.test(`nobody is asked ${what}`, async (t) => {
    const service = await start(t);
    await t.rejects(read(service, 'k8s://assay/cosign-key', changed), {
      code: 'KEY_SERVICE_NOT_CONFIGURED',
      message,
    });
    t.same(service.calls, []);
  });
}

t.test('without a service account nobody is asked', async (t) => {
  const service = await start(t);
  const environment = { KUBERNETES_SERVICE_HOST: '127.0.0.1' };
  await t.rejects(keyReaderOf({ environment })('k8s://assay/cosign-key'), {
    message: `the service account's token can not be read from ${account}/token`,
  });
  t.same(service.calls, []);
});

t.test('an API server that the CAs do not vouch for gets no token', async (t) => {
  const service = await start(t);
  const files = { [`${account}/ca.crt`]: makeChain({ authority: 'stranger' }).root.pem };
  await t.rejects(read(service, 'k8s://assay/cosign-key', { files }), {
    code: 'KEY_SERVICE_FAILED',
  });
  t.same(service.calls, []);
});

for (const uri of [
  'k8s://assay',
  'k8s://assay/',
  'k8s:///cosign-key',
  'k8s://assay/cosign-key/more',
  'k8s://assay/../default/secrets',
  'k8s://Assay/cosign-key',
  'k8s://assay/cosign-key?x',
  'k8s://assay/cosign-key\n',
  `k8s://${'a'.repeat(64)}/cosign-key`,
  `k8s://assay/${'a'.repeat(254)}`,
]) {
  t.test(`no reference to a secret: ${JSON.stringify(uri).slice(0, 60)}`, async (t) => {
    const service = await start(t);
    await t.rejects(read(service, uri), {
      code: 'KEY_REFERENCE_MALFORMED',
      message: 'is not of the form k8s://NAMESPACE/SECRET',
    });
    t.same(service.calls, []);
  });
}
