import { gzipSync } from 'node:zlib';
import type { Digest } from '../../src/oci/digest.ts';
import { mediaTypes } from '../../src/oci/media-types.ts';
import {
  type Artifact,
  buildBlob,
  type BuiltBlob,
  buildImage,
  buildManifest,
  type ManifestOptions,
} from './build-image.ts';
import { type GateKit, makeGateKit } from './gate-kit.ts';
import { toySignature } from './toy-format.ts';

/** Signed by alice, in every repository that `signedKit` fills. */
export const signed = buildImage({ name: 'signed' });
export const imageConfig = buildBlob(mediaTypes.ociConfig, '{"rootfs":{"type":"layers"}}');
/** What a client would unpack and run. */
export const program = gzipSync('#!/bin/sh\n');
export const notation = 'application/vnd.cncf.notary.signature';

export async function signedKit(): Promise<GateKit> {
  const kit = await makeGateKit();
  kit.source.put(signed, 'v1');
  kit.source.put(toySignature(signed.descriptor, { by: 'alice' }));
  return kit;
}

/** What somebody who can push to the repository says is evidence about the signed image. */
export function posing(options: ManifestOptions): Artifact {
  return buildManifest({ subject: signed.descriptor, ...options });
}

export const statement = (bytes: Uint8Array | string): BuiltBlob =>
  buildBlob('application/vnd.in-toto+json', bytes);

export function digestAt({ blobs }: Artifact, index: number): Digest {
  const blob = blobs[index];
  if (blob === undefined) throw new TypeError(`no blob ${index}`);
  return blob.descriptor.digest;
}
