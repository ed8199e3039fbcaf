import { digestOf } from '../../../src/oci/digest.ts';
import { type Artifact, closureOf } from '../../support/build-image.ts';

/** Where something is put. */
export interface Target {
  readonly origin: string;
  readonly repository: string;
}

/** Puts a blob; the registry answers for its digest. */
export async function putBlob({ origin, repository }: Target, bytes: Uint8Array): Promise<void> {
  const begun = await fetch(`${origin}/v2/${repository}/blobs/uploads/`, { method: 'POST' });
  const place = new URL(await locationOf(begun), origin);
  place.searchParams.set('digest', digestOf(bytes));
  const headers = { 'content-type': 'application/octet-stream' };
  await expectDone(await fetch(place, { method: 'PUT', body: Buffer.from(bytes), headers }));
}

export async function putManifest(
  { origin, repository }: Target,
  reference: string,
  mediaType: string,
  bytes: Uint8Array,
): Promise<void> {
  const headers = { 'content-type': mediaType };
  const init = { method: 'PUT', body: Buffer.from(bytes), headers };
  await expectDone(await fetch(`${origin}/v2/${repository}/manifests/${reference}`, init));
}

/** Puts all that the artifact reaches, and the artifact itself by digest, or under the tag. */
export async function putArtifact(target: Target, artifact: Artifact, tag?: string): Promise<void> {
  const { manifests, blobs } = closureOf(artifact);
  for (const { bytes } of blobs) await putBlob(target, bytes);
  for (const { descriptor, bytes } of manifests) {
    const isIt = descriptor.digest === artifact.descriptor.digest;
    const reference = isIt ? (tag ?? descriptor.digest) : descriptor.digest;
    await putManifest(target, reference, descriptor.mediaType, bytes);
  }
}

async function locationOf(answer: Response): Promise<string> {
  await expectDone(answer);
  const location = answer.headers.get('location');
  if (location === null) throw new Error(`${answer.url} names no place to upload to`);
  return location;
}

async function expectDone(answer: Response): Promise<void> {
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${answer.url} answered ${answer.status}: ${text.slice(0, 300)}`);
}
