import { createHash } from 'node:crypto';
import type { Test } from 'tap';
import { type AppKit, signatureOf } from './app-kit.ts';
import { type Artifact, buildImage, buildIndex } from './build-image.ts';
import { type FakeRegistry, type LoggedRequest, startFakeRegistry } from './fake-registry.ts';
import { hasRedis, startRedis } from './redis-server.ts';
import { redisAt, startReplicas } from './replicas-kit.ts';
import { type S3Server, startS3 } from './s3-server.ts';

/** At `app:1.0`, with platforms. */
export const sharedIndex = buildIndex({ name: 'shared', attestation: 'without' });
/** At `app:2.0`; its first layer goes to S3 in parts. */
export const largeImage = buildImage({
  name: 'large',
  layerSizes: [9 * 1024 * 1024 + 5, 300_000],
});

/** Replicas with storage of their own before one registry, with a bucket and Redis in common. */
export interface SharingFleet {
  readonly s3: S3Server;
  readonly registry: FakeRegistry;
  readonly all: readonly AppKit[];
  add(): Promise<AppKit>;
}

/** Undefined where a tool is missing; `s3` goes before what the server's configuration has. */
export async function openSharingFleet(
  t: Test,
  count: number,
  more: { readonly s3?: object; readonly storage?: object } = {},
): Promise<SharingFleet | undefined> {
  const s3 = await startS3(t);
  if (s3 === undefined || !hasRedis(t)) return undefined;
  const registry = await startFakeRegistry();
  t.teardown(() => registry.close());
  registry.put('app', sharedIndex, '1.0');
  registry.put('app', signatureOf(sharedIndex.descriptor));
  registry.put('app', largeImage, '2.0');
  registry.put('app', signatureOf(largeImage.descriptor));
  const replicas = await startReplicas(t, count, {
    upstreams: { reg: registry.url },
    redis: redisAt(await startRedis(t)),
    config: { storage: { ...more.storage, s3: { ...s3.configuration, ...more.s3 } } },
  });
  return { s3, registry, ...replicas };
}

/** In a path that ends with a digest. */
export const digestIn = (path: string): string => path.slice(path.lastIndexOf('/') + 1);

export const hashOf = (bytes: Buffer): string =>
  `sha256:${createHash('sha256').update(bytes).digest('hex')}`;

/** What a client asks for of an image after its manifest. */
export function blobPathsOf(image: Artifact): readonly string[] {
  return image.blobs.map(({ descriptor }) => `reg/app/blobs/${descriptor.digest}`);
}

/** How often the registry was asked for the content of each digest. */
export function fetchesOf({
  requests,
}: {
  readonly requests: readonly Pick<LoggedRequest, 'method' | 'path'>[];
}): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const { method, path } of requests) {
    const [digest] = /sha256:[0-9a-f]{64}$/.exec(path) ?? [];
    if (method !== 'GET' || digest === undefined || path.includes('/referrers/')) continue;
    counts.set(digest, (counts.get(digest) ?? 0) + 1);
  }
  return counts;
}

/** What a replica brought to S3. */
export const uploadedPattern = /^assay_s3_uploads_total\{outcome="stored"\}/;
