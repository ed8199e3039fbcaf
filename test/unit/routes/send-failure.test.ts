import { once } from 'node:events';
import t from 'tap';
import { DeniedError, UnavailableError } from '../../../src/gate/gate-error.ts';
import { failureBody } from '../../../src/routes/send-failure.ts';
import { makeVerdict } from '../../support/fake-gate.ts';
import { connectTo, listen, makeRouteServer } from '../../support/route-server.ts';

const url = '/v2/demo/app/manifests/1.0';
const failing = (t: Parameters<typeof makeRouteServer>[0], error: Error, publicUrl?: string) =>
  makeRouteServer(
    t,
    { admitManifest: () => Promise.reject(error) },
    publicUrl === undefined ? {} : { publicUrl },
  );

t.test('a denial is the same on GET and HEAD, in body, header and reason phrase', async (t) => {
  const denied = new DeniedError(makeVerdict(), 'unsigned');
  const { server } = failing(t, denied, 'https://proxy.example/');
  const get = await server.inject({ url });
  t.equal(get.statusCode, 403);
  t.equal(get.statusMessage, 'Forbidden: unsigned (id 7f3a9c)');
  t.equal(get.headers['x-assay-reason'], 'unsigned (id 7f3a9c)');
  t.equal(get.headers['content-type'], 'application/json');
  t.equal(get.headers['cache-control'], 'no-store');
  const { errors } = get.json<{ errors: { code: string; message: string; detail: unknown }[] }>();
  t.equal(errors.length, 1);
  t.equal(errors[0]?.code, 'DENIED');
  t.match(errors[0]?.message, /^requested access to the resource is denied: unsigned /);
  t.match(errors[0]?.message, / https:\/\/proxy\.example\/v1\/verdicts\/7f3a9c$/);
  t.type(errors[0]?.detail, 'string');
  const head = await server.inject({ method: 'HEAD', url });
  t.equal(head.statusMessage, get.statusMessage);
  t.equal(head.payload, '');
  const same = { date: '', 'x-request-id': '' };
  t.strictSame({ ...head.headers, ...same }, { ...get.headers, ...same });
});

t.test('a denial is one log line and one count', async (t) => {
  const denied = new DeniedError(makeVerdict(), 'unsigned');
  const { server, logLines, counts } = failing(t, denied);
  await server.inject({ url });
  t.equal(logLines.length, 1);
  t.match(logLines[0], {
    level: 'info',
    message: 'denied',
    fields: {
      requestId: String,
      client: '127.0.0.1',
      method: 'GET',
      upstream: 'demo',
      repository: 'demo/app',
      reference: '1.0',
      digest: `sha256:${'5'.repeat(64)}`,
      rule: 'rule 2 (line 14)',
      reason: 'unsigned',
      verdict: '7f3a9c',
      milliseconds: 0,
    },
  });
  t.strictSame(counts, [
    'assay_denials_total{"reason":"unsigned"} 1',
    'assay_requests_total{"route":"manifests","method":"GET","status":"403"} 1',
  ]);
});

t.test(
  'what could not be found out is 503 with Retry-After, and a warning in the log',
  async (t) => {
    const verdict = makeVerdict({ kind: 'inconclusive', reason: 'revocation-unknown' });
    const options = { retryAfterSeconds: 7, verdict };
    const { server, logLines, counts } = failing(
      t,
      new UnavailableError('UNAVAILABLE', 'the CRL is away', options),
    );
    const answer = await server.inject({ url });
    t.equal(answer.statusCode, 503);
    t.equal(answer.statusMessage, 'Service Unavailable: revocation-unknown (id 7f3a9c)');
    t.equal(answer.headers['retry-after'], '7');
    t.match(answer.json(), {
      errors: [{ code: 'UNAVAILABLE', message: 'the CRL is away id=7f3a9c' }],
    });
    t.match(logLines, [{ level: 'warn', message: 'unavailable', fields: { verdict: '7f3a9c' } }]);
    t.notMatch(counts.join(), 'assay_denials_total');
  },
);

t.test(
  'a mistake of ours is 500, its text in the log alone, under the id that is told',
  async (t) => {
    const mistake = new TypeError('secret at /etc/passwd');
    const { server, logLines } = failing(t, mistake);
    const answer = await server.inject({ url });
    t.equal(answer.statusCode, 500);
    t.notMatch(answer.payload, 'secret');
    t.equal(answer.statusMessage, 'Internal Server Error');
    const id = String(answer.headers['x-request-id']);
    t.match(answer.json(), { errors: [{ code: 'UNKNOWN', message: `request ${id}` }] });
    t.match(logLines, [{ level: 'error', fields: { requestId: id, error: mistake } }]);
  },
);

t.test('a refusal of the request is no line in the log', async (t) => {
  const { server, logLines, counts } = makeRouteServer(t);
  await server.inject({ url: '/v2/demo/app/blobs/x' });
  t.strictSame(logLines, []);
  t.strictSame(counts, ['assay_requests_total{"route":"none","method":"GET","status":"400"} 1']);
});

t.test('the body is JSON in printable ASCII whatever the message is', async (t) => {
  const body = failureBody({
    status: 400,
    code: 'NAME_INVALID',
    message: '"\r\n\u{1f600}\x1b[31m',
  });
  t.strictSame(JSON.parse(body), { errors: [{ code: 'NAME_INVALID', message: '"?[31m' }] });
});

t.test('that one client left is no mistake of ours to another who hears of it', async (t) => {
  const asked = Promise.withResolvers<AbortSignal>();
  let reason: Error | undefined;
  const kit = makeRouteServer(t, {
    async admitManifest(_repository, _reference, signal) {
      if (reason !== undefined) throw reason;
      asked.resolve(signal);
      await once(signal, 'abort');
      throw signal.reason as Error;
    },
  });
  const port = await listen(kit);
  const socket = await connectTo(t, port);
  socket.write('GET /v2/demo/app/manifests/1.0 HTTP/1.1\r\nHost: x\r\n\r\n');
  const signal = await asked.promise;
  const left = once(signal, 'abort');
  socket.destroy();
  await left;
  reason = signal.reason as Error;
  const answer = await kit.server.inject({ url });
  t.equal(answer.statusCode, 503);
  t.equal(answer.headers['retry-after'], '5');
  const [line] = kit.logLines.filter(({ level }) => level === 'error');
  t.match(line, { message: /something that nobody foresaw/, fields: { error: reason } });
});
