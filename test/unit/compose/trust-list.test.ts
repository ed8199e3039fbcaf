import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { listTrust } from '../../../src/compose/trust-list.ts';
import { loadConfig } from '../../../src/config/load.ts';
import { acme, writeConfiguration } from '../../support/app-kit.ts';
import { makeFakeClock } from '../../support/fake-clock.ts';
import { pluginName, writePlugin } from '../../support/plugin-kit.ts';
import { makeChain } from '../../support/test-ca.ts';
import { datesAsText } from '../../support/dates-as-text.ts';

/** At the start of 2030, with what is told beside `ca:acme`, which the policy's `acme` uses. */
async function list(
  t: Test,
  stores: Readonly<Record<string, readonly { readonly pem: string }[]>> = {},
  config: Readonly<Record<string, unknown>> = {},
) {
  const file = writeConfiguration(t, { upstreams: { reg: 'http://127.0.0.1:1' }, config });
  for (const [store, anchors] of Object.entries(stores)) {
    const folder = join(file, '..', 'trust', 'x509', ...store.split(':'));
    mkdirSync(folder, { recursive: true });
    for (const [index, { pem }] of anchors.entries()) {
      writeFileSync(join(folder, `${index}.pem`), pem);
    }
  }
  const { signal } = new AbortController();
  return listTrust(await loadConfig(file), makeFakeClock(), signal);
}

const soon = makeChain({ authority: 'soon', root: { notAfter: '2030-01-11T00:00:00Z' } }).root;
const ended = makeChain({ authority: 'ended', root: { notAfter: '2029-12-31T00:00:00Z' } }).root;
const later = makeChain({
  authority: 'later',
  root: { notBefore: '2030-02-01T00:00:00Z', notAfter: '2050-01-01T00:00:00Z' },
}).root;

t.test('every store and anchor is listed, with who uses it and how long it lasts', async (t) => {
  const listed = await list(t, { 'ca:acme': [soon, ended, later], 'tsa:clock': [acme.root] });
  t.match(listed.policy, { file: /policy\.yaml$/, digest: /^[0-9a-f]{64}$/ });
  t.match(listed.stores, [
    { store: 'ca:acme', usedBy: ['acme'], folder: /trust\/x509\/ca\/acme$/ },
    { store: 'tsa:clock', usedBy: [] },
  ]);
  t.match(
    datesAsText(listed.stores[0]?.anchors),
    datesAsText([
      { state: 'ended', daysLeft: -1, fingerprint: ended.fingerprint },
      { state: 'valid', daysLeft: 10, subject: /^CN=soon root,/, issuer: /^CN=soon root,/ },
      { state: 'valid', fingerprint: acme.root.fingerprint },
      { state: 'not-yet-valid', notBefore: new Date('2030-02-01T00:00:00Z') },
    ]),
  );
  t.equal(listed.stores[1]?.anchors.length, 1);
  t.same(listed.plugins, []);
  t.same(listed.problems, [], 'one valid anchor is enough');
});

t.test('a store that the policy relies upon and that is not there is a problem', async (t) => {
  const listed = await list(t, {}, { trust: { store: './none' } });
  t.match(listed.stores, [{ store: 'ca:acme', usedBy: ['acme'], anchors: [] }]);
  t.match(listed.problems, [/refers to trust store ca:acme, and .* holds no certificate/]);
});

t.test('a store of which no anchor is valid is one too', async (t) => {
  const file = writeConfiguration(t, { upstreams: { reg: 'http://127.0.0.1:1' } });
  const folder = join(file, '..', 'trust', 'x509', 'ca', 'acme');
  writeFileSync(join(folder, 'acme.pem'), ended.pem);
  writeFileSync(join(folder, 'later.pem'), later.pem);
  const { signal } = new AbortController();
  const { problems } = await listTrust(await loadConfig(file), makeFakeClock(), signal);
  t.same(problems, ['no anchor of trust store ca:acme is valid now']);
});

t.test('plugins are listed with what they say of themselves, or why they can not', async (t) => {
  const { path, sha256 } = writePlugin(t);
  const plugins = {
    [pluginName]: { path, sha256 },
    'com.example.changed': { path, sha256: 'a'.repeat(64) },
  };
  const listed = await list(t, {}, { trust: { store: './trust', plugins } });
  t.match(listed.plugins, [
    { name: pluginName, path, sha256, version: '1.2.0', capabilities: [/IDENTITY/, /REVOCATION/] },
    { name: 'com.example.changed', because: /has SHA-256 / },
  ]);
  t.notOk(listed.plugins[0]?.because);
  t.match(listed.problems, [/^the plugin com\.example\.changed can not be used: /]);
});
