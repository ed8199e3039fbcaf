import { setImmediate } from 'node:timers/promises';
import t from 'tap';
import type { RevocationStatus } from '../../../src/trust/revocation-source.ts';
import { makeMemoryKeyValue } from '../../../src/storage/memory-key-value.ts';
import {
  makeRevocationWorld,
  type RevocationWorld,
  type WorldOptions,
} from '../../support/revocation-answers.ts';
import { makeRevocationCase, type RevocationCase } from '../../support/revocation-kit.ts';
import { buildCrl, pointName } from '../../support/test-crl.ts';
import { buildOcsp, type OcspAnswerOptions } from '../../support/test-ocsp.ts';
import { makeFakeClock } from '../../support/fake-clock.ts';
import { datesAsText } from '../../support/dates-as-text.ts';

const ocsp = 'http://ocsp.example';
const crl = 'http://crl.example/list';
const byOcsp = makeRevocationCase({ ocspUrls: [ocsp] });
const byList = makeRevocationCase({ crlUrls: [crl], subject: 'C=US, O=acme, CN=listed' });
const hourMs = 3_600_000;
const dayMs = 24 * hourMs;

const answer =
  (changes: Partial<OcspAnswerOptions> = {}) =>
  (): Uint8Array =>
    buildOcsp({ issuer: byOcsp.issuer, answers: [{ certificate: byOcsp.leaf, ...changes }] });

/** One verification's question. */
const ask = (
  world: RevocationWorld,
  { read }: RevocationCase = byOcsp,
  { signal } = new AbortController(),
): Promise<RevocationStatus> => world.statusOf(read[0], read[1], signal);

function makeWorld(options?: WorldOptions): RevocationWorld {
  const world = makeRevocationWorld(options);
  world.answers.set(ocsp, answer());
  world.answers.set(crl, () =>
    buildCrl({ issuer: byList.issuer, nextUpdate: '2030-01-05T00:00:00Z' }),
  );
  return world;
}

t.test('an answer is asked for once until it ends', async (t) => {
  const world = makeWorld();
  for (let time = 0; time < 3; time += 1) t.match(await ask(world), { kind: 'good' });
  for (let time = 0; time < 3; time += 1) t.match(await ask(world, byList), { kind: 'good' });
  t.strictSame(world.asked, [ocsp, crl]);
  t.strictSame(world.events, [
    'requested ocsp usable',
    'reused ocsp memory',
    'reused ocsp memory',
    'requested crl usable',
    'reused crl memory',
    'reused crl memory',
  ]);
  world.clock.advanceMs(7 * dayMs);
  t.match(await ask(world), { kind: 'unknown', because: /ended at 2030-01-08/ });
  t.equal(world.asked.length, 3);
});

t.test('many who ask at once cause one request, and share what it says', async (t) => {
  const world = makeWorld();
  const { promise, resolve } = Promise.withResolvers<Uint8Array>();
  world.answers.set(ocsp, () => promise);
  const left = new AbortController();
  const asking = Array.from({ length: 20 }, () => ask(world));
  const impatient = ask(world, byOcsp, left);
  await setImmediate();
  left.abort(new Error('gone'));
  await t.rejects(impatient, /gone/);
  resolve(answer()());
  for (const status of await Promise.all(asking)) t.match(status, { kind: 'good' });
  t.strictSame(world.asked, [ocsp]);
});

t.test('what failed is not asked again for some seconds', async (t) => {
  const world = makeWorld();
  world.answers.delete(ocsp);
  t.match(await ask(world), { kind: 'unknown' });
  t.match(await ask(world), { kind: 'unknown', because: /no such host/ });
  world.answers.set(ocsp, answer());
  world.clock.advanceMs(9_999);
  t.match(await ask(world), { kind: 'unknown' });
  t.equal(world.asked.length, 1);
  world.clock.advanceMs(1);
  t.match(await ask(world), { kind: 'good' });
  t.equal(world.asked.length, 2);
});

t.test('that a responder does not know is believed for seconds, and kept nowhere', async (t) => {
  const cache = makeMemoryKeyValue();
  const world = makeWorld({ cache });
  world.answers.set(ocsp, answer({ status: 'unknown' }));
  t.match(await ask(world), { kind: 'unknown', because: /does not know it/ });
  t.match(await ask(world), { kind: 'unknown' });
  t.equal(world.asked.length, 1);
  t.strictSame(await cache.keys('', 10), []);
  world.answers.set(ocsp, answer());
  world.clock.advanceMs(10_000);
  t.match(await ask(world), { kind: 'good' });
});

t.test('a restart asks nobody, and believes nothing that is not signed', async (t) => {
  const cache = makeMemoryKeyValue();
  await ask(makeWorld({ cache }));
  await ask(makeWorld({ cache }), byList);
  const restarted = makeWorld({ cache });
  t.match(await ask(restarted), { kind: 'good' });
  t.match(await ask(restarted, byList), { kind: 'good' });
  t.strictSame(restarted.asked, []);
  t.strictSame(restarted.events, ['reused ocsp cache', 'reused crl cache']);

  for (const key of await cache.keys('answer ', 10)) {
    const value = Buffer.from((await cache.get(key)) ?? []);
    value[value.length - 1] = (value.at(-1) ?? 0) ^ 1;
    await cache.put(key, value);
  }
  const damaged = makeWorld({ cache });
  t.match(await ask(damaged), { kind: 'good' });
  t.match(await ask(damaged, byList), { kind: 'good' });
  t.strictSame(damaged.asked, [ocsp, crl], 'they were asked for anew');
});

t.test('a cache of rubbish, or one that fails, is none', async (t) => {
  const cache = makeMemoryKeyValue();
  await ask(makeWorld({ cache }));
  for (const key of await cache.keys('answer ', 10)) await cache.put(key, Buffer.from('x'));
  t.match(await ask(makeWorld({ cache })), { kind: 'good' });
  await cache.close();
  const world = makeWorld({ cache });
  t.match(await ask(world), { kind: 'good' });
  t.equal(world.events.filter((event) => event.startsWith('cache failed')).length, 2);
});

t.test(
  'an answer older than a day is asked for anew, and used where none can be had',
  async (t) => {
    const world = makeWorld();
    await ask(world);
    world.clock.advanceMs(dayMs - 1);
    await ask(world);
    t.equal(world.asked.length, 1);
    world.answers.delete(ocsp);
    world.clock.advanceMs(1);
    t.match(await ask(world), { kind: 'good' }, 'no newer one can be had');
    t.equal(world.asked.length, 2);
    world.answers.set(ocsp, answer({ status: {} }));
    world.clock.advanceMs(10_000);
    t.match(await ask(world), { kind: 'revoked' });
  },
);

t.test('what is in use is asked for in the background before it ends', async (t) => {
  const world = makeWorld();
  await ask(world);
  await ask(world, byList);
  world.clock.advanceMs(6 * hourMs - 1);
  await world.refresh();
  t.equal(world.asked.length, 2, 'it is too soon');
  t.ok(world.events.includes(`oldest ocsp ${(6 * hourMs - 1) / 1000}`));
  world.clock.advanceMs(1);
  world.answers.set(ocsp, answer({ status: {} }));
  await world.refresh();
  t.strictSame(world.asked.slice(2).toSorted(), [crl, ocsp]);
  t.match(await ask(world), { kind: 'revoked' }, 'a revocation is learnt');
  t.equal(world.asked.length, 4, 'and nobody waited for it');
  await world.refresh();
  t.equal(world.asked.length, 4);
});

t.test('a short answer is asked for at half its time', async (t) => {
  const world = makeWorld();
  world.answers.set(ocsp, answer({ nextUpdate: '2030-01-01T01:00:00Z' }));
  await ask(world);
  world.clock.advanceMs(hourMs / 2 - 1);
  await world.refresh();
  t.equal(world.asked.length, 1);
  world.clock.advanceMs(1);
  await world.refresh();
  t.equal(world.asked.length, 2);
});

t.test('refreshing keeps nothing alive that nobody asks for, and fails in silence', async (t) => {
  const world = makeWorld();
  world.answers.set(ocsp, answer({ nextUpdate: '2030-03-01T00:00:00Z' }));
  await ask(world);
  for (let round = 0; round < 4; round += 1) {
    world.clock.advanceMs(6 * hourMs);
    await world.refresh();
  }
  t.equal(world.asked.length, 5);
  world.clock.advanceMs(6 * hourMs);
  await world.refresh();
  t.equal(world.asked.length, 5, 'nobody asked in a day');
  await ask(world);
  world.answers.delete(ocsp);
  world.clock.advanceMs(6 * hourMs);
  await world.refresh();
  t.match(await ask(world), { kind: 'good' }, 'the old answer still holds');
});

t.test(
  'of two processes on one cache one asks anew, and the other takes what it got',
  async (t) => {
    const clock = makeFakeClock();
    const cache = makeMemoryKeyValue();
    const [one, other] = [makeWorld({ cache, clock }), makeWorld({ cache, clock })];
    for (const world of [one, other]) await ask(world);
    t.same([one.asked.length, other.asked.length], [1, 0]);
    clock.advanceMs(6 * hourMs);
    one.answers.set(ocsp, answer({ thisUpdate: '2030-01-01T06:00:00Z' }));
    await one.refresh();
    await other.refresh();
    t.same([one.asked.length, other.asked.length], [2, 0]);
    await other.refresh();
    t.equal(other.events.at(-2), 'oldest ocsp 0', 'it is as new there');
    clock.advanceMs(6 * hourMs);
    await other.refresh();
    t.equal(other.asked.length, 1, 'where nobody has asked it asks itself');
  },
);

t.test('what another process left that proves nothing is no reason not to ask', async (t) => {
  const clock = makeFakeClock();
  const cache = makeMemoryKeyValue();
  const world = makeWorld({ cache, clock });
  await ask(world);
  const [key = ''] = await cache.keys('answer ', 1);
  const kept = Buffer.from((await cache.get(key))!);
  const write = async (fetchedAt: Date, bytes = kept.subarray(16)): Promise<void> => {
    const header = Buffer.from(kept.subarray(0, 16));
    header.writeDoubleBE(fetchedAt.getTime(), 0);
    await cache.put(key, Buffer.concat([header, bytes]));
  };
  clock.advanceMs(6 * hourMs);
  await write(clock.now(), Buffer.from('not signed'));
  await world.refresh();
  t.equal(world.asked.length, 2);
  clock.advanceMs(6 * hourMs);
  await write(new Date('2040-01-01'));
  await world.refresh();
  t.equal(world.asked.length, 3, 'nor is one from the future');
});

t.test('a round refreshes a few, those that end first before others', async (t) => {
  const world = makeRevocationWorld({ limits: { refreshesAtOnce: 2 } });
  const cases = [3, 1, 2].map((days) => {
    const url = `http://${days}.example`;
    const of = makeRevocationCase({ ocspUrls: [url], subject: `C=US, O=acme, CN=${days}` });
    const nextUpdate = `2030-01-0${1 + days}T00:00:00Z`;
    world.answers.set(url, () =>
      buildOcsp({ issuer: of.issuer, answers: [{ certificate: of.leaf, nextUpdate }] }),
    );
    return of;
  });
  for (const each of cases) await ask(world, each);
  world.asked.length = 0;
  world.clock.advanceMs(12 * hourMs);
  await world.refresh();
  t.strictSame(world.asked, ['http://1.example', 'http://2.example']);
});

t.test('what ended is removed from the cache, what was renewed is not', async (t) => {
  const cache = makeMemoryKeyValue();
  const world = makeWorld({ cache });
  world.answers.set(ocsp, answer({ nextUpdate: '2030-01-02T00:00:00Z' }));
  await ask(world);
  await ask(world, byList);
  t.equal((await cache.keys('answer ', 10)).length, 2);
  world.answers.set(ocsp, answer({ nextUpdate: '2030-01-03T00:00:00Z' }));
  world.clock.advanceMs(12 * hourMs);
  await world.refresh();
  world.clock.advanceMs(12 * hourMs + 1);
  await world.refresh();
  t.equal((await cache.keys('answer ', 10)).length, 2, 'the renewed answer holds');
  world.clock.advanceMs(5 * dayMs);
  await world.refresh();
  t.strictSame(await cache.keys('', 10), []);
});

t.test(
  'one verification asks so many questions, and then only what is there answers',
  async (t) => {
    const world = makeWorld({ limits: { questionsPerVerification: 1 } });
    const verification = new AbortController();
    t.match(await ask(world, byOcsp, verification), { kind: 'good' });
    t.match(await ask(world, byList, verification), {
      kind: 'unknown',
      because: /asked often enough/,
    });
    t.match(await ask(world, byOcsp, verification), { kind: 'good' });
    t.match(await ask(world, byList), { kind: 'good' }, 'another one may');
  },
);

t.test('memory is bounded: what was not used for longest goes first', async (t) => {
  const world = makeWorld({ limits: { maxHeldBytes: 1 } });
  await ask(world);
  await ask(world);
  t.equal(world.asked.length, 1, 'the newest stays');
  await ask(world, byList);
  await ask(world);
  t.strictSame(world.asked, [ocsp, crl, ocsp]);
});

t.test('offline nobody is asked', async (t) => {
  const world = makeWorld({ offline: true });
  t.match(await ask(world), { kind: 'unknown', because: /no file tells, and offline/ });
  await world.refresh();
  t.strictSame(world.asked, []);
});

const thisUpdate = '2029-12-31T12:00:00Z';

t.test('an older answer that somebody replays takes the place of no newer one', async (t) => {
  const cache = makeMemoryKeyValue();
  const world = makeWorld({ cache });
  world.answers.set(ocsp, answer({ thisUpdate, status: {} }));
  const { leaf, issuer } = byList;
  world.answers.set(crl, () => buildCrl({ issuer, thisUpdate, revoked: [leaf] }));
  t.match(await ask(world), { kind: 'revoked' });
  t.match(await ask(world, byList), { kind: 'revoked' });
  world.answers.set(ocsp, answer());
  world.answers.set(crl, () => buildCrl({ issuer }));
  world.clock.advanceMs(6 * hourMs);
  await world.refresh();
  t.equal(world.asked.length, 4);
  t.match(await ask(world), { kind: 'revoked' });
  t.match(await ask(world, byList), { kind: 'revoked' });
  const restarted = makeWorld({ cache, clock: world.clock });
  t.match(await ask(restarted), { kind: 'revoked' }, 'nor in what is kept');
  t.match(await ask(restarted, byList), { kind: 'revoked' });
  t.strictSame(restarted.asked, []);
});

t.test('an answer of the same time, or after the newer one has ended, is taken', async (t) => {
  const world = makeWorld();
  const status = { revokedAt: '2029-05-05T00:00:00Z' };
  world.answers.set(ocsp, answer({ thisUpdate, nextUpdate: '2030-01-02T00:00:00Z', status }));
  await ask(world);
  world.clock.advanceMs(12 * hourMs);
  world.answers.set(ocsp, answer({ thisUpdate, nextUpdate: '2030-01-02T00:00:00Z' }));
  await world.refresh();
  t.match(await ask(world), { kind: 'good' });
  world.clock.advanceMs(12 * hourMs);
  world.answers.set(ocsp, answer());
  t.match(
    datesAsText(await ask(world)),
    datesAsText({ kind: 'good', validUntil: new Date('2030-01-08T00:00:00Z') }),
  );
});

t.test('another list of the issuer in its place is not kept', async (t) => {
  const world = makeWorld();
  const { issuer } = byList;
  const elsewhere = { scope: [pointName('http://crl.example/other')], thisUpdate };
  for (const list of [elsewhere, { baseNumber: 1, thisUpdate }]) {
    world.answers.set(crl, () => buildCrl({ issuer, ...list }));
    t.match(await ask(world, byList), { kind: 'unknown' });
    world.clock.advanceMs(10_000);
  }
  world.answers.set(crl, () => buildCrl({ issuer }));
  t.match(await ask(world, byList), { kind: 'good' });
});

t.test('a new list asks for the changes since it, though older ones still hold', async (t) => {
  const delta = 'http://delta.example/list';
  const world = makeWorld();
  const { issuer } = byList;
  const list = (number: number, hour: string) => () =>
    buildCrl({ issuer, number, thisUpdate: `2030-01-01T${hour}Z`, freshestUrls: [delta] });
  const changes = (number: number) => () => buildCrl({ issuer, number, baseNumber: 5 });
  world.answers.set(crl, list(5, '00:00:00'));
  world.answers.set(delta, changes(6));
  t.match(await ask(world, byList), { kind: 'good' });
  world.clock.advanceMs(6 * hourMs);
  world.answers.set(crl, list(10, '05:00:00'));
  world.answers.delete(delta);
  await world.refresh();
  world.clock.advanceMs(10_000);
  world.answers.set(delta, changes(11));
  t.match(await ask(world, byList), { kind: 'good' });
});

t.test('lists that do not come keep no responder from being asked', async (t) => {
  const world = makeWorld({ limits: { ocspsAtOnce: 1, crlsAtOnce: 1 } });
  const { promise, resolve } = Promise.withResolvers<Uint8Array>();
  world.answers.set(crl, () => promise);
  const waiting = ask(world, byList);
  await setImmediate();
  t.match(await ask(world), { kind: 'good' });
  t.strictSame(world.asked, [crl, ocsp]);
  resolve(buildCrl({ issuer: byList.issuer }));
  t.match(await waiting, { kind: 'good' });
});
