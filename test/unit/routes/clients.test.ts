import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import t from 'tap';
import { OverLimitError } from '../../../src/gate/gate-error.ts';
import { makeClients, type ClientLimits, type Clients } from '../../../src/routes/clients.ts';
import { makeFakeClock } from '../../support/fake-clock.ts';
import { listen, makeRouteServer } from '../../support/route-server.ts';
import { makeCountingMetrics } from '../../support/silence.ts';
import { makeBlob, makeManifest } from '../../support/fake-gate.ts';

const limits: ClientLimits = { requests: 2, streams: 2, coldRequests: 3 };

function make() {
  const clock = makeFakeClock();
  const metrics = makeCountingMetrics();
  const asked: unknown[] = [];
  const clients: Clients = makeClients(limits, {
    clock,
    metrics,
    clientOf(caller) {
      asked.push(caller);
      return caller.forwardedFor ?? caller.address ?? '';
    },
  });
  return { clients, clock, metrics, asked };
}

const over = (limit: string): Error => ({ code: 'OVER_LIMIT', limit }) as unknown as Error;

t.test('a client may have so much in hand, and another as much beside it', async (t) => {
  const { clients } = make();
  const ends = [clients.beginWork('a'), clients.beginWork('a')];
  t.throws(() => clients.beginWork('a'), over('client-requests'));
  const other = clients.beginWork('b');
  t.throws(() => clients.beginWork('c'), over('cold-requests'), 'but not all together more');
  ends[0]?.();
  t.doesNotThrow(() => clients.beginWork('c'));
  other();
  t.doesNotThrow(() => clients.beginWork('a'));
});

t.test('streams count by themselves', async (t) => {
  const { clients } = make();
  const end = clients.beginStream('a');
  clients.beginStream('a');
  t.throws(() => clients.beginStream('a'), over('client-streams'));
  t.doesNotThrow(() => clients.beginWork('a'));
  t.doesNotThrow(() => clients.beginStream('b'));
  end();
  t.doesNotThrow(() => clients.beginStream('a'));
});

t.test('how much is in hand is to be seen', async (t) => {
  const { clients, metrics } = make();
  const end = clients.beginWork('a');
  t.equal(metrics.counted('assay_cold_requests'), 1);
  end();
  t.equal(metrics.counted('assay_cold_requests'), 1, 'the last is 0');
});

t.test('a client is named once a connection, where no proxy speaks for others', async (t) => {
  const { clients, asked } = make();
  const socket = { remoteAddress: '192.0.2.1' };
  const request = (headers: object) => ({ socket, headers }) as unknown as IncomingMessage;
  t.equal(clients.nameOf(request({})), '192.0.2.1');
  t.equal(clients.nameOf(request({})), '192.0.2.1');
  t.equal(asked.length, 1);
  t.equal(clients.nameOf(request({ 'x-forwarded-for': 'x' })), 'x');
  t.equal(clients.nameOf(request({ 'x-forwarded-for': 'y' })), 'y');
  t.equal(clients.nameOf(request({})), '192.0.2.1');
});

t.test('a refusal is counted each time, and told once a minute', async (t) => {
  const { clients, clock, metrics } = make();
  t.equal(clients.noteRefusal('a', 'client-misses'), true);
  t.equal(clients.noteRefusal('a', 'client-misses'), false);
  t.equal(clients.noteRefusal('a', 'client-streams'), true);
  t.equal(clients.noteRefusal('b', 'client-misses'), true);
  clock.advanceMs(60_000);
  t.equal(clients.noteRefusal('a', 'client-misses'), true);
  t.equal(metrics.counted('assay_over_limit_total', { limit: 'client-misses' }), 4);
});

const manifest = makeManifest('{}');
const url = `/v2/demo/app/manifests/${manifest.descriptor.digest}`;

t.test(
  'over a limit: 429 in the form of the protocol, with Retry-After, and one line',
  async (t) => {
    const refuse = async (): Promise<never> => {
      throw new OverLimitError('client-misses', 'too many', 7);
    };
    const { server, logLines, counts } = makeRouteServer(t, { admitManifest: refuse });
    for (let time = 0; time < 3; time += 1) {
      const answer = await server.inject({ url });
      t.equal(answer.statusCode, 429);
      t.equal(answer.headers['retry-after'], '7');
      t.equal(answer.headers['content-type'], 'application/json');
      t.same(answer.json(), { errors: [{ code: 'TOOMANYREQUESTS', message: 'too many' }] });
    }
    const head = await server.inject({ url, method: 'HEAD' });
    t.match(head, { statusCode: 429, body: '', headers: { 'retry-after': '7' } });
    t.equal(logLines.length, 1);
    t.match(logLines[0], { level: 'warn', fields: { limit: 'client-misses' } });
    t.equal(counts.filter((each) => each.startsWith('assay_over_limit_total')).length, 4);
  },
);

t.test('what is at hand is answered however much waits; what waits is bounded', async (t) => {
  const { promise, resolve } = Promise.withResolvers<typeof manifest>();
  const cold = makeManifest('{"cold":1}');
  const { server } = makeRouteServer(
    t,
    {
      manifestAtHand: (_repository, reference) =>
        'digest' in reference && reference.digest === manifest.descriptor.digest
          ? manifest
          : undefined,
      admitManifest: () => promise,
    },
    { clientLimits: { requests: 2 } },
  );
  // What inject returns asks when it is waited for.
  const statusOf = async (asked: string): Promise<number> =>
    (await server.inject({ url: asked })).statusCode;
  const coldUrl = `/v2/demo/app/manifests/${cold.descriptor.digest}`;
  const three = [statusOf(coldUrl), statusOf(coldUrl), statusOf(coldUrl)];
  t.equal(await Promise.race(three), 429);
  t.equal(await statusOf(url), 200);
  resolve(cold);
  t.same((await Promise.all(three)).toSorted(), [200, 200, 429]);
  t.equal(await statusOf(coldUrl), 200);
});

t.test('all together over the bound is 503', async (t) => {
  const { promise, resolve } = Promise.withResolvers<typeof manifest>();
  const { server } = makeRouteServer(
    t,
    { admitManifest: () => promise },
    { clientLimits: { coldRequests: 1 } },
  );
  const ask = async () => server.inject({ url });
  const both = [ask(), ask()];
  const refused = await Promise.race(both);
  t.equal(refused.statusCode, 503);
  t.equal(refused.headers['retry-after'], '2');
  t.match(refused.json(), { errors: [{ code: 'UNAVAILABLE' }] });
  resolve(manifest);
  t.same((await Promise.all(both)).map(({ statusCode }) => statusCode).toSorted(), [200, 503]);
});

t.test('a stream over the bound is 429, and one that has ended makes room', async (t) => {
  const bytes = Buffer.alloc(100, 1);
  const { promise, resolve } = Promise.withResolvers<void>();
  const blob = makeBlob(bytes, {
    open: async () => {
      await promise;
      return Readable.from([bytes]);
    },
  });
  const kit = makeRouteServer(t, { admitBlob: async () => blob }, { clientLimits: { streams: 1 } });
  const port = await listen(kit);
  const get = (): Promise<Response> =>
    fetch(`http://127.0.0.1:${port}/v2/demo/app/blobs/${blob.descriptor.digest}`);
  const answers = [get(), get()];
  const refused = await Promise.race(answers);
  t.equal(refused.status, 429);
  t.equal(refused.headers.get('retry-after'), '5');
  resolve();
  const both = await Promise.all(answers);
  t.same(both.map(({ status }) => status).toSorted(), [200, 429]);
  for (const each of both) await each.arrayBuffer();
  t.equal((await get()).status, 200);
});
