import type { Test } from 'tap';
import type { Descriptor } from '../../../src/oci/descriptor.ts';
import { type Artifact, type BuiltBlob, closureOf } from '../../support/build-image.ts';
import type { Client, Pulled } from './client.ts';
import { architectures, ownArchitecture } from './pullable-image.ts';

/** The client is content, and keeps the very bytes that were pushed. */
export async function checkServed(
  t: Test,
  client: Client,
  { tag, artifact }: { readonly tag: string; readonly artifact: Artifact },
  { code, output, read }: Pulled,
): Promise<void> {
  t.equal(code, 0, `${tag} is pulled${code === 0 ? '' : `: ${output}`}`);
  for (const { descriptor, bytes } of keptBy(client, artifact)) {
    const kept = await read(descriptor.digest);
    t.ok(kept?.equals(bytes), `${tag}: ${describeContent(descriptor)}`);
  }
}

/** What of an artifact a client takes. */
function keptBy({ takes }: Client, artifact: Artifact): readonly BuiltBlob[] {
  const child = artifact.children[architectures.indexOf(ownArchitecture)];
  if (takes === 'all' || child === undefined) return everythingOf(artifact);
  const { descriptor, bytes } = artifact;
  const index = takes === 'platform' ? [] : [{ descriptor, bytes }];
  return [...index, ...everythingOf(child)];
}

export function everythingOf(artifact: Artifact): readonly BuiltBlob[] {
  const { manifests, blobs } = closureOf(artifact);
  return [...manifests, ...blobs];
}

export function describeContent({ digest, mediaType, size }: Descriptor): string {
  return `${digest.slice(0, 19)}, ${size} bytes of ${mediaType}`;
}
