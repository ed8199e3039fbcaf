import t from 'tap';
import { makeTokenCache, type TokenKey } from '../../../../src/upstream/auth/token-cache.ts';
import { makeFakeClock } from '../../../support/fake-clock.ts';

const key: TokenKey = {
  origin: 'https://registry.example',
  realm: 'https://registry.example/token',
  service: 'registry',
  scope: 'repository:a:pull',
  credentialId: 'someone',
};
const { signal } = new AbortController();

/** Gives `token-1`, `token-2` … of so many seconds. */
function makeIssuer(lifeSeconds = 100) {
  let issued = 0;
  return {
    fetch: () => Promise.resolve({ text: `token-${(issued += 1)}`, lifeSeconds }),
    get issued() {
      return issued;
    },
  };
}

t.test('a token is fetched once and used until 80 % of its life', async (t) => {
  const clock = makeFakeClock();
  const cache = makeTokenCache(clock);
  const { fetch } = makeIssuer(100);
  t.equal(await cache.get(key, fetch, signal), 'token-1');
  clock.advanceMs(79_999);
  t.equal(await cache.get(key, fetch, signal), 'token-1');
  clock.advanceMs(1);
  t.equal(await cache.get(key, fetch, signal), 'token-2');
});

t.test('a renewal that fails leaves the token to its end, and no longer', async (t) => {
  const clock = makeFakeClock();
  const cache = makeTokenCache(clock);
  await cache.get(key, makeIssuer(100).fetch, signal);
  const down = new Error('down');
  const fail = () => Promise.reject(down);
  clock.advanceMs(99_999);
  t.equal(await cache.get(key, fail, signal), 'token-1');
  clock.advanceMs(1);
  await t.rejects(cache.get(key, fail, signal), down);
});

t.test('each part of the key is a token of its own', async (t) => {
  const cache = makeTokenCache(makeFakeClock());
  const issuer = makeIssuer();
  const keys: readonly TokenKey[] = [
    key,
    { ...key, origin: 'https://other.example' },
    { ...key, realm: 'https://registry.example/other' },
    { ...key, service: undefined },
    { ...key, scope: 'repository:b:pull' },
    { ...key, credentialId: 'another' },
  ];
  const tokens = await Promise.all(keys.map((each) => cache.get(each, issuer.fetch, signal)));
  t.equal(new Set(tokens).size, keys.length);
});

t.test('the order of scopes makes no other token', async (t) => {
  const cache = makeTokenCache(makeFakeClock());
  const { fetch } = makeIssuer();
  const first = await cache.get({ ...key, scope: 'x y' }, fetch, signal);
  t.equal(await cache.get({ ...key, scope: 'y x' }, fetch, signal), first);
});

t.test('all that wait at once get one token', async (t) => {
  const cache = makeTokenCache(makeFakeClock());
  const answer = Promise.withResolvers<{ text: string; lifeSeconds: number }>();
  let fetched = 0;
  const fetch = () => {
    fetched += 1;
    return answer.promise;
  };
  const waiting = Array.from({ length: 10 }, () => cache.get(key, fetch, signal));
  answer.resolve({ text: 'one', lifeSeconds: 60 });
  t.strictSame(
    await Promise.all(waiting),
    Array.from({ length: 10 }, () => 'one'),
  );
  t.equal(fetched, 1);
});

t.test('all that wait see the error, and the next one tries anew', async (t) => {
  const cache = makeTokenCache(makeFakeClock());
  const down = new Error('down');
  const waiting = [1, 2, 3].map(() => cache.get(key, () => Promise.reject(down), signal));
  for (const each of waiting) await t.rejects(each, down);
  t.equal(await cache.get(key, makeIssuer().fetch, signal), 'token-1');
});

t.test('one that leaves takes the token from nobody', async (t) => {
  const cache = makeTokenCache(makeFakeClock());
  const answer = Promise.withResolvers<{ text: string; lifeSeconds: number }>();
  let given: AbortSignal | undefined;
  const fetch = (own: AbortSignal) => {
    given = own;
    return answer.promise;
  };
  const client = new AbortController();
  const leaving = cache.get(key, fetch, client.signal);
  const staying = cache.get(key, fetch, signal);
  const gone = new Error('gone');
  client.abort(gone);
  await t.rejects(leaving, gone);
  t.equal(given?.aborted, false);
  answer.resolve({ text: 'one', lifeSeconds: 60 });
  t.equal(await staying, 'one');
});

t.test('a dropped token is fetched anew; a newer one is not dropped for it', async (t) => {
  const cache = makeTokenCache(makeFakeClock());
  const { fetch } = makeIssuer();
  const first = await cache.get(key, fetch, signal);
  cache.drop(key, first);
  t.equal(await cache.get(key, fetch, signal), 'token-2');
  cache.drop(key, first);
  t.equal(await cache.get(key, fetch, signal), 'token-2');
});

t.test('tokens are bounded: the oldest goes', async (t) => {
  const cache = makeTokenCache(makeFakeClock(), { maxTokens: 2 });
  const issuer = makeIssuer();
  for (const scope of ['a', 'b', 'c']) await cache.get({ ...key, scope }, issuer.fetch, signal);
  await cache.get({ ...key, scope: 'c' }, issuer.fetch, signal);
  t.equal(issuer.issued, 3);
  await cache.get({ ...key, scope: 'a' }, issuer.fetch, signal);
  t.equal(issuer.issued, 4);
});

t.test('a token server that never answers is given up', async (t) => {
  const cache = makeTokenCache(makeFakeClock(), { timeoutMs: 20 });
  const alive = setInterval(() => undefined, 1000);
  t.teardown(() => clearInterval(alive));
  const hang = (own: AbortSignal) =>
    new Promise<never>((_resolve, reject) => {
      own.addEventListener('abort', () => reject(own.reason as Error));
    });
  await t.rejects(cache.get(key, hang, signal), { name: 'TimeoutError' });
});
