import { findEvidence } from '../airgap/plan-evidence.ts';
import type { PlannedContent, PlannedImage } from '../airgap/plan.ts';
import type { Config } from '../config/schema.ts';
import { isEvidence, subjectOfEvidence } from '../gate/evidence.ts';
import type { TrustedManifest } from '../gate/trusted-content.ts';
import type { Manifest } from '../oci/manifest.ts';
import { referenceSuffix, type Tag } from '../oci/reference.ts';
import { type Repository, scopeOf } from '../oci/repository.ts';
import { eachSettled } from '../verifier/settled.ts';
import type { App } from './app.ts';
import { findContent } from './image-content.ts';
import type { ListedImage } from './image-list.ts';
import { describeRefusal, type ImageOutcome, outcomeOf } from './image-outcome.ts';
import { listedImages, type Unlisted } from './listed-images.ts';
import type { ListedEntry } from './image-list.ts';
import { signatureRepositoryOf } from './signature-repository.ts';

/** What the gate says of an image, and what of it goes along where it says yes. */
export interface PlannedOutcome extends ImageOutcome {
  readonly planned?: PlannedImage;
}

export type PlanningApp = Pick<App, 'gate' | 'upstreams' | 'denied'>;

const atOnce = 4;

/** Asks the gate for each image, as a pull would, in the order of the list. */
export async function planImages(
  entries: readonly ListedEntry[],
  config: Config,
  app: PlanningApp,
  signal: AbortSignal,
): Promise<readonly PlannedOutcome[]> {
  const listed = await listedImages(entries, app.gate, signal);
  const outcomes: PlannedOutcome[] = [];
  const waiting = [...listed.entries()];
  const next = () => {
    const [index, image] = waiting.shift() ?? [];
    if (index === undefined || image === undefined) return undefined;
    return async () => void (outcomes[index] = await planImage(image, config, app, signal));
  };
  for await (const _ of eachSettled(next, atOnce));
  signal.throwIfAborted();
  return outcomes;
}

async function planImage(
  image: ListedImage | Unlisted,
  config: Config,
  app: PlanningApp,
  signal: AbortSignal,
): Promise<PlannedOutcome> {
  if ('error' in image) {
    return { reference: image.text, ...describeRefusal(image.error, signal), warnings: [] };
  }
  const reference = `${scopeOf(image.repository)}${referenceSuffix(image.reference)}`;
  try {
    signal.throwIfAborted();
    const found = await findContent(image, app.gate, signal);
    const { descriptor, admission } = found.root;
    const { warnings, verdict } = admission;
    const told = { reference, digest: descriptor.digest, ...(verdict && { verdict: verdict.id }) };
    if (outcomeOf(admission) === 'waived') {
      return { ...told, outcome: 'waived', because: warnings.join('; '), warnings };
    }
    const planned = await planContent(image, found, config, app, signal);
    return { ...told, outcome: 'trusted', warnings, planned };
  } catch (error) {
    return { reference, ...describeRefusal(error, signal), warnings: [] };
  }
}

async function planContent(
  { repository, reference }: ListedImage,
  { root, children, blobs }: Awaited<ReturnType<typeof findContent>>,
  config: Config,
  { upstreams, denied }: PlanningApp,
  signal: AbortSignal,
): Promise<PlannedImage> {
  const source = upstreams.get(repository.upstream);
  if (source === undefined) throw new TypeError(`no source for ${repository.upstream}`);
  const manifests = [root, ...children].map(toDescriptor);
  const { evidence, contents } = await findEvidence(
    manifests.map(({ digest }) => digest),
    {
      source,
      repository,
      apart: signatureRepositoryOf(config, repository),
      subjectOf,
      isDenied: (digest) => denied.onDigest(digest) !== undefined,
    },
    signal,
  );
  return {
    repository,
    tag: 'tag' in reference ? reference.tag : undefined,
    root: toDescriptor(root),
    children: children.map(toDescriptor),
    evidence,
    contents: [
      ...manifests.map((each) => toContent(each, 'manifest', repository)),
      ...contents,
      ...blobs.map((each) => toContent(each, 'blob', repository)),
    ],
  };
}

function toDescriptor({ descriptor }: TrustedManifest) {
  const { mediaType, digest, size } = descriptor;
  return { mediaType, digest, size };
}

function toContent(
  { digest, size }: Pick<PlannedContent, 'digest' | 'size'>,
  kind: PlannedContent['kind'],
  repository: Repository,
): PlannedContent {
  return { digest, size, repository, kind, from: 'gate' };
}

/** By its shape alone, as the gate would serve it. */
export function subjectOf(manifest: Manifest, tag: Tag | undefined) {
  return isEvidence(manifest) ? subjectOfEvidence(manifest, tag) : undefined;
}
