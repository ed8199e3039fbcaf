import t, { type Test } from 'tap';
import type { ReadinessProbe } from '../../../src/admin/health.ts';
import { type AdminDependencies, makeAdminServer } from '../../../src/admin/server.ts';
import type { Digest } from '../../../src/oci/digest.ts';
import type { LogFields } from '../../../src/observe/log.ts';
import type { Verdict } from '../../../src/verdict/verdict.ts';

const passing: ReadinessProbe = {
  name: 'policy',
  check: async () => ({ ok: true, says: 'loaded' }),
};

const verdict: Verdict = {
  id: 'abc123',
  kind: 'untrusted',
  scope: 'demo/app',
  subject: `sha256:${'0'.repeat(64)}` as Digest,
  reason: 'unsigned',
  because: 'it carries no signature',
  reports: [],
  children: [],
  checkedAt: new Date('2030-01-01T00:00:00Z'),
  expiresAt: new Date('2030-01-01T00:00:10Z'),
  ruleDigest: 'r',
};

function makeTestServer(t: Test, overrides: Partial<AdminDependencies> = {}) {
  const errors: LogFields[] = [];
  const log = {
    debug() {},
    info() {},
    warn() {},
    error: (fields: LogFields) => void errors.push(fields),
  };
  const server = makeAdminServer({
    probes: [passing],
    metrics: {
      contentType: 'text/plain; version=0.0.4; charset=utf-8',
      render: async () => 'a 1\n',
    },
    findVerdict: async (id) => (id === verdict.id ? verdict : undefined),
    log,
    ...overrides,
  });
  t.teardown(() => server.close());
  return { server, errors };
}

t.test('livez answers while the process lives', async (t) => {
  const { server } = makeTestServer(t);
  const answer = await server.inject('/livez');
  t.equal(answer.statusCode, 200);
  t.same(answer.json(), { live: true });
});

t.test('readyz is 200 when every probe passes', async (t) => {
  const { server } = makeTestServer(t);
  const answer = await server.inject('/readyz');
  t.equal(answer.statusCode, 200);
  t.same(answer.json(), { ready: true, checks: [{ name: 'policy', ok: true, says: 'loaded' }] });
});

t.test('readyz is 503 and says why when one probe fails', async (t) => {
  const { server } = makeTestServer(t, {
    probes: [
      passing,
      { name: 'serving', check: async () => ({ ok: false, says: 'it is shutting down' }) },
    ],
  });
  const answer = await server.inject('/readyz');
  t.equal(answer.statusCode, 503);
  t.same(answer.json(), {
    ready: false,
    checks: [
      { name: 'policy', ok: true, says: 'loaded' },
      { name: 'serving', ok: false, says: 'it is shutting down' },
    ],
  });
});

t.test('a probe that rejects is a probe that fails', async (t) => {
  const { server } = makeTestServer(t, {
    probes: [{ name: 'state', check: () => Promise.reject(new Error('the disk is full')) }],
  });
  const answer = await server.inject('/readyz');
  t.equal(answer.statusCode, 503);
  t.match(answer.json(), { checks: [{ name: 'state', ok: false, says: 'the disk is full' }] });
});

t.test('without any probe nothing is ready', async (t) => {
  const { server } = makeTestServer(t, { probes: [] });
  t.equal((await server.inject('/readyz')).statusCode, 503);
});

t.test('metrics are served with the content type of their format', async (t) => {
  const { server } = makeTestServer(t);
  const answer = await server.inject('/metrics');
  t.equal(answer.headers['content-type'], 'text/plain; version=0.0.4; charset=utf-8');
  t.equal(answer.body, 'a 1\n');
});

t.test('a verdict is found by its id', async (t) => {
  const { server } = makeTestServer(t);
  const answer = await server.inject('/v1/verdicts/abc123');
  t.equal(answer.statusCode, 200);
  t.same(answer.json(), JSON.parse(JSON.stringify(verdict)));
});

t.test('an unknown verdict is 404', async (t) => {
  const { server } = makeTestServer(t);
  t.equal((await server.inject('/v1/verdicts/def456')).statusCode, 404);
});

t.test('an id that no verdict can have is 404 without a look-up', async (t) => {
  const asked: string[] = [];
  const findVerdict = async (id: string) => void asked.push(id);
  const { server } = makeTestServer(t, {
    findVerdict,
  });
  for (const id of ['ABC', '..%2f..%2fetc', 'a'.repeat(65), 'verdict:1']) {
    t.equal((await server.inject(`/v1/verdicts/${id}`)).statusCode, 404, id);
  }
  t.same(asked, []);
});

t.test('an unexpected failure is logged and its text withheld', async (t) => {
  const { server, errors } = makeTestServer(t, {
    findVerdict: () => Promise.reject(new Error('secret path')),
  });
  const answer = await server.inject('/v1/verdicts/abc123');
  t.equal(answer.statusCode, 500);
  t.same(answer.json(), { error: 'internal error' });
  t.match(errors, [{ path: '/v1/verdicts/:id', error: { message: 'secret path' } }]);
});

t.test('nothing can be written', async (t) => {
  const { server } = makeTestServer(t);
  for (const method of ['POST', 'PUT', 'PATCH', 'DELETE'] as const) {
    for (const url of ['/livez', '/readyz', '/metrics', '/v1/verdicts/abc123']) {
      t.equal((await server.inject({ method, url })).statusCode, 404, `${method} ${url}`);
    }
  }
});
