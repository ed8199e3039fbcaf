import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import t, { type Test } from 'tap';
import { writeConfiguration } from '../support/app-kit.ts';
import { runAssay } from '../support/run-assay.ts';

t.setTimeout(120_000);

/** A port that another process has. */
async function takePort(t: Test): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.close());
  return (server.address() as AddressInfo).port;
}

for (const key of ['listen', 'admin']) {
  t.test(`a port of ${key} that is taken is told once, as by one process`, async (t) => {
    const address = { host: '127.0.0.1', port: await takePort(t) };
    const runs = [];
    for (const workers of [1, 3]) {
      const file = writeConfiguration(t, {
        upstreams: { reg: 'http://127.0.0.1:1' },
        config: { workers, [key]: address },
      });
      runs.push(await runAssay(['serve', '--config', file]));
    }
    const [one, several] = runs;
    const message = `${key}: 127.0.0.1:${address.port} can not be used: another process listens there`;
    t.equal(one?.stderr, `assay: ${message}\n`);
    t.match(several, { code: one?.code, stderr: one?.stderr });
    t.equal(several?.code, 1);
    t.notMatch(several?.stdout ?? '', /can not be used/);
  });
}

t.test('a policy that does not load is told once', async (t) => {
  const rules = [{ nonsense: true }];
  const file = writeConfiguration(t, {
    upstreams: { reg: 'http://127.0.0.1:1' },
    rules,
    config: { workers: 3 },
  });
  const { code, stderr, stdout } = await runAssay(['serve', '--config', file]);
  t.equal(code, 78);
  t.equal(stderr.match(/nonsense/g)?.length, 1, stderr);
  t.equal(stdout, '');
});
