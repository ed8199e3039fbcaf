import { createServer, type IncomingMessage } from 'node:http';
import { connect, type AddressInfo, type Socket } from 'node:net';
import t, { type Test } from 'tap';
import { buildImage } from '../support/build-image.ts';
import { failureOf, openRemote, path, signal, tag } from '../support/remote-kit.ts';
import { manifestAnswer, redirectTo } from '../support/scripted-answers.ts';
import { openScriptedUpstream } from '../support/scripted-upstream.ts';
import { makeServerCertificate } from '../support/server-certificate.ts';

const certificate = makeServerCertificate();
const client = makeServerCertificate('client');
const tls = { key: certificate.key, cert: certificate.certificate };
const good = manifestAnswer(buildImage().bytes);

interface Proxy {
  readonly url: string;
  /** What was asked of it: `CONNECT host:port` or `GET http://…`. */
  readonly asked: readonly string[];
  readonly headers: readonly IncomingMessage['headers'][];
}

/** A forward proxy that leads every tunnel to one port of this machine. */
async function openProxy(t: Test, port: number, status = 200): Promise<Proxy> {
  const asked: string[] = [];
  const headers: IncomingMessage['headers'][] = [];
  const sockets = new Set<Socket>();
  const server = createServer((request, response) => {
    asked.push(`${request.method} ${request.url}`);
    headers.push(request.headers);
    response.writeHead(200, good.headers ?? {}).end(good.body);
  });
  server.on('connection', (socket) => sockets.add(socket));
  server.on('connect', (request: IncomingMessage, socket: Socket) => {
    asked.push(`CONNECT ${request.url}`);
    headers.push(request.headers);
    if (status !== 200) {
      socket.end(`HTTP/1.1 ${status} no\r\n\r\n`);
      return;
    }
    const onward = connect(port, '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 ok\r\n\r\n');
      onward.pipe(socket).pipe(onward);
    });
    for (const each of [onward, socket]) each.on('error', () => each.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { url, asked, headers };
}

t.test('an upstream is reached through the tunnel of its proxy', async (t) => {
  const upstream = await openScriptedUpstream({ tls });
  t.teardown(() => upstream.close());
  upstream.otherwise(good);
  const proxy = await openProxy(t, upstream.port);
  const options = { ca: certificate.ca, clientCertificate: client, httpProxy: proxy.url };
  const resolve = () => Promise.reject(new Error('names are the proxy’s to resolve'));
  const { source } = openRemote(t, 'https://localhost', options, { resolve });
  t.ok(await source.fetchManifest(path, { tag }, signal));
  t.strictSame(proxy.asked, ['CONNECT localhost:443']);
  t.equal(upstream.requests[0]?.clientName, 'proxy');
});

t.test('the user name of the proxy goes to the proxy alone', async (t) => {
  const upstream = await openScriptedUpstream({ tls });
  t.teardown(() => upstream.close());
  upstream.otherwise(good);
  const proxy = await openProxy(t, upstream.port);
  const httpProxy = proxy.url.replace('//', '//user:secret@');
  const { source } = openRemote(t, 'https://localhost', { ca: certificate.ca, httpProxy });
  t.ok(await source.fetchManifest(path, { tag }, signal));
  t.match(proxy.headers[0]?.['proxy-authorization'], /^Basic /);
  t.notOk('proxy-authorization' in (upstream.requests[0]?.headers ?? {}));
});

t.test('through a proxy the certificate is checked against the name', async (t) => {
  const upstream = await openScriptedUpstream({ tls });
  t.teardown(() => upstream.close());
  const proxy = await openProxy(t, upstream.port);
  const options = { ca: certificate.ca, httpProxy: proxy.url };
  const { source } = openRemote(t, 'https://registry.example', options);
  const error = await failureOf(t, source.fetchManifest(path, { tag }, signal));
  t.equal(error.code, 'UPSTREAM_UNREACHABLE');
  t.equal(upstream.requests.length, 0);
});

for (const status of [403, 407, 502]) {
  t.test(`a proxy that answers ${status} makes its upstream unreachable`, async (t) => {
    const proxy = await openProxy(t, 1, status);
    const { source } = openRemote(t, 'https://registry.example', { httpProxy: proxy.url });
    const error = await failureOf(t, source.fetchManifest(path, { tag }, signal));
    t.equal(error.code, 'UPSTREAM_UNREACHABLE');
  });
}

t.test('through a proxy a redirect to an address of our network is refused', async (t) => {
  const upstream = await openScriptedUpstream({ tls });
  t.teardown(() => upstream.close());
  const proxy = await openProxy(t, upstream.port);
  const options = { ca: certificate.ca, httpProxy: proxy.url };
  for (const host of ['127.0.0.1', '169.254.169.254', '[::1]', '10.0.0.1', 'a.localhost']) {
    upstream.otherwise(redirectTo(`https://${host}/x`));
    const { source } = openRemote(t, 'https://localhost', options);
    const error = await failureOf(t, source.fetchManifest(path, { tag }, signal));
    t.equal(error.code, 'UPSTREAM_LEADS_ASTRAY', host);
  }
  t.ok(
    proxy.asked.every((asked) => asked === 'CONNECT localhost:443'),
    String(proxy.asked),
  );
});

t.test('a certificate that only our own CA vouches for is not believed without it', async (t) => {
  const upstream = await openScriptedUpstream({ tls });
  t.teardown(() => upstream.close());
  const { source } = openRemote(t, `https://localhost:${upstream.port}`);
  const error = await failureOf(t, source.fetchManifest(path, { tag }, signal));
  t.equal(error.code, 'UPSTREAM_UNREACHABLE');
  t.equal(upstream.requests.length, 0);
});
