import { generateKeyPairSync } from 'node:crypto';
import { appendFile } from 'node:fs/promises';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { openBasis } from '../../../src/compose/basis.ts';
import { loadBasis } from '../../../src/compose/load-basis.ts';
import { checkPolicy } from '../../../src/compose/policy-check.ts';
import { loadConfig } from '../../../src/config/load.ts';
import { writeConfiguration } from '../../support/app-kit.ts';
import { makeFakeClock } from '../../support/fake-clock.ts';
import { startKeyService } from '../../support/key-service.ts';
import { makeCountingMetrics, makeKeptLog } from '../../support/silence.ts';

const makePem = (): string =>
  generateKeyPairSync('ed25519').publicKey.export({ type: 'spki', format: 'pem' }) as string;
const token = 'hvs.a-secret-token';

/** A policy that names a key of Vault, and a Vault whose key and health the test sets. */
async function setUp(t: Test, trust: Readonly<Record<string, unknown>> = {}) {
  const vault = { pem: makePem(), status: 200 };
  const service = await startKeyService(t, () => ({
    status: vault.status,
    body: {
      data: {
        name: 'acme',
        type: 'ecdsa-p256',
        latest_version: 1,
        keys: { '1': { public_key: vault.pem } },
      },
    },
  }));
  const keyReferences = { vault: { url: `https://${service.host}`, token, ca: './vault-ca.pem' } };
  const sigstore = { publicKeys: ['hashivault://acme'], transparencyLog: 'not-required' };
  const file = writeConfiguration(t, {
    upstreams: { reg: 'http://127.0.0.1:1' },
    identities: { vault: { sigstore } },
    rules: [{ repositories: ['reg/**'], require: { signedBy: 'vault' } }],
    config: { trust: { store: './trust', keyReferences, ...trust } },
    files: { 'vault-ca.pem': service.ca },
  });
  const policy = join(t.testdirName, 'policy.yaml');
  return { vault, service, policy, config: await loadConfig(file) };
}

const ignore = async (): Promise<void> => undefined;

t.test('a key of a service is asked for once at load, and pinned in the digest', async (t) => {
  const { vault, service, config } = await setUp(t);
  const first = await loadBasis(config, ignore);
  const again = await loadBasis(config, ignore);
  t.equal(service.calls.length, 2, 'once at each load');
  t.equal(again.policy.digest, first.policy.digest);
  vault.pem = makePem();
  const other = await loadBasis(config, ignore);
  t.not(other.policy.digest, first.policy.digest, 'another key is another policy');
});

t.test('where the service fails at a reload, the last good policy stays', async (t) => {
  const { vault, config, policy } = await setUp(t);
  const log = makeKeptLog();
  const metrics = makeCountingMetrics();
  const basis = await openBasis({
    load: (saw) => loadBasis(config, saw),
    onLoaded: () => undefined,
    metrics,
    log,
  });
  const before = basis.current();
  vault.status = 503;
  await appendFile(policy, ' ');
  await basis.reload();
  t.equal(basis.current(), before);
  t.match(basis.problem(), /"hashivault:\/\/acme" can not be read: .* answers with status 503/);
  t.equal(metrics.counted('assay_reload_failures_total', { what: 'policy' }), 1);
  t.notMatch(JSON.stringify(log.lines), token);

  vault.status = 200;
  await basis.reload();
  t.equal(basis.problem(), undefined);
  t.equal(basis.current().generation, 2);
});

t.test('where the service fails at the start, the policy does not load', async (t) => {
  const { vault, config } = await setUp(t);
  vault.status = 403;
  await t.rejects(loadBasis(config, ignore), {
    code: 'POLICY_UNUSABLE',
    message: /publicKeys\[0\]: "hashivault:\/\/acme" can not be read: .* answers with status 403/,
  });
});

t.test('what the service gives is a key to verify with, or none', async (t) => {
  const { vault, config } = await setUp(t);
  vault.pem = 'no key';
  await t.rejects(loadBasis(config, ignore), {
    message: /"hashivault:\/\/acme" is not a public key in PEM/,
  });
});

t.test('offline no service is asked', async (t) => {
  const { service, config } = await setUp(t, { offline: true });
  await t.rejects(loadBasis(config, ignore), {
    message: /"hashivault:\/\/acme" can not be read: trust\.offline is true, and nobody is asked/,
  });
  t.same(service.calls, []);
});

t.test('a policy is checked with the keys that it names', async (t) => {
  const { service, config, policy } = await setUp(t);
  const { digest } = await checkPolicy(policy, config, makeFakeClock());
  t.equal(digest, (await loadBasis(config, ignore)).policy.digest);
  t.equal(service.calls.length, 2);
});

t.test('http to Vault must be permitted, and only where it is http', async (t) => {
  const load = async (vault: object) => {
    const file = writeConfiguration(t, {
      upstreams: { reg: 'http://127.0.0.1:1' },
      config: { trust: { store: './trust', keyReferences: { vault } } },
    });
    return (await loadConfig(file)).trust.keyReferences?.vault?.url;
  };
  const url = 'http://127.0.0.1:8200';
  await t.rejects(load({ url }), { message: /vault\.url: is http: write https, or say plainHttp/ });
  await t.rejects(load({ url: 'https://vault.example', plainHttp: 'allowed' }), {
    message: /plainHttp: has no meaning beside an https url/,
  });
  t.equal(await load({ url, plainHttp: 'allowed' }), url);
});
