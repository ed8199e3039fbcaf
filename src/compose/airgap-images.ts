import { AirgapError } from '../airgap/airgap-error.ts';
import type { BundleDocument, BundleImage } from '../airgap/bundle.ts';
import type { HeldBlobs } from '../airgap/held-blobs.ts';
import type { ImageOutcome } from '../airgap/import-report.ts';
import { nameOf } from '../airgap/plan.ts';
import { DeniedError, NotFoundError, UnavailableError } from '../gate/gate-error.ts';
import type { MadeGate } from '../gate/gate.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import { MalformedError } from '../oci/malformed-error.ts';
import { maxManifestBytes, partsOf, readManifest } from '../oci/manifest.ts';
import type { Repository } from '../oci/repository.ts';
import type { LayoutFiles } from '../upstream/layout-files.ts';
import { eachSettled } from '../verifier/settled.ts';

export interface ImageJudgement {
  /** Over the content as it is going to be served. */
  readonly gate: Pick<MadeGate, 'admitManifest'>;
  readonly held: Pick<HeldBlobs, 'has'>;
  readonly files: Pick<LayoutFiles, 'readBlob'>;
}

const atOnce = 4;

/**
 * Asks the gate for each image as a client would, with all of it that came along, and looks whether
 * every blob of it is here. Throws `AirgapError` (BLOB_MISSING) where one is not.
 */
export async function judgeImages(
  { images }: Pick<BundleDocument, 'images'>,
  judgement: ImageJudgement,
  signal: AbortSignal,
): Promise<readonly ImageOutcome[]> {
  const outcomes: ImageOutcome[] = [];
  const failures: unknown[] = [];
  const waiting = [...images.entries()];
  const next = () => {
    const [index, image] = (failures.length === 0 ? waiting.shift() : undefined) ?? [];
    if (index === undefined || image === undefined) return undefined;
    return async () => {
      try {
        outcomes[index] = await judge(image, judgement, signal);
      } catch (error) {
        failures.push(error);
      }
    };
  };
  for await (const _ of eachSettled(next, atOnce));
  if (failures.length > 0) throw failures[0];
  return outcomes;
}

async function judge(
  image: BundleImage,
  judgement: ImageJudgement,
  signal: AbortSignal,
): Promise<ImageOutcome> {
  signal.throwIfAborted();
  const named = { reference: nameOf(image), digest: image.root.digest };
  await assertWhole(image, judgement);
  try {
    const { repository, tag, root, children } = image;
    const reference = tag === undefined ? { digest: root.digest } : { tag };
    const { gate } = judgement;
    const { admission, descriptor } = await gate.admitManifest(repository, reference, signal);
    if (descriptor.digest !== root.digest)
      throw new TypeError(`${named.reference} leads elsewhere`);
    // Where the index itself does not vouch for them, each by itself.
    for (const { digest } of children) await gate.admitManifest(repository, { digest }, signal);
    const isTrusted = admission.by === 'verdict' || admission.by === 'evidence';
    const { verdict, warnings } = admission;
    const outcome = isTrusted ? 'trusted' : 'waived';
    return { ...named, outcome, ...(verdict && { verdict: verdict.id }), warnings };
  } catch (error) {
    return { ...named, ...describe(error, signal), warnings: [] };
  }
}

function describe(
  error: unknown,
  signal: AbortSignal,
): Pick<ImageOutcome, 'outcome' | 'reason' | 'because' | 'verdict'> {
  signal.throwIfAborted();
  if (error instanceof DeniedError) {
    const { reason, verdict, message: because } = error;
    return { outcome: 'denied', reason, because, verdict: verdict.id };
  }
  if (error instanceof UnavailableError) {
    const { verdict, message: because } = error;
    const reason = verdict?.reason;
    const id = verdict && { verdict: verdict.id };
    return { outcome: 'unclear', ...(reason !== undefined && { reason }), because, ...id };
  }
  if (error instanceof NotFoundError) throw missing(error.message, error);
  throw error;
}

/** What the document names of the image, and what that names, is held. */
async function assertWhole(image: BundleImage, judgement: ImageJudgement): Promise<void> {
  const { repository, root, children, evidence } = image;
  const listed = [root, ...children, ...evidence.map(({ manifest }) => manifest)];
  for (const manifest of listed) await assertManifestWhole(repository, manifest, judgement);
}

async function assertManifestWhole(
  { path }: Repository,
  descriptor: Descriptor,
  { held, files }: ImageJudgement,
): Promise<void> {
  const bytes = await files.readBlob(descriptor.digest, maxManifestBytes);
  if (bytes === undefined) throw missing(`${path} needs ${descriptor.digest}, which is not here`);
  for (const part of partsThatCome(bytes, descriptor)) {
    if (await held.has(part)) continue;
    throw missing(`${path} needs ${part.digest} of ${part.size} bytes, which is not here`);
  }
}

/** Of an index, only the children that came along are here, which the document lists. */
function partsThatCome(bytes: Uint8Array, { mediaType }: Descriptor): readonly Descriptor[] {
  try {
    const manifest = readManifest(bytes, mediaType);
    return manifest.kind === 'index' ? [] : partsOf(manifest);
  } catch (error) {
    // It is nothing that would be served: the gate says so.
    if (error instanceof MalformedError) return [];
    throw error;
  }
}

function missing(message: string, cause?: unknown): AirgapError {
  return new AirgapError('BLOB_MISSING', `the bundle is not whole: ${message}`, { cause });
}
