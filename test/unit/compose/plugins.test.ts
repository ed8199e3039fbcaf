import t from 'tap';
import {
  allowedPlugins,
  makeConfiguredPlugins,
  withPlugins,
} from '../../../src/compose/plugins.ts';
import type { Config } from '../../../src/config/schema.ts';
import { makeFakeClock } from '../../support/fake-clock.ts';
import { makeTrust } from '../../support/notation-case.ts';
import { pluginName, writePlugin, type WrittenPlugin } from '../../support/plugin-kit.ts';

function configOf({ name, path, sha256, timeoutMs }: WrittenPlugin): Pick<Config, 'trust'> {
  const plugins = { [name]: { path, sha256, timeout: { ms: timeoutMs } } };
  return { trust: { store: '/none', offline: false, plugins } };
}

t.test('what the configuration allows is what may be run', async (t) => {
  const { questions, ...plugin } = writePlugin(t);
  t.same(allowedPlugins(configOf({ questions, ...plugin })), [plugin]);
});

t.test('runs are counted and timed, and failures logged', async (t) => {
  const counts: unknown[] = [];
  const times: unknown[] = [];
  const warnings: unknown[] = [];
  const count = (...counted: unknown[]): void => void counts.push(counted);
  const time = (...timed: unknown[]): void => void times.push(timed);
  const warn = (...warned: unknown[]): void => void warnings.push(warned);
  const plugin = writePlugin(t, { verify: 'exit 1' });
  const plugins = makeConfiguredPlugins(configOf(plugin), {
    clock: makeFakeClock(),
    metrics: { count, time, set() {} },
    log: { debug() {}, info() {}, warn, error() {} },
  });
  const { signal } = new AbortController();
  await plugins.get(pluginName)?.describe(signal);
  const question = {
    signature: { criticalAttributes: {}, unprocessedAttributes: [], certificateChain: [] },
    trustPolicy: { trustedIdentities: [], signatureVerification: [] },
  } as never;
  await t.rejects(plugins.get(pluginName)!.verify(question, signal), { code: 'PLUGIN_FAILED' });
  const of = (command: string, outcome: string) => [
    'assay_plugin_runs_total',
    { plugin: pluginName, command, outcome },
  ];
  t.same(counts, [of('get-plugin-metadata', 'answered'), of('verify-signature', 'PLUGIN_FAILED')]);
  t.equal(times.length, 2);
  t.match(warnings, [[{ plugin: pluginName, error: { code: 'PLUGIN_FAILED' } }]]);
});

t.test('trust stores depend upon the plugins that are allowed', async (t) => {
  const trust = makeTrust({});
  const digestWith = (...plugins: { name: string; sha256: string }[]) =>
    withPlugins(trust, plugins).notationStoreDigest('ca:a');
  const a = { name: 'a', sha256: '1' };
  const b = { name: 'b', sha256: '2' };
  t.equal(digestWith(), trust.notationStoreDigest('ca:a'), 'none changes nothing');
  t.equal(digestWith(a, b), digestWith(b, a));
  const digests = [digestWith(), digestWith(a), digestWith(b), digestWith({ ...a, sha256: '2' })];
  t.equal(new Set(digests).size, digests.length);
  t.not(
    withPlugins(trust, [a]).notationStoreDigest('ca:a'),
    withPlugins(trust, [a]).notationStoreDigest('ca:b'),
  );
});
