import t, { type Test } from 'tap';
import { mediaTypes } from '../../src/oci/media-types.ts';
import { type AppKit, signatureOf, startAppKit } from '../support/app-kit.ts';
import { type Artifact, buildImage, buildManifest } from '../support/build-image.ts';
import { exchangeRaw } from '../support/route-server.ts';
import { jsonAnswer } from '../support/scripted-answers.ts';
import { openScriptedRegistry, type ScriptedRegistry } from '../support/scripted-registry.ts';
import type { Script, SeenRequest } from '../support/scripted-upstream.ts';
import { makeChain } from '../support/test-ca.ts';

/**
 * Text of an upstream or a publisher in what we answer: it is in no header but as we write it
 * ourselves, and it splits nothing.
 */

const image = buildImage({ name: 'headers' });
const layer = image.blobs[1]!;

/** All that we ever answer with. */
const ours = new Set([
  'accept-ranges',
  'cache-control',
  'connection',
  'content-length',
  'content-type',
  'date',
  'docker-content-digest',
  'docker-distribution-api-version',
  'etag',
  'oci-filters-applied',
  'oci-namespace',
  'retry-after',
  'warning',
  'x-assay-reason',
  'x-content-type-options',
  'x-request-id',
]);

interface Kit extends AppKit {
  readonly registry: ScriptedRegistry;
}

async function open(t: Test): Promise<Kit> {
  const registry = await openScriptedRegistry(t);
  registry.put('app', image, 'v1');
  registry.put('app', signatureOf(image.descriptor));
  return { ...(await startAppKit(t, { upstreams: { reg: registry.origin } })), registry };
}

interface Checked {
  readonly status: number;
  readonly body: string;
}

/** Asks on a connection of its own, and checks that what comes is one answer, all of it ours. */
async function check(t: Test, { port }: AppKit, path: string, method = 'GET'): Promise<Checked> {
  const request = `${method} /v2/reg/${path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`;
  const text = await exchangeRaw(t, port, request);
  const end = text.indexOf('\r\n\r\n');
  const [line = '', ...lines] = text.slice(0, end).split('\r\n');
  const body = text.slice(end + 4);
  const what = `${method} ${path}`;
  t.match(line, /^HTTP\/1\.1 \d{3} [\x20-\x7e]+$/, what);
  t.match(lines.join('\n'), /^[\x20-\x7e\n]*$/, `${what}: printable`);
  const names = lines.map((each) => each.slice(0, each.indexOf(':')).toLowerCase());
  t.same(
    names.filter((name) => !ours.has(name)),
    [],
    `${what}: headers`,
  );
  t.same(names.length, new Set(names).size, `${what}: each once`);
  t.notMatch(lines.join('\n'), /injected/i, what);
  const status = Number(line.split(' ')[1]);
  const length = /^content-length: (\d+)$/im.exec(lines.join('\n'))?.[1];
  if (method === 'GET' && status !== 304) t.equal(length, String(body.length), `${what}: length`);
  return { status, body };
}

const long = 'x'.repeat(1024 * 1024);
const { digest } = image.descriptor;

/** Header lines of an upstream, and whether its answer is of use with them. */
const lines: Readonly<Record<string, { text: string; isOfUse: boolean }>> = {
  'headers for a browser': {
    text: 'Set-Cookie: injected=1\r\nLocation: /injected\r\nX-Injected: y\r\nLink: </injected>',
    isOfUse: true,
  },
  'headers of registries': {
    text: 'X-Registry-Supports-Signatures: 1\r\nOCI-Subject: injected\r\nWarning: 299 - "injected"',
    isOfUse: true,
  },
  'headers of caches': {
    text: 'ETag: "injected"\r\nCache-Control: public, injected\r\nVary: injected\r\nAge: 9',
    isOfUse: true,
  },
  'text past ASCII': { text: 'X-Injected: 💥é\u0080', isOfUse: true },
  'a digest with more after it': {
    text: `Docker-Content-Digest: ${digest}; injected`,
    isOfUse: true,
  },
  'a digest of another name': { text: 'Docker-Content-Digest: injected', isOfUse: true },
  'two digests': {
    text: `Docker-Content-Digest: ${digest}\r\nDocker-Content-Digest: injected`,
    isOfUse: false,
  },
  'a folded line': { text: `Docker-Content-Digest: ${digest}\r\n X-Injected: y`, isOfUse: false },
  'a bare line feed': { text: `X: y\nX-Injected: y`, isOfUse: false },
  'a bare carriage return': { text: `X: y\rX-Injected: y`, isOfUse: false },
  'a NUL': { text: `X-Injected: y\0`, isOfUse: false },
  'a name with a space': { text: 'X Injected: y', isOfUse: false },
  'a line of 1 MiB': { text: `X-Injected: ${long}`, isOfUse: false },
};

function rawAnswer(registry: ScriptedRegistry, text: string): Script {
  return (request: SeenRequest) => {
    const { status, body = '', headers = {} } = registry.answer(request);
    if (status !== 200) return { status: 404 };
    const bytes = Buffer.from(body);
    const type = String(headers['content-type']);
    const head = `HTTP/1.1 200 OK\r\nContent-Length: ${bytes.length}\r\nContent-Type: ${type}\r\n${text}\r\n\r\n`;
    const content = request.method === 'HEAD' ? Buffer.alloc(0) : bytes;
    return { raw: Buffer.concat([Buffer.from(head), content]) };
  };
}

for (const [what, { text, isOfUse }] of Object.entries(lines)) {
  t.test(`${what} of an upstream go no further`, async (t) => {
    const kit = await open(t);
    kit.registry.otherwise(rawAnswer(kit.registry, text));
    for (const path of [
      'app/manifests/v1',
      `app/manifests/${digest}`,
      `app/blobs/${layer.descriptor.digest}`,
      `app/referrers/${digest}`,
      'app/tags/list',
    ]) {
      for (const method of ['HEAD', 'GET']) {
        const { status } = await check(t, kit, path, method);
        // What upstream says of HEAD alone is no matter for the layer, whose size is known.
        if (isOfUse) t.equal(status, 200, `${method} ${path}`);
      }
    }
    const first = await check(t, kit, 'app/manifests/v1');
    if (!isOfUse) t.match(String(first.status), /^50[23]$/);
  });
}

const splitter = 'x\r\nX-Injected: y\r\n\r\nHTTP/1.1 200 OK\r\n\u0000\u001b[2J\u202e💥';

/** Manifests whose denial says something of them. */
const told: Readonly<Record<string, Artifact>> = {
  'an annotation that is no text': buildImage({
    name: 'a',
    members: { annotations: { [splitter]: 1 } },
  }),
  'a media type': buildImage({ name: 'b', members: { mediaType: splitter } }),
  'a digest': buildImage({
    name: 'c',
    members: { layers: [{ ...layer.descriptor, digest: splitter }] },
  }),
  'a name in capitals': buildImage({ name: 'd', members: { ['Layers']: splitter } }),
};

for (const [what, artifact] of Object.entries(told)) {
  t.test(`${what} that a denial speaks of splits nothing`, async (t) => {
    const kit = await open(t);
    kit.registry.put('app', artifact, 'told');
    for (const method of ['HEAD', 'GET']) {
      const { status, body } = await check(t, kit, 'app/manifests/told', method);
      t.equal(status, 403);
      t.match(body, /^[\x20-\x7e]*$/);
    }
  });
}

t.test('nor does the name of a signer, in a denial, in the log or in the verdict', async (t) => {
  const kit = await open(t);
  const chain = makeChain({
    authority: 'stranger',
    leaf: { subject: `C=US, ST=WA, O=${splitter}, CN=a` },
  });
  const other = buildImage({ name: 'of a stranger' });
  kit.registry.put('app', other, 'other');
  kit.registry.put('app', signatureOf(other.descriptor, { chain }));
  const { status, body } = await check(t, kit, 'app/manifests/other');
  t.equal(status, 403);
  t.match(body, /^[\x20-\x7e]*$/);
  const denied = kit.lines.find(({ message }) => message === 'denied');
  t.match(denied, { reason: 'no-trusted-signer' });
  const verdict = await (await fetch(`${kit.admin}/v1/verdicts/${denied?.['verdict']}`)).text();
  t.match(verdict, /no-trusted-signer/);
  t.notMatch(verdict, '\r');
});

t.test('annotations of evidence come as JSON, and as nothing else', async (t) => {
  const kit = await open(t);
  const sbom = buildManifest({
    artifactType: 'application/spdx+json',
    annotations: { [splitter]: splitter },
    subject: image.descriptor,
  });
  kit.registry.put('app', sbom);
  const { status, body } = await check(t, kit, `app/referrers/${digest}`);
  t.equal(status, 200);
  const { manifests } = JSON.parse(Buffer.from(body, 'latin1').toString()) as {
    manifests: { digest: string; annotations: object }[];
  };
  const listed = manifests.find((each) => each.digest === sbom.descriptor.digest);
  t.same(listed?.annotations, { [splitter]: splitter });
});

t.test('names of tags that are no tags are not passed on', async (t) => {
  const kit = await open(t);
  const tags = ['v1', splitter, '../etc', 'a'.repeat(200), 'v2'];
  kit.registry.on('GET /v2/app/tags/list', jsonAnswer({ name: splitter, tags }));
  const { status, body } = await check(t, kit, 'app/tags/list');
  if (status === 200) t.same(JSON.parse(body), { name: 'reg/app', tags: ['v1', 'v2'] });
  else t.match(String(status), /^50[23]$/);
});

t.test('the type of a layer is not passed on', async (t) => {
  const html = buildImage({
    name: 'html',
    members: { layers: [{ ...layer.descriptor, mediaType: 'text/html' }] },
  });
  const kit = await open(t);
  kit.registry.put('app', { ...html, blobs: [...html.blobs, layer] }, 'html');
  kit.registry.put('app', signatureOf(html.descriptor));
  t.equal((await check(t, kit, 'app/manifests/html')).status, 200);
  const reply = await kit.ask(`reg/app/blobs/${layer.descriptor.digest}`);
  t.equal(reply.headers.get('content-type'), mediaTypes.octets);
  t.equal(reply.headers.get('x-content-type-options'), 'nosniff');
});
