import { digestOf, referrersTag } from '../../../src/oci/digest.ts';
import { mediaTypes } from '../../../src/oci/media-types.ts';
import type { CosignScheme } from './cosign-home.ts';
import type { Pushed } from './cosign-kit.ts';
import { readBlob, readManifestBytes } from './registry-reader.ts';
import { putBlob, putManifest } from './registry-writer.ts';

type Json = Record<string, unknown>;

interface LayerJson {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** What cosign left beside an image: one manifest with one layer, and that layer. */
export interface Evidence {
  readonly scheme: CosignScheme;
  readonly manifest: Json & { readonly layers: readonly LayerJson[] };
  readonly config: Buffer;
  readonly layer: Buffer;
}

/** Another layer, or other annotations of it. */
export interface EvidenceChanges {
  readonly layer?: (layer: Buffer) => Buffer | string;
  readonly annotations?: (annotations: Readonly<Record<string, string>>) => Record<string, string>;
}

const signatureTag = ({ artifact }: Pushed): string =>
  `${referrersTag(artifact.descriptor.digest)}.sig`;

/** Reads the one signature that an image has. */
export async function readEvidence(pushed: Pushed, scheme: CosignScheme): Promise<Evidence> {
  const { registry, repository } = pushed;
  const reference = scheme === 'tags' ? signatureTag(pushed) : await bundleOf(pushed);
  const manifest = await mustRead(registry.origin, repository, reference);
  const { config, layers } = manifest as unknown as { config: LayerJson; layers: LayerJson[] };
  const blob = async ({ digest }: LayerJson): Promise<Buffer> =>
    (await readBlob(registry.origin, repository, digest)) ?? Buffer.alloc(0);
  const [layer] = layers;
  if (layer === undefined) throw new Error(`${reference} has no layer`);
  return {
    scheme,
    manifest: { ...manifest, layers },
    config: await blob(config),
    layer: await blob(layer),
  };
}

/** Puts it beside an image as if cosign had done so, with changes. */
export async function putEvidence(
  pushed: Pushed,
  { scheme, manifest, config, layer }: Evidence,
  changes: EvidenceChanges = {},
): Promise<void> {
  const { registry, repository, artifact } = pushed;
  const target = { origin: registry.origin, repository };
  const [described] = manifest.layers;
  const bytes = Buffer.from(changes.layer?.(layer) ?? layer);
  const annotations = changes.annotations?.(described?.annotations ?? {});
  const written = {
    ...described,
    digest: digestOf(bytes),
    size: bytes.length,
    ...(annotations !== undefined && { annotations }),
  };
  const { mediaType, digest, size } = artifact.descriptor;
  const document = {
    ...manifest,
    layers: [written],
    ...(scheme === 'bundles' && { subject: { mediaType, digest, size } }),
  };
  await putBlob(target, config);
  await putBlob(target, bytes);
  const text = Buffer.from(JSON.stringify(document));
  if (scheme === 'tags') {
    await putManifest(target, signatureTag(pushed), mediaTypes.ociManifest, text);
    return;
  }
  await putManifest(target, digestOf(text), mediaTypes.ociManifest, text);
  // A registry with the referrers API has no need of it.
  const listed = {
    mediaType: mediaTypes.ociManifest,
    digest: digestOf(text),
    size: text.length,
    artifactType: String(manifest['artifactType']),
  };
  const index = { schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests: [listed] };
  const indexBytes = Buffer.from(JSON.stringify(index));
  await putManifest(target, referrersTag(digest), mediaTypes.ociIndex, indexBytes);
}

/** The digest of the one bundle: by the API, or else by the index under the subject's tag. */
async function bundleOf({ registry, repository, artifact }: Pushed): Promise<string> {
  const { digest } = artifact.descriptor;
  const answer = await fetch(`${registry.origin}/v2/${repository}/referrers/${digest}`);
  const text = await answer.text();
  const index = answer.ok
    ? (JSON.parse(text) as Json)
    : await mustRead(registry.origin, repository, referrersTag(digest));
  const [first] = (index['manifests'] ?? []) as readonly LayerJson[];
  if (first === undefined) throw new Error(`${repository} has no bundle`);
  return first.digest;
}

async function mustRead(origin: string, repository: string, reference: string): Promise<Json> {
  const bytes = await readManifestBytes(origin, repository, reference);
  if (bytes === undefined) throw new Error(`${repository} has no ${reference}`);
  return JSON.parse(bytes.toString()) as Json;
}
