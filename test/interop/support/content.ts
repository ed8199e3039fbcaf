import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Reason } from '../../../src/verdict/reason.ts';
import { type Artifact, notationSignatureType } from '../../support/build-image.ts';
import { writeLayout } from '../../support/write-layout.ts';
import type { NotationHome, SignOptions, Signer } from './notation-home.ts';
import { mustRun } from './process.ts';
import { makePullableImage, makePullableIndex } from './pullable-image.ts';
import { readSignatures } from './registry-reader.ts';
import type { Registry } from './registries.ts';

/** What lies in a registry under a tag. */
export interface Content {
  readonly tag: string;
  readonly artifact: Artifact;
  /** Why it is refused; what has none is served. */
  readonly refused?: Reason;
}

interface Recipe {
  readonly make: (name: string) => Artifact;
  /** The program that pushes it. */
  readonly by: 'oras' | 'crane' | 'skopeo';
  readonly signed?: { readonly by: 'trusted' | 'stranger'; readonly envelope: 'jws' | 'cose' };
  readonly refused?: Reason;
}

const image = (name: string): Artifact => makePullableImage(name);
const dockerImage = (name: string): Artifact => makePullableImage(name, { flavour: 'docker' });

const recipes = {
  'signed-jws': { make: image, by: 'oras', signed: { by: 'trusted', envelope: 'jws' } },
  'signed-cose': { make: image, by: 'skopeo', signed: { by: 'trusted', envelope: 'cose' } },
  'multi-arch': {
    make: makePullableIndex,
    by: 'crane',
    signed: { by: 'trusted', envelope: 'jws' },
  },
  'docker-schema2': { make: dockerImage, by: 'oras', signed: { by: 'trusted', envelope: 'jws' } },
  unsigned: { make: image, by: 'crane', refused: 'unsigned' },
  'unsigned-index': { make: makePullableIndex, by: 'oras', refused: 'unsigned' },
  tampered: { make: image, by: 'skopeo', refused: 'signature-invalid' },
  'wrong-signer': {
    make: image,
    by: 'oras',
    signed: { by: 'stranger', envelope: 'jws' },
    refused: 'no-trusted-signer',
  },
} as const satisfies Record<string, Recipe>;

export type ContentTag = keyof typeof recipes;
export const contentTags = Object.keys(recipes) as readonly ContentTag[];

export interface PushTools {
  readonly oras: string;
  readonly crane: string;
  readonly skopeo: string;
}

export interface PushOptions {
  readonly registry: Registry;
  readonly repository: string;
  /** For layouts on their way. */
  readonly folder: string;
  readonly tools: PushTools;
  readonly notation: NotationHome;
  readonly signers: Readonly<Record<'trusted' | 'stranger', Signer>>;
  readonly referrers: SignOptions['referrers'];
}

/** Pushes one of each kind with real tools, and has the real notation sign what is to be signed. */
export async function pushContents(
  tags: readonly ContentTag[],
  options: PushOptions,
): Promise<readonly Content[]> {
  const contents: Content[] = [];
  for (const tag of tags) contents.push(await pushContent(tag, options));
  return contents;
}

async function pushContent(tag: ContentTag, options: PushOptions): Promise<Content> {
  const { registry, repository } = options;
  const recipe: Recipe = recipes[tag];
  const artifact = recipe.make(`${registry.key}/${repository}:${tag}`);
  const name = `${registry.address}/${repository}`;
  await pushArtifact(recipe.by, artifact, `${name}:${tag}`, options);
  const pinned = `${name}@${artifact.descriptor.digest}`;
  if (recipe.signed !== undefined) await sign(pinned, recipe.signed, options);
  if (tag === 'tampered') await attachTampered(artifact, pinned, options);
  return { tag, artifact, ...(recipe.refused !== undefined && { refused: recipe.refused }) };
}

async function sign(
  reference: string,
  { by, envelope }: NonNullable<Recipe['signed']>,
  { notation, signers, referrers }: PushOptions,
): Promise<void> {
  await notation.sign(reference, { signer: signers[by], envelope, referrers });
}

/** Pushes an artifact from an OCI layout. */
export async function pushArtifact(
  by: Recipe['by'],
  artifact: Artifact,
  reference: string,
  { folder, tools }: Pick<PushOptions, 'folder' | 'tools'>,
): Promise<void> {
  const layout = join(folder, 'layout');
  rmSync(layout, { recursive: true, force: true });
  mkdirSync(layout, { recursive: true });
  writeLayout(layout, [{ artifact, tag: 'it' }]);
  const env = { HOME: folder };
  const words = {
    oras: ['copy', '--no-tty', '--from-oci-layout', `${layout}:it`, '--to-plain-http', reference],
    crane: ['push', '--insecure', layout, reference],
    skopeo: [
      'copy',
      '--insecure-policy',
      '--dest-tls-verify=false',
      '--all',
      '--preserve-digests',
      `oci:${layout}:it`,
      `docker://${reference}`,
    ],
  } as const satisfies Record<Recipe['by'], readonly string[]>;
  await mustRun(tools[by], words[by], { env });
}

/**
 * Attaches the trusted signer's own signature with one character of it changed. It is made in
 * another repository, since the good one must not be found.
 */
async function attachTampered(
  artifact: Artifact,
  pinned: string,
  options: PushOptions,
): Promise<void> {
  const { registry, folder, tools } = options;
  const scratch = `${registry.address}/scratch`;
  await pushArtifact('oras', artifact, `${scratch}:it`, options);
  const { digest } = artifact.descriptor;
  await sign(`${scratch}@${digest}`, { by: 'trusted', envelope: 'jws' }, options);
  const [signature] = await readSignatures(registry.origin, 'scratch', digest);
  if (signature === undefined) throw new Error(`no signature of ${scratch}@${digest}`);
  const file = join(folder, 'envelope.json');
  writeFileSync(file, withOtherSignature(signature.envelope));
  const { annotations } = signature;
  await mustRun(
    tools.oras,
    [
      'attach',
      '--no-tty',
      '--plain-http',
      '--disable-path-validation',
      '--artifact-type',
      notationSignatureType,
      ...Object.entries(annotations).flatMap(([key, value]) => ['-a', `${key}=${value}`]),
      pinned,
      `${file}:application/jose+json`,
    ],
    { env: { HOME: folder } },
  );
}

/** A JWS in the JSON serialization whose signature has another first character. */
function withOtherSignature(envelope: Uint8Array): string {
  const jws = JSON.parse(Buffer.from(envelope).toString()) as { signature: string };
  const first = jws.signature.startsWith('A') ? 'B' : 'A';
  return JSON.stringify({ ...jws, signature: `${first}${jws.signature.slice(1)}` });
}
