import t from 'tap';
import { reasonOf, startAppKit } from '../support/app-kit.ts';
import { buildImage } from '../support/build-image.ts';
import { makeFakeClock } from '../support/fake-clock.ts';
import { startFakeRegistry } from '../support/fake-registry.ts';
import { keylessLayer, keylessSignature, signatureTag } from '../support/sign-keyless.ts';
import { trustedRootJson } from '../support/trusted-root.ts';
import { buildTuf } from '../support/tuf-repository.ts';
import { startTufServer } from '../support/tuf-server.ts';

// A keyless image under a root of a private TUF repository.
const signer = { subject: 'dev@acme.test', issuer: 'https://accounts.acme.test' };
const built = buildTuf({ targets: { 'trusted_root.json': trustedRootJson() } });

t.test(
  'a keyless image is trusted once the private root is there, and not refused before',
  async (t) => {
    const registry = await startFakeRegistry();
    t.teardown(() => registry.close());
    const server = await startTufServer(t);
    const image = buildImage();
    const { descriptor } = image;
    const at = new Date('2029-12-31T00:00:00Z');
    const layer = keylessLayer({ of: descriptor, ...signer, at });
    registry.put('acme/app', image, 'it');
    registry.put('acme/app', keylessSignature([layer]), signatureTag(descriptor));
    const clock = makeFakeClock();
    const tuf = { url: server.url, root: './root.json', plainHttp: 'allowed' };
    const kit = await startAppKit(t, {
      upstreams: { 'ghcr.io': registry.url },
      identities: { dev: { sigstore: signer } },
      rules: [{ repositories: ['ghcr.io/**'], require: { signedBy: 'dev' } }],
      files: { 'root.json': Buffer.from(built.rootJson).toString() },
      config: { trust: { store: './trust', sigstore: { root: { tuf } } } },
      clock,
    });
    const path = `ghcr.io/acme/app/manifests/${descriptor.digest}`;
    const early = await kit.ask(path);
    t.equal(early.status, 503, 'nobody could find out');
    t.equal(reasonOf(early), 'not-verifiable');

    server.serve(built);
    const restarted = await kit.restarted();
    while (!restarted.lines.some(({ message }) => message === 'a Sigstore root was refreshed')) {
      await new Promise((resolve) => setImmediate(resolve));
    }
    await restarted.app.lookForChanges();
    t.equal((await restarted.ask(path)).status, 200);
    const asked = server.asked.length;
    t.equal((await restarted.ask(path)).status, 200);
    t.equal(server.asked.length, asked, 'no pull asks the repository');
  },
);
