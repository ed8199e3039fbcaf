import { join } from 'node:path';
import t from 'tap';
import { openUpstreams } from '../../../src/compose/upstreams.ts';
import type { Config } from '../../../src/config/schema.ts';
import { makeFakeClock } from '../../support/fake-clock.ts';
import { makeCountingMetrics, makeKeptLog } from '../../support/silence.ts';

function open(upstreams: object) {
  const config = { upstreams, egress: { allowPrivate: [] } } as unknown as Config;
  return openUpstreams(config, {
    clock: makeFakeClock(),
    metrics: makeCountingMetrics(),
    log: makeKeptLog(),
    ownListeners: () => [],
  });
}

t.test('every configured upstream has a source, and no other name has', async (t) => {
  const upstreams = await open({
    demo: { layout: t.testdir() },
    'docker.io': { url: 'https://registry-1.docker.io' },
  });
  t.teardown(() => upstreams.close());
  t.ok(upstreams.get('demo'));
  t.ok(upstreams.get('docker.io'));
  t.equal(upstreams.get('ghcr.io'), undefined);
  t.equal(upstreams.get('__proto__'), undefined);
});

for (const [key, upstream] of [
  ['ca', { ca: 'missing.pem' }],
  ['clientCertificate.key', { clientCertificate: { certificate: 'here.pem', key: 'missing.pem' } }],
] as const) {
  t.test(`a file for ${key} that is not there is named with its upstream`, async (t) => {
    const folder = t.testdir({ 'here.pem': '' });
    const text = JSON.stringify(upstream).replace(/"(\w+\.pem)"/g, (_, name: string) =>
      JSON.stringify(join(folder, name)),
    );
    const lab = { url: 'https://lab.example', ...(JSON.parse(text) as object) };
    await t.rejects(open({ lab }), {
      code: 'UPSTREAM_UNUSABLE',
      message: `upstreams.lab.${key}: ${join(folder, 'missing.pem')} can not be read: it does not exist`,
    });
  });
}

t.test('options that make no sense are an error of the start, not of a pull', async (t) => {
  const ca = join(t.testdir({ 'ca.pem': 'no certificate' }), 'ca.pem');
  await t.rejects(open({ lab: { url: 'http://lab.example', ca } }), { code: 'UPSTREAM_UNUSABLE' });
});
