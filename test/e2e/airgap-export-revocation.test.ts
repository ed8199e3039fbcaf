import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { writeConfiguration } from '../support/app-kit.ts';
import { buildImage } from '../support/build-image.ts';
import { type FakeClock, makeFakeClock } from '../support/fake-clock.ts';
import { type ExportKit, makeExportKit } from '../support/export-kit.ts';
import { openRevocationServer, type RevocationServer } from '../support/revocation-server.ts';
import { openScriptedRegistry } from '../support/scripted-registry.ts';
import { signedBy } from '../support/sign-notation.ts';
import { type BuiltCertificate, makeChain } from '../support/test-ca.ts';
import { buildCrl } from '../support/test-crl.ts';
import { buildOcsp } from '../support/test-ocsp.ts';

const image = buildImage({ name: 'revocable' });

interface Site {
  readonly kit: ExportKit;
  readonly server: RevocationServer;
  readonly clock: FakeClock;
  readonly leaf: BuiltCertificate;
  readonly middle: BuiltCertificate;
  readonly root: BuiltCertificate;
}

/** An image that a chain signed whose leaf is answered for by OCSP, and its issuer by a list. */
async function openSite(t: Test): Promise<Site> {
  const server = await openRevocationServer(t);
  const chain = makeChain({
    leaf: { ocspUrls: [`${server.url}/leaf`] },
    intermediate: { 0: { crlUrls: [`${server.url}/middle.crl`] } },
  });
  const { leaf, root } = chain;
  const [, middle = root] = chain.certificates;
  server.serve('/leaf', () =>
    Buffer.from(buildOcsp({ issuer: middle, answers: [{ certificate: leaf }] })),
  );
  const thisUpdate = '2029-12-30T00:00:00Z';
  server.serve('/middle.crl', () =>
    Buffer.from(buildCrl({ issuer: root, thisUpdate, nextUpdate: '2030-01-08T00:00:00Z' })),
  );
  const registry = await openScriptedRegistry(t);
  registry.put('app', image, 'v1');
  registry.put('app', signedBy({ of: image.descriptor, format: 'jws', chain }));
  const config = { egress: { allowPrivate: ['127.0.0.0/8'] } };
  const file = writeConfiguration(t, { upstreams: { reg: registry.origin }, config });
  const anchor = join(file, '..', 'trust', 'x509', 'ca', 'acme', 'acme.pem');
  writeFileSync(anchor, root.pem);
  return { kit: await makeExportKit(file), server, clock: makeFakeClock(), leaf, middle, root };
}

t.test('the answers about all signers go along, and suffice where nobody is asked', async (t) => {
  const { kit, clock } = await openSite(t);
  const report = await kit.export('images: [reg/app:v1]', 'out', { clock });
  t.equal(report.outcome, 'written');
  const { document, trust } = await kit.open('out');
  const carried = document.trust.filter(({ kind }) => kind === 'revocation');
  t.same(carried.map(({ path }) => path.replace(/[0-9a-f]{32}/, 'HASH')).toSorted(), [
    'trust/revocation/HASH.crl',
    'trust/revocation/HASH.ocsp',
  ]);
  for (const { path } of carried) t.ok((trust.get(path)?.length ?? 0) > 100);
  t.same(document.revocationAsOf, new Date('2029-12-30T00:00:00Z'), 'the older of the two');
});

t.test('where answers can not be had any more, what was trusted is not proven', async (t) => {
  const { kit, clock, server } = await openSite(t);
  t.equal((await kit.export('images: [reg/app:v1]', 'first', { clock })).outcome, 'written');
  server.serve('/leaf', () => 503);
  const second = await kit.export('images: [reg/app:v1]', 'second', { clock });
  t.equal(second.outcome, 'refused');
  t.match(second.images, [{ outcome: 'unproven', because: /nobody is asked/ }]);
});

t.test('files of revocation data that told something go along, and no others', async (t) => {
  const { kit, clock, leaf, middle, root, server } = await openSite(t);
  const files = join(kit.folder, 'revocation');
  mkdirSync(files);
  const week = { thisUpdate: '2029-12-29T00:00:00Z', nextUpdate: '2030-01-08T00:00:00Z' };
  const write = (name: string, bytes: Uint8Array): void => writeFileSync(join(files, name), bytes);
  write('leaf.ocsp', buildOcsp({ issuer: middle, answers: [{ certificate: leaf }] }));
  write('middle.crl', buildCrl({ issuer: root, ...week }));
  const stranger = makeChain({ authority: 'stranger' });
  write(
    'stranger.crl',
    buildCrl({ issuer: stranger.root, ...week, thisUpdate: '2020-01-01T00:00:00Z' }),
  );
  const configuration = JSON.parse(readFileSync(kit.file, 'utf8')) as { trust: object };
  configuration.trust = { ...configuration.trust, revocation: { files } };
  writeFileSync(kit.file, JSON.stringify(configuration));
  const report = await kit.export('images: [reg/app:v1]', 'out', { clock });
  t.equal(report.outcome, 'written');
  t.equal(server.requests.length, 0, 'the files told');
  const { document } = await kit.open('out');
  t.equal(document.trust.filter(({ kind }) => kind === 'revocation').length, 2);
  t.same(document.revocationAsOf, new Date('2029-12-29T00:00:00Z'));
});

t.test('in an emergency what is revoked by now is told without content', async (t) => {
  const { kit, clock, leaf, middle, server } = await openSite(t);
  await kit.export('images: [reg/app:v1]', 'first', { clock });
  clock.advanceMs(3_600_000);
  const status = { revokedAt: '2030-01-01T00:30:00Z' };
  server.serve('/leaf', () =>
    Buffer.from(buildOcsp({ issuer: middle, answers: [{ certificate: leaf, status }] })),
  );
  const report = await kit.export(undefined, 'second', { clock, format: 'revocations-only' });
  t.match(report, { outcome: 'written', bundle: { sequence: 2, trustFiles: 2 } });
  const { document, trust, metadata } = await kit.open('second');
  t.equal(document.kind, 'revocation');
  t.equal(metadata.sequence, 2);
  t.match(document.previous, { sequence: 1 });
  t.ok([...trust.keys()].every((path) => path.startsWith('trust/revocation/')));
  const refused = await kit.export('images: [reg/app:v1]', 'third', { clock });
  t.equal(refused.outcome, 'refused');
});
