import { join } from 'node:path';
import t from 'tap';
import { reasonOf } from '../support/app-kit.ts';
import { buildImage } from '../support/build-image.ts';
import { writeFullBundle } from '../support/bundle-kit.ts';
import { openRevocationServer } from '../support/revocation-server.ts';
import { signedBy } from '../support/sign-notation.ts';
import { makeChain } from '../support/test-ca.ts';
import { buildCrl } from '../support/test-crl.ts';
import { makeZone } from '../support/zone-kit.ts';

const app = buildImage({ name: 'app' });

t.test('carried revocation lists decide, and nobody is asked', async (t) => {
  const server = await openRevocationServer(t);
  const chain = makeChain({
    leaf: { crlUrls: [`${server.url}/leaf.crl`] },
    intermediate: { 0: { crlUrls: [`${server.url}/middle.crl`] } },
  });
  const { leaf, root } = chain;
  const [, middle = root] = chain.certificates;
  const zone = makeZone(t, {
    files: { trust: { x509: { ca: { acme: { 'acme.pem': root.pem } } } } as never },
    config: { egress: { allowPrivate: ['127.0.0.0/8'] } },
  });
  const evidence = [signedBy({ of: app.descriptor, format: 'jws', chain })];
  const images = [{ name: 'docker.io/library/app:1.0', artifact: app, evidence }];
  const list = (bytes: Uint8Array) => ({ kind: 'revocation' as const, bytes });
  const middleList = list(buildCrl({ issuer: root }));

  const without = await writeFullBundle({ folder: join(zone.folder, '1'), images });
  const unclear = await zone.import(without);
  t.match(unclear, { outcome: 'refused', images: [{ reason: 'revocation-unknown' }] });

  const second = { sequence: 2, previous: without.asPrevious, images };
  const broken = await writeFullBundle({
    ...second,
    folder: join(zone.folder, '2 broken'),
    trust: { 'revocation/leaf.crl': list(Buffer.from('no list')) },
  });
  await t.rejects(zone.import(broken), { code: 'TRUST_FILE_MALFORMED', message: /leaf\.crl/ });

  const withLists = await writeFullBundle({
    ...second,
    folder: join(zone.folder, '2'),
    trust: {
      'revocation/leaf.crl': list(buildCrl({ issuer: middle })),
      'revocation/middle.crl': middleList,
    },
  });
  t.match(await zone.import(withLists), { outcome: 'published' });
  const kit = await zone.serve();
  t.equal((await kit.ask('docker.io/library/app/manifests/1.0')).status, 200);

  const revoked = await writeFullBundle({
    folder: join(zone.folder, '3'),
    kind: 'revocation',
    sequence: 3,
    previous: withLists.asPrevious,
    images: [],
    trust: {
      'revocation/leaf.crl': list(buildCrl({ issuer: middle, revoked: [leaf], number: 2 })),
      'revocation/middle.crl': middleList,
    },
  });
  t.match(await zone.import(revoked), { outcome: 'published' });
  await kit.app.lookForChanges();
  const refused = await kit.ask(`docker.io/library/app/manifests/${app.descriptor.digest}`);
  t.equal(refused.status, 403);
  t.equal(reasonOf(refused), 'certificate-revoked');
  t.strictSame(server.requests, [], 'no host that a certificate names was asked');
});
