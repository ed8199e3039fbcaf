import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { allowed, makeRevocationApp, pull } from '../support/revocation-app.ts';

const revoked = '403 certificate-revoked';
const unknown = '503 revocation-unknown';

t.test('once asked, nobody is asked again: not by others, not after a restart', async (t) => {
  const { server, start, clock } = await makeRevocationApp(t, 'ocsp');
  const kit = await start();
  const pulls = await Promise.all(Array.from({ length: 10 }, () => pull(kit)));
  t.strictSame(new Set(pulls), new Set(['served']));
  t.strictSame(server.requests.toSorted(), ['GET /leaf/ocsp', 'GET /middle/ocsp']);
  t.match(await kit.metrics(), /assay_revocation_requests_total\{kind="ocsp",outcome="usable"\} 2/);
  const restarted = await kit.restarted();
  server.serve('/leaf/ocsp', () => 500);
  server.serve('/middle/ocsp', () => 500);
  t.equal(await pull(restarted), 'served');
  clock.advanceMs(25 * 3_600_000);
  t.equal(await pull(restarted), 'served', 'the verdict is over, the answers hold');
  clock.advanceMs(6 * 24 * 3_600_000);
  t.equal(await pull(restarted), unknown, 'the answers are over too');
});

t.test('a verdict ends with what it rests upon', async (t) => {
  const { server, start, clock, leafOcsp } = await makeRevocationApp(t, 'ocsp');
  server.serve('/leaf/ocsp', () => leafOcsp({}, { nextUpdate: '2030-01-01T01:00:00Z' }));
  const kit = await start();
  t.equal(await pull(kit), 'served');
  server.serve('/leaf/ocsp', () => leafOcsp({}, { status: {} }));
  clock.advanceMs(59 * 60_000);
  t.equal(await pull(kit), 'served');
  clock.advanceMs(60_000);
  t.equal(await pull(kit), revoked);
});

t.test('offline, files answer alone, and are read again when they change', async (t) => {
  const world = await makeRevocationApp(t);
  const { server, chain, leafCrl, leafOcsp, middleOcsp } = world;
  const folder = join(t.testdirName, 'revocation');
  const kit = await world.start({
    files: { revocation: {} },
    config: {
      ...allowed,
      trust: { store: './trust', offline: true, revocation: { files: './revocation' } },
    },
  });
  t.equal(await pull(kit), unknown, 'there are no files yet');
  writeFileSync(join(folder, 'leaf.crl'), leafCrl());
  writeFileSync(join(folder, 'middle.ocsp'), middleOcsp());
  await kit.app.lookForChanges();
  t.equal(await pull(kit), 'served');
  writeFileSync(join(folder, 'leaf.crl'), leafCrl({ number: 2, revoked: [chain.leaf] }));
  await kit.app.lookForChanges();
  t.equal(await pull(kit), revoked, 'the verdict of a minute ago does not hold');
  writeFileSync(join(folder, 'leaf.ocsp'), 'rubbish');
  await kit.app.lookForChanges();
  t.equal(await pull(kit), revoked, 'what does not load whole changes nothing');
  rmSync(join(folder, 'leaf.crl'));
  writeFileSync(join(folder, 'leaf.ocsp'), leafOcsp());
  await kit.app.lookForChanges();
  t.equal(await pull(kit), 'served');
  t.strictSame(server.requests, []);
});

t.test('files come before the network, which answers for the rest', async (t) => {
  const world = await makeRevocationApp(t, 'ocsp');
  const { server, leafOcsp } = world;
  const kit = await world.start({
    files: { revocation: {} },
    config: { ...allowed, trust: { store: './trust', revocation: { files: './revocation' } } },
  });
  writeFileSync(join(t.testdirName, 'revocation', 'leaf.ocsp'), leafOcsp());
  await kit.app.lookForChanges();
  t.equal(await pull(kit), 'served');
  t.strictSame(server.requests, ['GET /middle/ocsp']);
});
