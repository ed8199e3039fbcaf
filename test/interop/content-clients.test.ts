import { mkdirSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { digestOf } from '../../src/oci/digest.ts';
import { type AppKit, signatureOf, startAppKit } from '../support/app-kit.ts';
import { type Barrier, makeBarrier } from '../support/barrier.ts';
import { type Artifact, buildImage, type BuiltBlob } from '../support/build-image.ts';
import { nginxFilesConfiguration } from '../support/nginx-files.ts';
import { severalRanges, unsatisfiableRanges, validRanges } from '../support/range-forms.ts';
import { requireTool } from '../support/require-tool.ts';
import { openScriptedRegistry, type ScriptedRegistry } from '../support/scripted-registry.ts';
import type { Client } from './support/client.ts';
import { hostsToml, requireContainerd, startContainerd } from './support/containerd-client.ts';
import { type CuttingRelay, openCuttingRelay, rangeOf } from './support/cutting-relay.ts';
import { makeLayoutClient } from './support/layout-clients.ts';
import { makePodmanClient } from './support/podman-client.ts';
import { freePort, listening, mustRun, startProcess } from './support/process.ts';
import { makePullableImage } from './support/pullable-image.ts';
import { makeSkopeoClient } from './support/skopeo-client.ts';
import { makeTemporaryFolder } from './support/temporary-folder.ts';

// Real clients over connections that break in the middle of a layer, and curl beside nginx.
t.setTimeout(200_000);

const mebibyte = 1024 * 1024;
const repository = 'acme/app';
const key = 'reg.test';

type Name = 'containerd' | 'podman' | 'skopeo' | 'regctl' | 'crane' | 'oras';
const all: readonly Name[] = ['containerd', 'podman', 'skopeo', 'regctl', 'crane', 'oras'];

interface Kit {
  readonly app: AppKit;
  readonly registry: ScriptedRegistry;
  readonly image: Artifact;
  /** The large one. */
  readonly layer: BuiltBlob;
}

/** An image of its own for each test, so that nothing is there already. */
async function openKit(t: Test): Promise<Kit> {
  const registry = await openScriptedRegistry(t);
  const image = makePullableImage(t.fullname, { fillerSize: 12 * mebibyte });
  registry.put(repository, image, 'v1');
  registry.put(repository, signatureOf(image.descriptor));
  const app = await startAppKit(t, { upstreams: { [key]: registry.origin } });
  return { app, registry, image, layer: image.blobs.at(-1)! };
}

/** Undefined where its program is missing, which has been reported then. */
async function openClient(t: Test, name: Name, proxyOrigin: string): Promise<Client | undefined> {
  const folder = await makeTemporaryFolder(t);
  const proxy = new URL(proxyOrigin).host;
  if (name === 'containerd') {
    const programs = requireContainerd(t);
    const hosts = { [key]: hostsToml(proxyOrigin) };
    return programs && startContainerd(t, { ...programs, folder, hosts });
  }
  const program = requireTool(t, name);
  if (program === undefined) return undefined;
  const options = { program, proxy, folder };
  if (name === 'podman') return makePodmanClient(options);
  if (name === 'skopeo') return makeSkopeoClient(options);
  return makeLayoutClient(name, options);
}

async function expectPulled(t: Test, client: Client, { image }: Kit): Promise<void> {
  const { code, output, read } = await client.pull(key, repository, 'v1');
  t.equal(code, 0, code === 0 ? 'it pulls' : output);
  for (const { descriptor, bytes } of image.blobs) {
    const kept = await read(descriptor.digest);
    t.ok(kept?.equals(bytes), `and has ${descriptor.size} bytes as they are`);
  }
}

function fetchesOf({ registry, layer }: Kit) {
  const path = `/v2/${repository}/blobs/${layer.descriptor.digest}`;
  return registry.seen(path).filter(({ method }) => method === 'GET');
}

for (const name of all) {
  t.test(`${name} notices nothing when upstream breaks off in the middle of a layer`, async (t) => {
    const kit = await openKit(t);
    const client = await openClient(t, name, kit.app.oci);
    if (client === undefined) return;
    kit.registry.setFault(({ method, path }, answer) =>
      method === 'GET' && path.endsWith(kit.layer.descriptor.digest) && fetchesOf(kit).length === 1
        ? { ...answer, cutAt: 7 * mebibyte }
        : undefined,
    );
    await expectPulled(t, client, kit);
    const ranges = fetchesOf(kit).map(({ headers }) => headers.range);
    t.equal(ranges.length, 2, 'two fetches');
    t.match(ranges[1], /^bytes=[1-9]\d+-$/, 'the second one of the rest');
  });
}

/** Upstream has sent a part of the layer and waits. */
function pauseUpstream({ registry, layer }: Kit): Barrier {
  const until = makeBarrier();
  const pauseAt = { bytes: 9 * mebibyte, until };
  registry.setFault(({ method, path }, answer) =>
    method === 'GET' && path.endsWith(layer.descriptor.digest) ? { ...answer, pauseAt } : undefined,
  );
  return until;
}

function expectResumed(t: Test, relay: CuttingRelay): void {
  const resumed = relay.exchanges.filter(({ request }) => rangeOf(request) !== undefined);
  t.ok(resumed.length > 0, 'it asks for the rest');
  for (const { request, answer } of resumed) {
    const start = /^bytes=(\d+)-/.exec(rangeOf(request) ?? '')?.[1] ?? 'nowhere';
    t.ok(Number(start) > mebibyte, `from ${start}`);
    t.match(answer, /^HTTP\/1\.1 206 /, 'and gets it alone');
    t.match(answer, new RegExp(`^content-range: bytes ${start}-\\d+/\\d+\\r?$`, 'im'));
  }
}

for (const name of ['containerd', 'regctl'] as const) {
  for (const when of ['while it comes', 'when it is stored'] as const) {
    t.test(`${name} goes on with a layer by Range ${when}`, async (t) => {
      const kit = await openKit(t);
      const relay = await openCuttingRelay(t, {
        port: kit.app.port,
        path: new RegExp(`/blobs/${kit.layer.descriptor.digest}`),
        afterBytes: 5 * mebibyte,
      });
      const client = await openClient(t, name, relay.origin);
      if (client === undefined) return;
      const until = pauseUpstream(kit);
      if (when === 'while it comes') void relay.resumed.then(() => until.release());
      else until.release();
      await expectPulled(t, client, kit);
      t.equal(relay.exchanges.filter(({ isCut }) => isCut).length, 1, 'it was cut off once');
      expectResumed(t, relay);
      t.equal(fetchesOf(kit).length, 1, 'upstream was asked once');
    });
  }
}

interface CurlAnswer {
  readonly status: string;
  readonly length: string | undefined;
  readonly range: string | undefined;
  readonly digest: string;
}

t.test('curl -r gets from what is stored what it gets from nginx', async (t) => {
  const [curl, nginx] = [requireTool(t, 'curl'), requireTool(t, 'nginx')];
  if (curl === undefined || nginx === undefined) return;
  const folder = await makeTemporaryFolder(t);
  const image = buildImage({ name: t.fullname, layerSizes: [2 * mebibyte + 11] });
  const { bytes, descriptor } = image.blobs[1]!;
  const registry = await openScriptedRegistry(t);
  registry.put(repository, image, 'v1');
  registry.put(repository, signatureOf(image.descriptor));
  const app = await startAppKit(t, { upstreams: { [key]: registry.origin } });
  t.equal((await app.ask(`${key}/${repository}/manifests/v1`)).status, 200);
  const stored = await app.ask(`${key}/${repository}/blobs/${descriptor.digest}`);
  t.ok(stored.body.equals(bytes), 'it is stored');

  mkdirSync(join(folder, 'files'));
  writeFileSync(join(folder, 'files', 'layer'), bytes);
  const port = await freePort();
  const configuration = nginxFilesConfiguration({ folder, root: join(folder, 'files'), port });
  writeFileSync(join(folder, 'nginx.conf'), configuration);
  const running = startProcess(t, nginx, ['-c', join(folder, 'nginx.conf'), '-p', folder]);
  await listening(running, port);

  const ask = async (url: string, words: readonly string[]): Promise<CurlAnswer> => {
    const body = join(folder, new URL(url).port);
    const head = await mustRun(curl, ['-s', '-D', '-', '-o', body, ...words, url]);
    const header = (name: string) => new RegExp(`^${name}: (.*?)\\r?$`, 'im').exec(head)?.[1];
    const status = head.split(' ')[1] ?? '';
    const isError = status === '416';
    return {
      status,
      length: isError ? undefined : header('content-length'),
      range: header('content-range'),
      // What an error says is each server's own.
      digest: isError ? '' : digestOf(await readFile(body)),
    };
  };
  const urls = [
    `${app.oci}/v2/${key}/${repository}/blobs/${descriptor.digest}`,
    `http://127.0.0.1:${port}/layer`,
  ] as const;
  const compare = async (words: (url: string) => Promise<readonly string[]>, name: string) => {
    const [ours, theirs] = await Promise.all([
      ask(urls[0], await words(urls[0])),
      ask(urls[1], await words(urls[1])),
    ]);
    t.same(ours, theirs, `${name}: ${theirs.status}`);
  };
  const { size } = descriptor;
  const forms = [...validRanges(size), ...unsatisfiableRanges(size), ...severalRanges(size)];
  for (const form of forms) {
    const range = form.replace('bytes=', '');
    await compare(async () => ['-r', range], `-r ${range}`);
  }
  const etagOf = async (url: string): Promise<string> => {
    const head = await mustRun(curl, ['-s', '-I', url]);
    return /^etag: (.*?)\r?$/im.exec(head)?.[1] ?? '';
  };
  for (const range of ['0-99', '-100', `${mebibyte}-`]) {
    const same = async (url: string) => ['-r', range, '-H', `If-Range: ${await etagOf(url)}`];
    await compare(same, `-r ${range} if it is the same`);
    const other = async () => ['-r', range, '-H', 'If-Range: "other"'];
    await compare(other, `-r ${range} if it is another`);
  }
});
