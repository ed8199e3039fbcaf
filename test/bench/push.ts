import { type Artifact, closureOf } from '../support/build-image.ts';

/** Pushes an artifact with all that it lists (distribution-spec, Push), the tag last. */
export async function push(
  registryUrl: string,
  repository: string,
  artifact: Artifact,
  tag?: string,
): Promise<void> {
  const base = `${registryUrl}/v2/${repository}`;
  const { manifests, blobs } = closureOf(artifact);
  for (const { descriptor, bytes } of blobs) {
    const started = await expectStatus(
      await fetch(`${base}/blobs/uploads/`, { method: 'POST' }),
      202,
    );
    const location = new URL(started.headers.get('location') ?? '', `${registryUrl}/`);
    location.searchParams.set('digest', descriptor.digest);
    const headers = { 'Content-Type': 'application/octet-stream' };
    await expectStatus(
      await fetch(location, { method: 'PUT', headers, body: Buffer.from(bytes) }),
      201,
    );
  }
  for (const { descriptor, bytes } of manifests) {
    const isRoot = descriptor.digest === artifact.descriptor.digest;
    const reference = isRoot && tag !== undefined ? tag : descriptor.digest;
    const headers = { 'Content-Type': descriptor.mediaType };
    const url = `${base}/manifests/${reference}`;
    await expectStatus(await fetch(url, { method: 'PUT', headers, body: Buffer.from(bytes) }), 201);
  }
}

async function expectStatus(response: Response, status: number): Promise<Response> {
  if (response.status === status) return response;
  throw new Error(`${response.url} answered ${response.status}: ${await response.text()}`);
}
