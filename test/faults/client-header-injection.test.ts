import t from 'tap';
import { DeniedError, NotFoundError, UnavailableError } from '../../src/gate/gate-error.ts';
import { makeManifest, makeVerdict } from '../support/fake-gate.ts';
import { exchangeRaw, listen, makeRouteServer } from '../support/route-server.ts';

/** Response splitting (facts T11): what others wrote never makes a header or an answer of its own. */
const evil = 'x\r\nX-Evil: 1\r\n\r\nHTTP/1.1 200 OK\r\n\r\n\u{1f600}\0\x1b[31m"\\';
const url = '/v2/demo/app/manifests/1.0';
const because = makeVerdict({ because: evil, rule: evil });

const thrown = [
  new DeniedError(because, 'no-trusted-signer'),
  new DeniedError(makeVerdict({ id: evil }), 'unsigned'),
  new UnavailableError('UNAVAILABLE', evil, { verdict: because }),
  new UnavailableError('BAD_UPSTREAM', evil),
  new NotFoundError('MANIFEST_UNKNOWN', evil),
];

for (const error of thrown) {
  t.test(
    `${error.name} ${error.code} with hostile text is one answer in printable ASCII`,
    async (t) => {
      const routes = makeRouteServer(t, { admitManifest: () => Promise.reject(error) });
      const request = `GET ${url} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`;
      const answer = await exchangeRaw(t, await listen(routes), request);
      t.match(answer, /^HTTP\/1\.1 [45]\d\d [ -~]*\r\n/);
      t.notMatch(answer, /^X-Evil/im);
      t.equal(answer.match(/^HTTP\/1\.1/gm)?.length, 1);
      t.notMatch(answer, /[^\x20-\x7e\r\n]/);
      const body = answer.slice(answer.indexOf('\r\n\r\n') + 4);
      t.match(JSON.parse(body), { errors: [{ message: String }] });
    },
  );
}

t.test('hostile warnings are escaped', async (t) => {
  const manifest = makeManifest('{"a":1}', { warnings: [evil, evil] });
  const routes = makeRouteServer(t, { admitManifest: async () => manifest });
  const request = `HEAD ${url} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`;
  const answer = await exchangeRaw(t, await listen(routes), request);
  t.equal(answer.match(/^Warning: 299 - "[ -~]*"\r$/gm)?.length, 2);
  t.notMatch(answer, /^X-Evil/im);
  t.equal(answer.match(/^HTTP\/1\.1/gm)?.length, 1);
});

t.test('what the client wrote comes back only escaped', async (t) => {
  const port = await listen(makeRouteServer(t));
  for (const target of [
    `/v2/demo/app/tags/list?n=%0d%0aX-Evil:%201`,
    `/v2/a/manifests/1?ns=%0d%0aX-Evil:%201`,
    `/v2/demo/app/referrers/sha256:${'a'.repeat(64)}?artifactType=%0d%0aX-Evil:%201&last=%0d%0a`,
  ]) {
    const request = `GET ${target} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`;
    const answer = await exchangeRaw(t, port, request);
    t.notMatch(answer, /^X-Evil/im, target);
    t.equal(answer.match(/^HTTP\/1\.1/gm)?.length, 1);
  }
});

t.test('a media type that is no header text is our mistake, and no header', async (t) => {
  const manifest = makeManifest('{}', { mediaType: 'a/b\r\nX-Evil: 1' });
  const { server, logLines } = makeRouteServer(t, { admitManifest: async () => manifest });
  const answer = await server.inject({ url });
  t.equal(answer.statusCode, 500);
  t.notHas(answer.headers, 'x-evil');
  t.equal(logLines[0]?.level, 'error');
});
