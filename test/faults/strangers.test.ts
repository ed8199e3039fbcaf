import t, { type Test } from 'tap';
import { type Artifact, buildBlob, buildImage, buildManifest } from '../support/build-image.ts';
import { acme, reasonOf, signatureOf, startAppKit, stranger } from '../support/app-kit.ts';
import { type FakeRegistry, startFakeRegistry } from '../support/fake-registry.ts';
import { notationSignature } from '../support/sign-notation.ts';

const image = buildImage();
const { digest } = image.descriptor;
const thumbprints = JSON.stringify(acme.certificates.map(({ fingerprint }) => fingerprint));

/** Signatures by a stranger, each of which claims to be acme's. */
function forgeries(count: number): readonly Artifact[] {
  const of = image.descriptor;
  const { envelope } = notationSignature({ of, format: 'jws', chain: stranger });
  return Array.from({ length: count }, (_, number) =>
    buildManifest({
      artifactType: 'application/vnd.cncf.notary.signature',
      subject: of,
      layers: [buildBlob('application/jose+json', envelope)],
      annotations: {
        'io.cncf.notary.x509chain.thumbprint#S256': thumbprints,
        number: String(number),
      },
    }),
  );
}

async function registryWith(t: Test, artifacts: readonly Artifact[]): Promise<FakeRegistry> {
  const registry = await startFakeRegistry({ referrersPageSize: 100 });
  t.teardown(() => registry.close());
  registry.put('app', image, 'v1');
  for (const artifact of artifacts) registry.put('app', artifact);
  return registry;
}

t.test('a thousand signatures by a stranger cost a thousand reads, and hide nothing', async (t) => {
  const registry = await registryWith(t, [...forgeries(1000), signatureOf(image.descriptor)]);
  const kit = await startAppKit(t, { upstreams: { lab: registry.url } });
  let asked = 1;
  // On a slow machine the time may be over first: the next request goes on.
  while ((await kit.ask(`lab/app/manifests/${digest}`)).status === 503 && asked < 5) asked += 1;
  t.equal((await kit.ask(`lab/app/manifests/${digest}`)).status, 200);
  t.equal(registry.count('GET', /\/referrers\//), 11 * asked);
  const manifests = registry.count('GET', /\/manifests\/sha256:/);
  t.ok(manifests <= 1 + 1001, `${manifests} manifests`);
  // The forgeries share an envelope, which is kept once it was fetched.
  t.ok(registry.count('GET', /\/blobs\//) <= 16);
  registry.forgetRequests();
  t.equal((await kit.ask(`lab/app/manifests/${digest}`)).status, 200);
  t.equal(registry.requests.length, 0, 'and nothing more once it is known');
});

t.test('alone they are refused, and cost no more than one listing the next time', async (t) => {
  const registry = await registryWith(t, forgeries(120));
  const kit = await startAppKit(t, {
    upstreams: { lab: registry.url },
    config: { lifetimes: { untrusted: '0s' } },
  });
  const first = await kit.ask(`lab/app/manifests/${digest}`);
  t.equal(reasonOf(first), 'no-trusted-signer');
  registry.forgetRequests();
  const again = await kit.ask(`lab/app/manifests/${digest}`);
  t.equal(reasonOf(again), 'no-trusted-signer');
  t.equal(registry.count('GET', /\/(?:manifests\/sha256:|blobs\/)/), 0);
});
