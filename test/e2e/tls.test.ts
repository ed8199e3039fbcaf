import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { get as getOverTls, type RequestOptions } from 'node:https';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { composeApp } from '../../src/compose/app.ts';
import type { Config } from '../../src/config/schema.ts';
import { makeServerCertificate } from '../support/server-certificate.ts';
import { loadStarter, startApp } from '../support/start-starter.ts';

const server = makeServerCertificate();
const client = makeServerCertificate('client');

async function withTls(t: Test, pems: Readonly<Record<string, string>>): Promise<Config> {
  const starter = await loadStarter(t);
  const folder = join(starter.storage.path, '..');
  const tls: Record<string, string> = {};
  for (const [name, pem] of Object.entries(pems)) {
    tls[name] = join(folder, `${name}.pem`);
    await writeFile(tls[name], pem);
  }
  return { ...starter, listen: { ...starter.listen, tls } } as unknown as Config;
}

async function ask(oci: string, options: RequestOptions): Promise<number | undefined> {
  const request = getOverTls(`${oci}/v2/demo/app/manifests/signed-jws`, {
    ...options,
    agent: false,
  });
  const [answer] = (await once(request, 'response')) as [IncomingMessage];
  answer.resume();
  return answer.statusCode;
}

t.test('with a certificate it serves over TLS', async (t) => {
  const { certificate, key } = server;
  const { oci } = await startApp(t, await withTls(t, { certificate, key }));
  t.match(oci, /^https:\/\/127\.0\.0\.1:\d+$/);
  t.equal(await ask(oci, { ca: server.ca }), 200);
  await t.rejects(ask(oci, {}), 'a client that does not know the CA goes away');
});

t.test('with a client CA only clients with its certificates come in', async (t) => {
  const { certificate, key } = server;
  const { oci } = await startApp(t, await withTls(t, { certificate, key, clientCa: client.ca }));
  const { certificate: cert } = client;
  t.equal(await ask(oci, { ca: server.ca, cert, key: client.key }), 200);
  await t.rejects(ask(oci, { ca: server.ca }));
});

t.test('a certificate or key that can not be used is an error of the start', async (t) => {
  const config = await withTls(t, { certificate: 'no PEM', key: server.key });
  await t.rejects(composeApp(config), { code: 'TLS_UNUSABLE', message: /^listen\.tls: / });
});
