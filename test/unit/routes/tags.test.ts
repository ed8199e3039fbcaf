import t from 'tap';
import type { Gate } from '../../../src/gate/trusted-content.ts';
import { makeTags } from '../../support/fake-gate.ts';
import { makeRouteServer } from '../../support/route-server.ts';

const all = ['1.0', '1.1', '2.0', 'latest'];

/** A gate that pages through `all`. */
const listTags: Gate['listTags'] = async (_repository, { limit, last }) => {
  const rest = last === undefined ? all : all.filter((tag) => tag > last);
  return makeTags(rest.slice(0, limit), rest.length > limit);
};

t.test('without n, all tags are listed under the name that the client used', async (t) => {
  const { server } = makeRouteServer(t, { listTags });
  const answer = await server.inject({ url: '/v2/docker.io/nginx/tags/list' });
  t.equal(answer.statusCode, 200);
  t.equal(answer.headers['content-type'], 'application/json');
  t.equal(answer.headers['oci-namespace'], 'docker.io');
  t.strictSame(answer.json(), { name: 'docker.io/nginx', tags: all });
  t.notHas(answer.headers, 'link');
});

t.test('following the links lists every tag once, in the same form of name', async (t) => {
  const { server } = makeRouteServer(t, { listTags });
  for (const start of ['/v2/demo/app/tags/list?n=2', '/v2/app/tags/list?n=2&ns=demo']) {
    const first = await server.inject({ url: start });
    t.strictSame(first.json<{ tags: string[] }>().tags, ['1.0', '1.1']);
    const next = /^<(.+)>; rel="next"$/.exec(String(first.headers.link))?.[1] ?? '';
    const path = start.slice(0, start.indexOf('?'));
    t.equal(next, `${path}?n=2&last=1.1${start.includes('ns=') ? '&ns=demo' : ''}`);
    const second = await server.inject({ url: next });
    t.strictSame(second.json<{ tags: string[] }>().tags, ['2.0', 'latest']);
    t.notHas(second.headers, 'link');
  }
});

t.test('n=0 is an empty list without a link, of a repository that is there', async (t) => {
  const { server } = makeRouteServer(t, { listTags });
  const answer = await server.inject({ url: '/v2/demo/app/tags/list?n=0' });
  t.equal(answer.statusCode, 200);
  t.strictSame(answer.json(), { name: 'demo/app', tags: [] });
  t.notHas(answer.headers, 'link');
  const absent = makeRouteServer(t);
  t.equal((await absent.server.inject({ url: '/v2/demo/x/tags/list?n=0' })).statusCode, 404);
});

t.test('n is capped, and its link asks for the same', async (t) => {
  const limits: number[] = [];
  const { server } = makeRouteServer(t, {
    async listTags(_repository, { limit }) {
      limits.push(limit);
      return makeTags(['a'], true);
    },
  });
  const answer = await server.inject({ url: '/v2/demo/app/tags/list?n=999999999' });
  t.match(answer.headers.link, '?n=1000&last=a');
  await server.inject({ url: '/v2/demo/app/tags/list' });
  t.strictSame(limits, [1000, 1000]);
});

t.test('a gate that gives more than was asked for is cut', async (t) => {
  const { server } = makeRouteServer(t, { listTags: async () => makeTags(all) });
  const answer = await server.inject({ url: '/v2/demo/app/tags/list?n=3' });
  t.strictSame(answer.json<{ tags: string[] }>().tags, ['1.0', '1.1', '2.0']);
  t.match(answer.headers.link, 'last=2.0');
});

t.test('an n or a last that is none is 400', async (t) => {
  const { server } = makeRouteServer(t, { listTags });
  for (const query of [
    'n=-1',
    'n=x',
    'n=',
    'n=1.5',
    'n=0x10',
    'n=1&n=2',
    'last=a%2Fb',
    'last=.a',
    'n=%00',
  ]) {
    const answer = await server.inject({ url: `/v2/demo/app/tags/list?${query}` });
    t.equal(answer.statusCode, 400, query);
    t.match(answer.json(), { errors: [{ code: 'UNSUPPORTED' }] });
  }
});

t.test('an empty last is none', async (t) => {
  const { server } = makeRouteServer(t, { listTags });
  const answer = await server.inject({ url: '/v2/demo/app/tags/list?last=' });
  t.strictSame(answer.json<{ tags: string[] }>().tags, all);
});

t.test('HEAD has the headers of GET', async (t) => {
  const { server } = makeRouteServer(t, { listTags });
  const url = '/v2/demo/app/tags/list?n=1';
  const get = await server.inject({ url });
  const head = await server.inject({ method: 'HEAD', url });
  t.equal(head.payload, '');
  t.strictSame({ ...head.headers, date: '' }, { ...get.headers, date: '' });
});
