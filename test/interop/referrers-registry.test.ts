import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import t, { type Test } from 'tap';
import { requireTool } from '../support/require-tool.ts';

t.test('the registry with the referrers API lists what names a subject', async (t) => {
  const program = requireTool(t, 'referrers-registry');
  if (program === undefined) return;
  const origin = await start(t, program);
  const image = await push(origin, { config: await pushBlob(origin) });
  const signature = await push(origin, { config: await pushBlob(origin), subject: image });

  const response = await fetch(`${origin}/v2/library/app/referrers/${image.digest}`);
  t.equal(response.status, 200);
  t.equal(response.headers.get('content-type'), 'application/vnd.oci.image.index.v1+json');
  const { manifests } = (await response.json()) as { manifests: readonly Descriptor[] };
  t.strictSame(
    manifests.map(({ digest }) => digest),
    [signature.digest],
  );
});

interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
}

async function start(t: Test, program: string): Promise<string> {
  const registry = spawn(program, { stdio: ['ignore', 'pipe', 'inherit'] });
  t.teardown(() => registry.kill());
  const lines = createInterface({ input: registry.stdout });
  const [line] = (await once(lines, 'line', { signal: AbortSignal.timeout(10_000) })) as [string];
  return line.replace('listening on ', 'http://');
}

async function pushBlob(origin: string): Promise<Descriptor> {
  const blob = describe('application/vnd.oci.empty.v1+json', '{}');
  const started = await fetch(`${origin}/v2/library/app/blobs/uploads/`, { method: 'POST' });
  const location = new URL(started.headers.get('location') ?? '', origin);
  location.searchParams.set('digest', blob.digest);
  await accepted(fetch(location, { method: 'PUT', body: '{}' }));
  return blob;
}

async function push(
  origin: string,
  parts: Readonly<Record<'config', Descriptor>> & { readonly subject?: Descriptor },
): Promise<Descriptor> {
  const mediaType = 'application/vnd.oci.image.manifest.v1+json';
  const body = JSON.stringify({ schemaVersion: 2, mediaType, layers: [], ...parts });
  const manifest = describe(mediaType, body);
  const url = `${origin}/v2/library/app/manifests/${manifest.digest}`;
  await accepted(fetch(url, { method: 'PUT', body, headers: { 'content-type': mediaType } }));
  return manifest;
}

async function accepted(answer: Promise<Response>): Promise<void> {
  const { status, url } = await answer;
  if (status !== 201) throw new Error(`${url} answered ${status}`);
}

function describe(mediaType: string, text: string): Descriptor {
  const digest = `sha256:${createHash('sha256').update(text).digest('hex')}`;
  return { mediaType, digest, size: Buffer.byteLength(text) };
}
