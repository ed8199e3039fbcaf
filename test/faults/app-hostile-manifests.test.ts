import t from 'tap';
import { digestOf, referrersTag } from '../../src/oci/digest.ts';
import { type AppKit, type Reply, reasonOf, signatureOf, startAppKit } from '../support/app-kit.ts';
import {
  type Artifact,
  buildImage,
  buildIndex,
  buildManifest,
  notationSignatureType,
} from '../support/build-image.ts';
import {
  carrier,
  type HostileManifest,
  hostileManifests,
  listedBlobs,
  payload,
} from '../support/hostile-manifests.ts';
import { openScriptedRegistry } from '../support/scripted-registry.ts';

/**
 * Documents that two clients could read differently, or that want something of the one who reads
 * them. Each is signed by somebody trusted: a signature is no reason to serve what is not clear.
 */

function toArtifact({ bytes, contentType }: HostileManifest): Artifact {
  const descriptor = { mediaType: contentType, digest: digestOf(bytes), size: bytes.length };
  return { descriptor, bytes, blobs: [], children: [] };
}

async function open(t: Parameters<typeof startAppKit>[0]): Promise<AppKit> {
  const registry = await openScriptedRegistry(t);
  const kit = await startAppKit(t, {
    upstreams: { reg: registry.origin },
    // All of them from one client, nearly all of which are denied.
    config: { limits: { client: { misses: { burst: 10_000 } } } },
  });
  const listed = { ...carrier, blobs: [...carrier.blobs, payload, ...listedBlobs] };
  registry.put('app', listed);
  hostileManifests.forEach((hostile, at) => {
    const artifact = toArtifact(hostile);
    registry.put('app', artifact, `v${at}`);
    registry.put('app', signatureOf(artifact.descriptor));
  });
  return kit;
}

function endOf(reply: Reply): string {
  if (reply.status === 200) return 'served';
  if (reply.status === 502) return 'bad upstream';
  return reply.status === 403 ? (reasonOf(reply) ?? 'denied') : String(reply.status);
}

t.test('every way to ask for a hostile manifest ends as the table says', async (t) => {
  const kit = await open(t);
  t.ok(hostileManifests.length > 40);
  for (const [at, hostile] of hostileManifests.entries()) {
    const { what, bytes, ends } = hostile;
    const digest = digestOf(bytes);
    const blobBefore = await kit.ask(`reg/app/blobs/${digest}`);
    t.equal(endOf(blobBefore), ends, `${what}: as a blob, first`);
    for (const path of [`manifests/v${at}`, `manifests/${digest}`, `blobs/${digest}`]) {
      for (const method of ['HEAD', 'GET']) {
        const reply = await kit.ask(`reg/app/${path}`, { method });
        t.equal(endOf(reply), ends, `${what}: ${method} ${path}`);
        if (ends === 'served' && method === 'GET') t.ok(reply.body.equals(bytes), what);
      }
    }
  }
  t.equal(({} as { polluted?: unknown }).polluted, undefined);
});

t.test('what only a denied manifest lists stays denied', async (t) => {
  const kit = await open(t);
  for (const [at, { ends }] of hostileManifests.entries()) {
    if (ends !== 'served') await kit.ask(`reg/app/manifests/v${at}`);
  }
  for (const path of [
    `blobs/${payload.descriptor.digest}`,
    `manifests/${carrier.descriptor.digest}`,
  ]) {
    const reply = await kit.ask(`reg/app/${path}`);
    t.equal(reply.status, 403, path);
    t.equal(reasonOf(reply), 'not-reachable', path);
  }
});

t.test('a signature under one algorithm is none under another', async (t) => {
  const registry = await openScriptedRegistry(t);
  const kit = await startAppKit(t, { upstreams: { reg: registry.origin } });
  const strong = buildImage({ name: 'strong', algorithm: 'sha512' });
  const common = buildImage({ name: 'strong' });
  const { digest } = strong.descriptor;
  t.same(strong.bytes, common.bytes);
  registry.put('app', strong);
  registry.put('app', common);
  registry.put('app', signatureOf(strong.descriptor));
  const served = await kit.ask(`reg/app/manifests/${digest}`);
  t.equal(served.status, 200);
  t.equal(served.headers.get('docker-content-digest'), digest);
  t.equal((await kit.ask(`reg/app/manifests/${common.descriptor.digest}`)).status, 403);
  const cut = `sha256:${digest.slice('sha512:'.length, 'sha512:'.length + 64)}`;
  t.equal((await kit.ask(`reg/app/manifests/${cut}`)).status, 404);
});

const trusted = buildImage({ name: 'trusted' });
const subject = trusted.descriptor;
const posing: Readonly<Record<string, Artifact>> = {
  'a subject': buildImage({ name: 'a', subject }),
  "a subject and a signature's type": buildManifest({
    artifactType: notationSignatureType,
    config: carrier.blobs[0]!,
    layers: [payload],
    subject,
  }),
  "a signature's type and a root file system": buildManifest({
    artifactType: notationSignatureType,
    layers: [payload],
    subject,
  }),
  "Docker's types": buildImage({ name: 'b', flavour: 'docker', subject }),
  'an index of it': buildIndex({ children: [carrier], subject }),
};

t.test('an unsigned image is served under no pretext', async (t) => {
  const registry = await openScriptedRegistry(t);
  const kit = await startAppKit(t, { upstreams: { reg: registry.origin } });
  const signature = signatureOf(subject);
  registry.put('app', trusted, 'trusted');
  registry.put('app', signature);
  registry.put('app', { ...carrier, blobs: [...carrier.blobs, payload] });
  const tag = referrersTag(subject.digest);
  for (const [what, artifact] of Object.entries(posing)) {
    for (const name of ['posing', `${tag}.sig`, tag]) {
      registry.put('app', artifact, name);
      t.equal((await kit.ask(`reg/app/manifests/${name}`)).status, 403, `${what}, as ${name}`);
    }
    t.equal((await kit.ask(`reg/app/manifests/${artifact.descriptor.digest}`)).status, 403, what);
    const last = artifact.blobs.at(-1)?.descriptor.digest ?? payload.descriptor.digest;
    t.equal((await kit.ask(`reg/app/blobs/${last}`)).status, 403, `${what}: its layer`);
  }
  const listed = await kit.ask(`reg/app/referrers/${subject.digest}`);
  const { manifests } = JSON.parse(String(listed.body)) as { manifests: { digest: string }[] };
  t.same(
    manifests.map(({ digest }) => digest),
    [signature.descriptor.digest],
  );
  t.equal((await kit.ask(`reg/app/manifests/${signature.descriptor.digest}`)).status, 200);
});
