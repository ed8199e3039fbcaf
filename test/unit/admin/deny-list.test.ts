import t, { type Test } from 'tap';
import { makeAdminServer } from '../../../src/admin/server.ts';
import { parseRfc3339 } from '../../../src/crypto/rfc3339.ts';
import { deniedBy, openReplicaKit, type ReplicaKit } from '../../support/deny-kit.ts';
import { makeKeptLog } from '../../support/silence.ts';
import { StorageError } from '../../../src/storage/storage-error.ts';

const token = 'a token of thirty-two characters'.replaceAll(' ', '-');
const authorization = `Bearer ${token}`;
const digest = `sha256:${'1'.repeat(64)}`;
const wish = { digest, reason: 'INC-1', owner: 'sre@acme.example' };
const json = 'application/json';

async function setUp(t: Test, configured: { readonly token?: string } = { token }) {
  const kit: ReplicaKit = await openReplicaKit();
  const server = makeAdminServer({
    probes: [],
    metrics: { contentType: 'text/plain', render: async () => '' },
    findVerdict: async () => undefined,
    deny: {
      replica: kit.replica,
      token: configured.token,
      parseTime: parseRfc3339,
      clock: kit.clock,
    },
    log: makeKeptLog(),
  });
  t.teardown(() => server.close());
  const post = (body: unknown, headers: Record<string, string> = {}) =>
    server.inject({
      method: 'POST',
      url: '/v1/deny',
      headers: { authorization, 'content-type': json, ...headers },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    });
  return { ...kit, server, post };
}

t.test('an entry is added, listed and taken back', async (t) => {
  const { post, server, replica } = await setUp(t);
  const added = await post({ ...wish, until: '2030-02-01T00:00:00Z' });
  t.equal(added.statusCode, 201);
  const entry = added.json();
  t.match(entry, {
    kind: 'digest',
    what: digest,
    reason: 'INC-1',
    owner: 'sre@acme.example',
    addedAt: '2030-01-01T00:00:00.000Z',
    until: '2030-02-01T00:00:00.000Z',
    epoch: 1,
  });
  t.same(deniedBy(replica), [digest]);
  const listed = await server.inject({ url: '/v1/deny', headers: { authorization } });
  t.match(listed.json(), { epoch: 1, entries: [entry] });
  t.equal(listed.headers['cache-control'], 'no-store');
  const url = `/v1/deny/${entry.id}`;
  const removed = await server.inject({ method: 'DELETE', url, headers: { authorization } });
  t.equal(removed.statusCode, 200);
  t.same(deniedBy(replica), []);
  const again = await server.inject({ method: 'DELETE', url, headers: { authorization } });
  t.equal(again.statusCode, 404);
});

t.test('without the right token nothing is told and nothing is changed', async (t) => {
  const { server, replica } = await setUp(t);
  const body = JSON.stringify(wish);
  const wrong = ['', 'Bearer', `Bearer ${token}x`, `Bearer ${token.slice(1)}`, `Basic ${token}`];
  for (const given of wrong) {
    for (const method of ['GET', 'POST', 'DELETE'] as const) {
      const url = method === 'DELETE' ? '/v1/deny/1f0c8a52b7e94d03' : '/v1/deny';
      const headers = { authorization: given, 'content-type': json };
      const answer = await server.inject({
        method,
        url,
        headers,
        ...(method === 'POST' && { body }),
      });
      t.equal(answer.statusCode, 401, `${method} ${given}`);
      t.equal(answer.headers['www-authenticate'], 'Bearer');
      t.notMatch(answer.body, digest);
    }
  }
  t.same(deniedBy(replica), []);
});

t.test('without a token in the configuration nobody may, whatever they send', async (t) => {
  const { post, replica } = await setUp(t, {});
  for (const given of ['Bearer undefined', 'Bearer ', authorization]) {
    const answer = await post(wish, { authorization: given });
    t.equal(answer.statusCode, 403, given);
  }
  t.same(deniedBy(replica), []);
});

t.test('a body is read strictly, and within bounds', async (t) => {
  const { post, replica } = await setUp(t);
  const wrong: readonly (readonly [unknown, number, RegExp])[] = [
    ['{', 400, /no JSON/],
    [`{"digest":"${digest}","digest":"x"}`, 400, /stands twice/],
    ['[]', 400, /an object/],
    [{ ...wish, audit: 'x' }, 400, /no member but/],
    [{ ...wish, reason: 7 }, 400, /reason must be text/],
    [{ ...wish, reason: '' }, 400, /reason must be/],
    [{ ...wish, __proto__: null, digest: 'sha256:1' }, 400, /digest must be/],
    [{ ...wish, reason: 'x'.repeat(20_000) }, 413, /can not be read/],
  ];
  for (const [body, status, problem] of wrong) {
    const answer = await post(body);
    t.equal(answer.statusCode, status, String(problem));
    t.match(answer.json().error, problem);
  }
  t.same(deniedBy(replica), []);
});

t.test('a form of another site is no request', async (t) => {
  const { post, replica } = await setUp(t);
  for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data']) {
    const answer = await post(wish, { 'content-type': type });
    t.equal(answer.statusCode, 415, type);
  }
  t.same(deniedBy(replica), []);
});

t.test('a change that is not kept everywhere is no success', async (t) => {
  const { post, store, replica } = await setUp(t);
  const cause = new StorageError('STORAGE_FAILED', 'secret words of the store');
  store.put = () => Promise.reject(cause);
  const answer = await post(wish);
  t.equal(answer.statusCode, 503);
  t.match(answer.json().error, /^it is denied here, but the shared state/);
  t.same(deniedBy(replica), [digest]);
});
