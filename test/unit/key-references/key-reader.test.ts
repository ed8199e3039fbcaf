import t from 'tap';
import { makeKeyReader } from '../../../src/key-references/key-reader.ts';
import { KeyReferenceError, type KeyRequest } from '../../../src/key-references/key-service.ts';
import { makeFakeClock } from '../../support/fake-clock.ts';

const pem = '-----BEGIN PUBLIC KEY-----\n-----END PUBLIC KEY-----\n';

function open(isOffline = false) {
  const asked: KeyRequest[] = [];
  const reader = makeKeyReader({
    ask: async (request) => {
      asked.push(request);
      const name = request.url.split('/').at(-1);
      const key = { name, type: 'rsa-2048', latest_version: 1, keys: { '1': { public_key: pem } } };
      return { status: 200, bytes: Buffer.from(JSON.stringify({ data: key })) };
    },
    clock: makeFakeClock(),
    environment: { VAULT_ADDR: 'https://vault.example', VAULT_TOKEN: 'x' },
    readFile: async () => '',
    isOffline,
  });
  return { reader, asked };
}

t.test('each key is asked for once in a load, however often it is named', async (t) => {
  const { reader, asked } = open();
  t.same(await Promise.all([reader('hashivault://a'), reader('hashivault://a')]), [pem, pem]);
  await reader('hashivault://a');
  await reader('hashivault://b');
  t.same(
    asked.map(({ url }) => url),
    ['https://vault.example/v1/transit/keys/a', 'https://vault.example/v1/transit/keys/b'],
  );
});

t.test('a scheme that nobody can be asked by has no key', async (t) => {
  const { reader, asked } = open();
  for (const uri of ['gcpkms://a', 'azurekms://a', 'pkcs11:a', 'constructor://a', 'a', '']) {
    t.equal(await reader(uri), undefined, uri);
  }
  t.same(asked, []);
});

for (const uri of ['k8s://a/b', 'hashivault://a', 'awskms:///alias/a']) {
  t.test(`offline nobody is asked: ${uri}`, async (t) => {
    const { reader, asked } = open(true);
    await t.rejects(
      reader(uri),
      new KeyReferenceError(
        'KEY_SERVICE_NOT_CONFIGURED',
        'trust.offline is true, and nobody is asked then: name a file instead',
      ),
    );
    t.same(asked, []);
  });
}
