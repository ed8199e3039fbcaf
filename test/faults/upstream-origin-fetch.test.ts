import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import t, { type Test } from 'tap';
import { openOriginFetch, type OriginFetch } from '../../src/upstream/origin-fetch.ts';

async function start(t: Test, listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function open(t: Test, origin: string): OriginFetch {
  const opened = openOriginFetch({ origin, ownListeners: () => [] });
  t.teardown(() => opened.close());
  return opened;
}

const { signal } = new AbortController();

t.test('a file comes whole, from a private address too, and nothing is sent along', async (t) => {
  let headers: unknown;
  const origin = await start(t, (request, response) => {
    headers = request.headers;
    response.end('{}');
  });
  const bytes = await open(t, origin).fetch(`${origin}/1.root.json`, 10, signal);
  t.strictSame(Buffer.from(bytes ?? []).toString(), '{}');
  t.notMatch(headers, { authorization: /./ });
  t.notMatch(headers, { cookie: /./ });
});

for (const status of [404, 403]) {
  t.test(`status ${status} says that there is none`, async (t) => {
    const origin = await start(t, (_, response) => response.writeHead(status).end('x'));
    t.strictSame(await open(t, origin).fetch(`${origin}/a`, 10, signal), undefined);
  });
}

for (const status of [204, 301, 401, 429, 500]) {
  t.test(`status ${status} is a failure that names the URL`, async (t) => {
    const origin = await start(t, (_, response) =>
      response.writeHead(status, { location: '/b' }).end(),
    );
    await t.rejects(open(t, origin).fetch(`${origin}/a?token=secret`, 10, signal), {
      name: 'UpstreamError',
      message: new RegExp(`/a\\?\\.\\.\\.": answers with status ${status}$`),
    });
  });
}

t.test('the byte behind the last one that may be ends it', async (t) => {
  const origin = await start(t, (_, response) => response.end('x'.repeat(11)));
  await t.rejects(open(t, origin).fetch(`${origin}/a`, 10, signal), { code: 'UPSTREAM_TOO_LARGE' });
});

t.test('no other origin is dialled, and no listener of ours', async (t) => {
  let asked = 0;
  const origin = await start(t, (_, response) => {
    asked += 1;
    response.end('x');
  });
  const astray = { code: 'UPSTREAM_LEADS_ASTRAY' };
  const port = Number(new URL(origin).port);
  for (const url of [
    'http://127.0.0.1:1/a',
    `http://localhost:${port}/a`,
    'file:///etc/passwd',
    'x',
  ]) {
    await t.rejects(open(t, origin).fetch(url, 10, signal), astray, url);
  }
  const own = openOriginFetch({ origin, ownListeners: () => [{ host: '127.0.0.1', port }] });
  t.teardown(() => own.close());
  await t.rejects(own.fetch(`${origin}/a`, 10, signal), astray);
  t.strictSame(asked, 0);
});

t.test('a question goes with its headers and its body to the one origin', async (t) => {
  const seen: unknown[] = [];
  const origin = await start(t, (request, response) => {
    const { method, url, headers } = request;
    request.on('data', (chunk: Buffer) => {
      seen.push({ method, url, headers, body: chunk.toString() });
    });
    request.on('end', () => response.writeHead(418).end('{}'));
  });
  const asked = {
    method: 'POST',
    url: `${origin}/a`,
    authorization: 'Bearer secret',
    headers: { 'x-more': 'b' },
    body: { type: 'application/json', bytes: Buffer.from('[]') },
  } as const;
  const opened = open(t, origin);
  const { status, bytes } = await opened.ask(asked, 10, signal);
  t.same({ status, text: Buffer.from(bytes).toString() }, { status: 418, text: '{}' });
  const headers = {
    authorization: 'Bearer secret',
    'x-more': 'b',
    'content-type': 'application/json',
  };
  t.match(seen, [{ method: 'POST', url: '/a', headers, body: '[]' }]);
  await t.rejects(opened.ask({ ...asked, url: 'http://127.0.0.1:1/a' }, 10, signal), {
    code: 'UPSTREAM_LEADS_ASTRAY',
  });
  await t.rejects(opened.ask(asked, 1, signal), { code: 'UPSTREAM_TOO_LARGE' });
});

t.test('a redirect of a question is its answer', async (t) => {
  const paths: (string | undefined)[] = [];
  const origin = await start(t, (request, response) => {
    paths.push(request.url);
    response.writeHead(307, { location: '/b' }).end();
  });
  const asked = { method: 'GET', url: `${origin}/a`, authorization: 'Bearer secret' } as const;
  t.equal((await open(t, origin).ask(asked, 10, signal)).status, 307);
  t.same(paths, ['/a']);
});

t.test('a question ends with its signal', async (t) => {
  const deadline = new AbortController();
  const origin = await start(t, () => deadline.abort(new DOMException('late', 'TimeoutError')));
  const asked = { method: 'GET', url: `${origin}/a`, authorization: 'Bearer secret' } as const;
  const error: unknown = await open(t, origin)
    .ask(asked, 10, deadline.signal)
    .catch((e: unknown) => e);
  t.match(error, { code: 'UPSTREAM_TIMEOUT', message: /took too long$/ });
  t.notMatch(String(error), /secret/);
});
