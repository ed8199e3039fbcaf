import t from 'tap';
import { startAppKit } from '../support/app-kit.ts';
import { makeFakeClock } from '../support/fake-clock.ts';
import { startFakeRegistry } from '../support/fake-registry.ts';
import { allowed, image, makeRevocationApp, pull } from '../support/revocation-app.ts';
import { openRevocationServer } from '../support/revocation-server.ts';
import { signedBy } from '../support/sign-notation.ts';
import { makeChain } from '../support/test-ca.ts';

const unknown = '503 revocation-unknown';

t.test('level permissive logs what strict enforces', async (t) => {
  const { server, start } = await makeRevocationApp(t, 'ocsp');
  const kit = await start({ identity: { level: 'permissive' } });
  server.serve('/leaf/ocsp', () => 500);
  t.equal(await pull(kit), 'served', 'nobody knows');
  const other = await makeRevocationApp(t, 'ocsp');
  other.server.serve('/leaf/ocsp', () => other.leafOcsp({}, { status: {} }));
  t.equal(
    await pull(await other.start({ identity: { level: 'permissive' } })),
    'served',
    'revoked',
  );
});

t.test('revocation can be skipped by an override, and nobody is asked then', async (t) => {
  const { server, start } = await makeRevocationApp(t);
  t.equal(await pull(await start({ identity: { override: { revocation: 'skip' } } })), 'served');
  t.strictSame(server.requests, []);
});

t.test('level audit asks for a signer of a trusted store, and vouches for nothing', async (t) => {
  const { server, start, leafOcsp } = await makeRevocationApp(t, 'ocsp');
  server.serve('/leaf/ocsp', () => leafOcsp({}, { status: {} }));
  const kit = await start({ identity: { level: 'audit' } });
  t.equal(await pull(kit), '403 level-vouches-for-nothing');
  t.equal(server.requests.length, 2);
});

t.test('nobody is asked at the bidding of a stranger, whatever the level', async (t) => {
  const server = await openRevocationServer(t);
  const ocspUrls = [`${server.url}/ocsp`];
  const chain = makeChain({ authority: 'mallory', leaf: { ocspUrls } });
  const registry = await startFakeRegistry();
  t.teardown(() => registry.close());
  registry.put('acme/app', image);
  registry.put('acme/app', signedBy({ of: image.descriptor, format: 'cose', chain }));
  for (const level of ['strict', 'permissive', 'audit']) {
    const options = { upstreams: { up: registry.url }, clock: makeFakeClock(), config: allowed };
    const kit = await startAppKit(t, { ...options, identity: { level } });
    t.match(await pull(kit), /^403 /);
  }
  t.strictSame(server.requests, []);
});

t.test('private addresses are not asked unless they are allowed', async (t) => {
  const { server, start } = await makeRevocationApp(t);
  t.equal(await pull(await start({ config: {} })), unknown);
  t.strictSame(server.requests, []);
});

t.test('we are not asked ourselves, whatever is allowed', async (t) => {
  const registry = await startFakeRegistry();
  t.teardown(() => registry.close());
  const options = { upstreams: { up: registry.url }, clock: makeFakeClock(), config: allowed };
  const kit = await startAppKit(t, options);
  for (const address of [kit.oci, kit.admin]) {
    const chain = makeChain({ leaf: { ocspUrls: [`${address}/v2`] } });
    const repository = `acme/app${new URL(address).port}`;
    registry.put(repository, image);
    registry.put(repository, signedBy({ of: image.descriptor, format: 'jws', chain }));
    const reply = await kit.ask(`up/${repository}/manifests/${image.descriptor.digest}`);
    t.equal(reply.status, 503);
  }
  const refused = kit.lines.filter(
    ({ kind, because }) => kind === 'ocsp' && /listen ourselves/.test(String(because)),
  );
  t.equal(refused.length, 2);
});
