import t from 'tap';
import { makeEgressGuard } from '../../../src/upstream/egress.ts';
import { openTransport } from '../../../src/upstream/http.ts';
import { defaultRemoteLimits } from '../../../src/upstream/remote-options.ts';

const own = 'https://registry.example';

t.test('credentials for another origin never get as far as a look-up', async (t) => {
  const asked: string[] = [];
  const guard = makeEgressGuard({
    allowPrivate: [],
    ownListeners: () => [],
    timeoutMs: 1000,
    resolve(hostname) {
      asked.push(hostname);
      return Promise.resolve(['127.0.0.1']);
    },
  });
  const transport = openTransport(own, {}, guard, defaultRemoteLimits);
  t.teardown(() => transport.close());
  const { signal } = new AbortController();
  for (const url of [
    'https://cdn.example/',
    'http://registry.example/',
    'https://registry.example:444/',
    'https://registry.example.evil.example/',
  ]) {
    const authorization = { origin: own, value: 'Bearer secret' };
    const send = transport.send({ method: 'GET', url: new URL(url), authorization }, signal);
    await t.rejects(send, { name: 'Error', message: /^(?!.*secret).*were about to go to/ }, url);
  }
  t.strictSame(asked, []);
});
