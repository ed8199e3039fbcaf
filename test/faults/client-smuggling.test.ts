import t, { type Test } from 'tap';
import { makeManifest } from '../support/fake-gate.ts';
import { exchangeRaw, listen, makeRouteServer } from '../support/route-server.ts';

/**
 * Request smuggling (facts T10): whatever two parsers could read apart ends the connection, and
 * what follows it is never answered as a request of its own.
 */
const smuggled = 'GET /v2/demo/smuggled/manifests/1 HTTP/1.1\r\nHost: a\r\n\r\n';
const get = 'GET /v2/demo/app/manifests/1 HTTP/1.1\r\nHost: a\r\n';
const post = 'POST /v2/demo/app/blobs/uploads/ HTTP/1.1\r\nHost: a\r\n';

const corpus: readonly (readonly [string, string])[] = [
  ['CL.TE', `${get}Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${smuggled}`],
  [
    'TE.CL',
    `${get}Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n5c\r\n${smuggled}0\r\n\r\n`,
  ],
  [
    'TE.TE',
    `${get}Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n${smuggled}`,
  ],
  ['TE with a list', `${get}Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n${smuggled}`],
  ['TE unknown', `${get}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n${smuggled}`],
  ['TE with a vertical tab', `${get}Transfer-Encoding:\x0bchunked\r\n\r\n0\r\n\r\n${smuggled}`],
  [
    'TE with a space before the colon',
    `${get}Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n${smuggled}`,
  ],
  [
    'TE in a folded header',
    `${get}X: y\r\n Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n${smuggled}`,
  ],
  ['TE on GET', `${get}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n${smuggled}`],
  ['CL on GET', `${get}Content-Length: 5\r\n\r\nhello${smuggled}`],
  [
    'CL that covers the next request',
    `${get}Content-Length: ${smuggled.length}\r\n\r\n${smuggled}`,
  ],
  ['CL with a plus', `${get}Content-Length: +5\r\n\r\nhello${smuggled}`],
  ['CL negative', `${get}Content-Length: -1\r\n\r\n${smuggled}`],
  ['CL in hex', `${get}Content-Length: 0x5\r\n\r\nhello${smuggled}`],
  ['CL with a comma', `${get}Content-Length: 5, 5\r\n\r\nhello${smuggled}`],
  ['CL that overflows', `${get}Content-Length: 18446744073709551617\r\n\r\n${smuggled}`],
  ['CL empty', `${get}Content-Length:\r\n\r\n${smuggled}`],
  ['two CLs', `${get}Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello${smuggled}`],
  ['two CLs that differ', `${get}Content-Length: 0\r\nContent-Length: 5\r\n\r\nhello${smuggled}`],
  ['obs-fold', `${get}X: one\r\n two\r\n\r\n${smuggled}`],
  ['obs-fold with a tab', `${get}X: one\r\n\ttwo\r\n\r\n${smuggled}`],
  ['bare LF between headers', `GET /v2/ HTTP/1.1\nHost: a\n\n${smuggled}`],
  ['bare LF at the end of headers', `${get}X: y\n\r\n${smuggled}`],
  ['bare CR in a header', `${get}X: a\rTransfer-Encoding: chunked\r\n\r\n${smuggled}`],
  ['NUL in a header', `${get}X: a\0b\r\n\r\n${smuggled}`],
  ['a header without a name', `${get}: x\r\n\r\n${smuggled}`],
  ['a header name with a space', `${get}X Y: z\r\n\r\n${smuggled}`],
  ['a space before the first header', `GET /v2/ HTTP/1.1\r\n Host: a\r\n\r\n${smuggled}`],
  ['a chunk size with a plus', `${post}Transfer-Encoding: chunked\r\n\r\n+0\r\n\r\n${smuggled}`],
  ['a chunk extension', `${post}Transfer-Encoding: chunked\r\n\r\n0;a=b\r\n\r\n${smuggled}`],
  ['a POST with a body', `${post}Content-Length: 5\r\n\r\nhello${smuggled}`],
  ['two Hosts', `${get}Host: b\r\n\r\n${smuggled}`],
  ['no Host', `GET /v2/ HTTP/1.1\r\n\r\n${smuggled}`],
  ['HTTP/0.9', `GET /v2/\r\n\r\n${smuggled}`],
  ['HTTP/1.2', `GET /v2/ HTTP/1.2\r\nHost: a\r\n\r\n${smuggled}`],
  ['HTTP/2 without TLS', `PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n`],
  [
    'Expect with a body',
    `${post}Expect: 100-continue\r\nContent-Length: 5\r\n\r\nhello${smuggled}`,
  ],
];

async function send(t: Test, request: string): Promise<{ answer: string; paths: string[] }> {
  const paths: string[] = [];
  const routes = makeRouteServer(t, {
    async admitManifest({ path }) {
      paths.push(path);
      return makeManifest('{"a":1}');
    },
  });
  const answer = await exchangeRaw(t, await listen(routes), request);
  return { answer, paths };
}

for (const [what, request] of corpus) {
  t.test(`${what} is refused, and what follows is not read`, async (t) => {
    const { answer, paths } = await send(t, request);
    t.strictSame(paths, [], 'the gate is never asked');
    t.equal(answer.match(/HTTP\/1\.1 /g)?.length, 1, 'there is one answer');
    t.match(answer, /^HTTP\/1\.1 4\d\d [^]*\r\nConnection: close\r\n/i);
    const body = answer.slice(answer.indexOf('\r\n\r\n') + 4);
    t.match(JSON.parse(body), { errors: [{ code: 'UNSUPPORTED' }] });
  });
}

t.test('the same request without a trick is answered, and the next one too', async (t) => {
  const { answer, paths } = await send(t, `${get}\r\n${get}Connection: close\r\n\r\n`);
  t.strictSame(paths, ['app', 'app']);
  t.equal(answer.match(/HTTP\/1\.1 200 OK/g)?.length, 2);
});

t.test('who waits to be told to go on is answered, and what follows has no effect', async (t) => {
  const { answer, paths } = await send(t, `${get}Expect: 100-continue\r\n\r\n${smuggled}`);
  t.strictSame(paths, ['app']);
  t.equal(answer.match(/HTTP\/1\.1 /g)?.length, 1);
  t.match(answer, /^HTTP\/1\.1 200 [^]*\r\nConnection: close\r\n/i);
});

t.test('a request line or headers without an end are cut at the bound', async (t) => {
  for (const request of [
    `GET /v2/${'a'.repeat(20_000)} HTTP/1.1\r\n`,
    `${get}X: ${'a'.repeat(20_000)}\r\n`,
    `${get}${'X: y\r\n'.repeat(5_000)}`,
  ]) {
    const { answer, paths } = await send(t, request);
    t.strictSame(paths, []);
    t.match(answer, /^HTTP\/1\.1 431 /);
  }
});

t.test('headers that do not come to an end in time are 408', async (t) => {
  const routes = makeRouteServer(t, {}, { limits: { headersTimeoutMs: 50, requestTimeoutMs: 50 } });
  const answer = await exchangeRaw(t, await listen(routes), `${get}X: y\r\n`);
  t.match(answer, /^HTTP\/1\.1 408 Request Timeout\r\nConnection: close\r\n/);
});
