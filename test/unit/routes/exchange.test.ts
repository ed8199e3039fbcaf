import t from 'tap';
import { UnavailableError } from '../../../src/gate/gate-error.ts';
import { beforeDeadline, sendHead, sendWhole } from '../../../src/routes/exchange.ts';
import { makeFakeExchange } from '../../support/fake-exchange.ts';

t.test('work that comes in time gives its result, or its own error', async (t) => {
  const exchange = makeFakeExchange();
  t.equal(await beforeDeadline(exchange, Promise.resolve(7)), 7);
  const error = new TypeError('its own');
  await t.rejects(beforeDeadline(exchange, Promise.reject(error)), error);
});

t.test(
  'work that does not come in time is unavailable, and what it does later hurts nobody',
  async (t) => {
    const exchange = makeFakeExchange('GET', { answerDeadlineMs: 5 });
    const late = Promise.withResolvers<never>();
    const error = await beforeDeadline(exchange, late.promise).catch((thrown: unknown) => thrown);
    t.ok(error instanceof UnavailableError);
    t.equal((error as UnavailableError).code, 'UNAVAILABLE');
    t.equal(exchange.signal.aborted, false);
    late.reject(new Error('too late'));
    t.equal(await beforeDeadline(exchange, Promise.resolve(1)), 1);
  },
);

t.test('a head has the version of the API, and its time is taken by the clock', async (t) => {
  const exchange = makeFakeExchange();
  sendHead(exchange, 304, { ETag: '"x"' });
  t.strictSame(exchange.written, [
    304,
    { ETag: '"x"', 'Docker-Distribution-API-Version': 'registry/2.0' },
  ]);
  t.strictSame(exchange.timings, [['assay_request_seconds', { route: 'manifests' }, 0.25]]);
});

t.test('a reason phrase goes where one is given', async (t) => {
  const exchange = makeFakeExchange();
  sendHead(exchange, 403, {}, 'Forbidden: unsigned');
  t.strictSame(exchange.written.slice(0, 2), [403, 'Forbidden: unsigned']);
});

t.test('a whole answer states its length in bytes, to HEAD without a body', async (t) => {
  const everyByte = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));
  for (const [body, length] of [
    ['é', 2],
    [everyByte, 256],
    [Buffer.alloc(100_000, 0xff), 100_000],
    ['', 0],
  ] as const) {
    const get = makeFakeExchange();
    sendWhole(get, 200, {}, body);
    t.match(get.written[1], { 'Content-Length': length });
    const [, , sent, encoding] = get.written as [number, object, string, 'latin1' | undefined];
    t.ok(Buffer.from(sent, encoding).equals(Buffer.from(body)), 'the bytes are the same');
    const head = makeFakeExchange('HEAD');
    sendWhole(head, 200, {}, body);
    t.match(head.written[1], { 'Content-Length': length });
    t.equal(head.written.length, 2);
  }
});
