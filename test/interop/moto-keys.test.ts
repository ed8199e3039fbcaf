import { spawn } from 'node:child_process';
import { createPublicKey } from 'node:crypto';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { request } from 'node:https';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import t, { type Test } from 'tap';
import { keyReaderOf } from '../support/key-service.ts';
import { requireTool } from '../support/require-tool.ts';
import { makeServerCertificate } from '../support/server-certificate.ts';

const region = 'us-east-1';
/** CreateUser, PutUserPolicy, CreateAccessKey and CreateKey: from then on signatures are checked. */
const freeCalls = 4;

interface Moto {
  readonly host: string;
  readonly ca: string;
  /** A call in the name of nobody. */
  call(service: string, headers: Readonly<Record<string, string>>, body: string): Promise<string>;
}

/** Moto's server, a model of AWS that others wrote, over TLS. */
async function startMoto(t: Test): Promise<Moto | undefined> {
  const tool = requireTool(t, 'moto_server');
  if (tool === undefined) return undefined;
  const { certificate, key, ca } = makeServerCertificate();
  const folder = t.testdir();
  await writeFile(join(folder, 'certificate.pem'), certificate);
  await writeFile(join(folder, 'key.pem'), key);
  const files = ['-c', 'certificate.pem', '-k', 'key.pem'];
  const server = spawn(tool, ['-H', '127.0.0.1', '-p', '0', ...files], {
    cwd: folder,
    env: { ...process.env, INITIAL_NO_AUTH_ACTION_COUNT: String(freeCalls) },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  t.teardown(async () => {
    server.kill();
    if (server.exitCode === null && server.signalCode === null) await once(server, 'exit');
  });
  const host = await hostIn(server.stderr);
  server.stderr.resume();
  const call: Moto['call'] = async (service, headers, body) => {
    const authorization = `AWS4-HMAC-SHA256 Credential=nobody/20300101/${region}/${service}/aws4_request, SignedHeaders=host, Signature=00`;
    const asked = request(`https://${host}/`, {
      method: 'POST',
      ca,
      headers: { ...headers, authorization },
    });
    asked.end(body);
    const [answer] = await once(asked, 'response');
    return await text(answer);
  };
  return { host, ca, call };
}

async function hostIn(output: AsyncIterable<Buffer>): Promise<string> {
  let said = '';
  for await (const chunk of { [Symbol.asyncIterator]: () => unclosed(output) }) {
    said += chunk.toString();
    const [, host] = /Running on https:\/\/(127\.0\.0\.1:\d+)/.exec(said) ?? [];
    if (host !== undefined) return host;
  }
  throw new Error(`moto_server ended: ${said}`);
}

/** Whoever stops here leaves the stream open. */
function unclosed(output: AsyncIterable<Buffer>): AsyncIterator<Buffer> {
  const chunks = output[Symbol.asyncIterator]();
  return { next: () => chunks.next() };
}

async function makeAccessKey(moto: Moto) {
  const iam = (parameters: Readonly<Record<string, string>>): Promise<string> => {
    const type = { 'content-type': 'application/x-www-form-urlencoded' };
    const form = new URLSearchParams({ Version: '2010-05-08', UserName: 'assay', ...parameters });
    return moto.call('iam', type, form.toString());
  };
  await iam({ Action: 'CreateUser' });
  const statement = { Effect: 'Allow', Action: 'kms:GetPublicKey', Resource: '*' };
  const document = { Version: '2012-10-17', Statement: [statement] };
  await iam({
    Action: 'PutUserPolicy',
    PolicyName: 'read',
    PolicyDocument: JSON.stringify(document),
  });
  const made = await iam({ Action: 'CreateAccessKey' });
  const field = (name: string): string =>
    new RegExp(`<${name}>([^<]+)</${name}>`).exec(made)?.[1] ?? '';
  return {
    AWS_ACCESS_KEY_ID: field('AccessKeyId'),
    AWS_SECRET_ACCESS_KEY: field('SecretAccessKey'),
  };
}

async function makeKey(moto: Moto): Promise<{ readonly KeyId: string; readonly Arn: string }> {
  const headers = {
    'content-type': 'application/x-amz-json-1.1',
    'x-amz-target': 'TrentService.CreateKey',
  };
  const body = JSON.stringify({ KeyUsage: 'SIGN_VERIFY', KeySpec: 'ECC_NIST_P256' });
  return JSON.parse(await moto.call('kms', headers, body)).KeyMetadata;
}

t.test('a key is read from a KMS that checks who signed the request', async (t) => {
  const moto = await startMoto(t);
  if (moto === undefined) return;
  const account = await makeAccessKey(moto);
  const { KeyId: id, Arn: arn } = await makeKey(moto);
  const read = (key: string, changed: Readonly<Record<string, string>> = {}) => {
    const environment = { ...account, AWS_REGION: region, AWS_CA_BUNDLE: 'ca.pem', ...changed };
    return keyReaderOf({ environment, files: { 'ca.pem': moto.ca } })(
      `awskms://${moto.host}/${key}`,
    );
  };
  const pem = await read(id);
  t.match(createPublicKey(pem ?? '').asymmetricKeyDetails, { namedCurve: 'prime256v1' });
  t.equal(await read(arn, { AWS_REGION: '' }), pem, 'by its ARN, which says the region');
  await t.rejects(read(id, { AWS_SECRET_ACCESS_KEY: 'another' }), {
    code: 'KEY_SERVICE_FAILED',
    message: /answers with status 403$/,
  });
  await t.rejects(read(id.replace(/^......../, '00000000')), {
    message: /answers with status 400$/,
  });
});
