import { inspect } from 'node:util';
import t from 'tap';
import { handOver, takeOver } from '../../../src/config/hand-over.ts';
import { readConfig } from '../../../src/config/load.ts';

const text = `
listen: { host: 0.0.0.0, port: 443 }
workers: auto
upstreams:
  reg: { url: https://reg.example, credentials: { username: bot, password: hunter2 } }
  demo: { layout: demo }
hosts: { hub.example: reg }
trustPolicy: policy.yaml
storage: { maxBytes: 5 GiB }
state: { keys: [${'k'.repeat(32)}, ${'o'.repeat(32)}] }
egress: { allowPrivate: [10.0.0.0/8, "fd00::/8"] }
`;

t.test(
  'a configuration arrives in another process as it was loaded, secrets and all',
  async (t) => {
    const config = await readConfig(text, 'assay.yaml', { folder: '/etc/assay' });
    const copied = structuredClone(handOver(config));
    const arrived = takeOver(copied);
    t.same(JSON.parse(JSON.stringify(arrived)), JSON.parse(JSON.stringify(config)));
    const keys = arrived.state?.keys.map((key) => key.reveal());
    t.same(keys, ['k'.repeat(32), 'o'.repeat(32)]);
  },
);

t.test('secrets hide again where they arrive', async (t) => {
  const config = await readConfig(text, 'assay.yaml', { folder: '/etc/assay' });
  const arrived = takeOver(handOver(config));
  t.notMatch(inspect(arrived, { depth: null }), /hunter2|kkkk/);
});

t.test('an upstream with a name like __proto__ stays a name', async (t) => {
  const upstreams = JSON.parse('{ "__proto__": { "url": "https://x" } }') as object;
  const arrived = takeOver(handOver({ upstreams } as never));
  t.same(Object.keys(arrived.upstreams), ['__proto__']);
  t.equal(({} as { url?: string }).url, undefined);
});
