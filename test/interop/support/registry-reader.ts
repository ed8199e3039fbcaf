import type { Descriptor } from '../../../src/oci/descriptor.ts';
import type { Digest } from '../../../src/oci/digest.ts';
import { digestOf, referrersTag } from '../../../src/oci/digest.ts';
import { manifestMediaTypes } from '../../../src/oci/media-types.ts';
import { notationSignatureType } from '../../support/build-image.ts';

export interface FoundSignature {
  readonly manifest: Digest;
  /** Config and envelope. */
  readonly blobs: readonly Digest[];
  readonly annotations: Readonly<Record<string, string>>;
  readonly envelope: Buffer;
}

interface ManifestDocument {
  readonly artifactType?: string;
  readonly config: Descriptor;
  readonly layers: readonly Descriptor[];
  readonly manifests?: readonly Descriptor[];
  readonly annotations?: Readonly<Record<string, string>>;
}

/** A manifest as the registry gives it; undefined on 404. */
export async function readManifestBytes(
  origin: string,
  repository: string,
  reference: string,
): Promise<Buffer | undefined> {
  const headers = { accept: manifestMediaTypes.join(', ') };
  const answer = await fetch(`${origin}/v2/${repository}/manifests/${reference}`, { headers });
  return bodyOf(answer);
}

export async function readBlob(
  origin: string,
  repository: string,
  digest: string,
): Promise<Buffer | undefined> {
  return bodyOf(await fetch(`${origin}/v2/${repository}/blobs/${digest}`));
}

/** The Notation signatures of a subject, by the referrers API or by the fallback tag. */
export async function readSignatures(
  origin: string,
  repository: string,
  subject: Digest,
): Promise<readonly FoundSignature[]> {
  const listed = [
    await bodyOf(await fetch(`${origin}/v2/${repository}/referrers/${subject}`)),
    await readManifestBytes(origin, repository, referrersTag(subject)),
  ].flatMap((bytes) => (bytes === undefined ? [] : (parse(bytes).manifests ?? [])));
  const digests = new Set(listed.map(({ digest }) => digest));
  const found: FoundSignature[] = [];
  for (const manifest of digests) {
    const bytes = await readManifestBytes(origin, repository, manifest);
    if (bytes === undefined || digestOf(bytes) !== manifest) continue;
    const { artifactType, config, layers, annotations = {} } = parse(bytes);
    const [layer] = layers;
    const isSignature = [artifactType, config.mediaType].includes(notationSignatureType);
    if (!isSignature || layer === undefined) continue;
    const envelope = await readBlob(origin, repository, layer.digest);
    if (envelope === undefined) continue;
    found.push({ manifest, blobs: [config.digest, layer.digest], annotations, envelope });
  }
  return found;
}

function parse(bytes: Buffer): ManifestDocument {
  return JSON.parse(bytes.toString()) as ManifestDocument;
}

async function bodyOf(answer: Response): Promise<Buffer | undefined> {
  const bytes = Buffer.from(await answer.arrayBuffer());
  if (answer.ok) return bytes;
  if (answer.status === 404) return undefined;
  throw new Error(`${answer.url} answered ${answer.status}: ${bytes.toString().slice(0, 300)}`);
}
