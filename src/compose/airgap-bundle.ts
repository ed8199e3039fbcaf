import { resolve } from 'node:path';
import type { BundleDenial } from '../airgap/bundle.ts';
import { findBase } from '../airgap/export-base.ts';
import { type BundleExport, exportBundle, type WrittenBundle } from '../airgap/export-bundle.ts';
import { openExportFolder } from '../airgap/export-folder.ts';
import { endInterrupted } from '../airgap/export-interrupted.ts';
import { type ExportPlan, makePlan, nameOf, type PlannedImage } from '../airgap/plan.ts';
import type { AllowedBack } from '../airgap/tag-versions.ts';
import type { DenyList } from '../gate/deny-list.ts';
import type { Clock } from '../kernel/clock.ts';
import { scopeOf } from '../oci/repository.ts';
import type { TrustPolicy } from '../policies/policy.ts';
import { readPlanned } from './airgap-content.ts';
import {
  choosePlan,
  type ExportedImage,
  type Exporting,
  type ExportReport,
  planListed,
  toExported,
} from './airgap-exporting.ts';
import type { PlannedOutcome } from './airgap-plan.ts';
import { gatherRecorded, type Proof, proveTrust } from './airgap-prove.ts';
import { type BundleSigning, openBundleSigning } from './airgap-signing.ts';
import { type ExportStream, openExportStream } from './airgap-stream.ts';
import type { App } from './app.ts';
import { ownVersion } from './own-version.ts';

/** Writes a bundle with the images of the list, or with what of them is new. */
export async function exportAsBundle(
  exporting: Exporting,
  signal: AbortSignal,
): Promise<ExportReport> {
  const begun = await begin(exporting);
  if ('outcome' in begun) return begun;
  const { since } = exporting.options;
  const { signing, stream } = begun;
  // Told before an hour of work, not after it.
  const base =
    since === undefined ? undefined : await findBase(since, signing.stream, stream.ledger);
  const app = await exporting.app();
  const outcomes = await planListed(exporting, app, signal);
  const { plan, isRefused } = choosePlan(outcomes, exporting.options);
  if (isRefused) return { outcome: 'refused', images: outcomes.map(toExported) };
  const proven = await prove(plan, exporting, { app, ...begun }, signal);
  const images = outcomes.map((each) => withProof(each, proven.problems));
  if (proven.plan === undefined) return { outcome: 'refused', images };
  const { plan: kept, proof } = proven;
  const content = { kind: 'content', plan: kept, base, ...proof } as const;
  return { ...(await write(content, exporting, { app, ...begun }, signal)), images };
}

/** Writes a bundle without content: what is denied, and what is known of revocation. */
export async function exportRevocations(
  exporting: Exporting,
  signal: AbortSignal,
): Promise<ExportReport> {
  const begun = await begin(exporting);
  if ('outcome' in begun) return begun;
  const app = await exporting.app();
  const { upstreams, denied } = app;
  const { config, clock } = exporting;
  const { workFolder, ledger } = begun.stream;
  const roots = (await ledger.latest())?.roots ?? [];
  const using = { upstreams, denied, clock, workFolder };
  const proof = await gatherRecorded(roots, config, using, signal);
  const content = { kind: 'revocation', plan: makePlan([]), base: undefined, ...proof } as const;
  return { ...(await write(content, exporting, { app, ...begun }, signal)), images: [] };
}

interface Begun {
  readonly signing: BundleSigning;
  readonly stream: ExportStream;
  readonly out: string;
}

/** A report where an earlier run had all but finished. */
async function begin(exporting: Exporting): Promise<Begun | ExportReport> {
  const { config, options, clock, opened } = exporting;
  const signing = await openBundleSigning(config, options.keys, clock);
  const stream = await openExportStream(config, signing.stream, opened);
  const out = resolve(options.out);
  const before = await endInterrupted(out, stream.ledger, signing.snapshotOf);
  if (before === undefined) return { signing, stream, out };
  const bundle = { stream: signing.stream, sequence: before };
  return { outcome: 'written-before', images: [], bundle };
}

type Using = Begun & { readonly app: App };

interface Proven {
  /** Undefined: nothing is to be written. */
  readonly plan: ExportPlan | undefined;
  readonly proof: Proof;
  /** By image, as `nameOf` names it. */
  readonly problems: ReadonlyMap<string, string>;
}

/** Leaves out what would not be trusted, where it may, and proves what is left once more. */
async function prove(
  plan: ExportPlan,
  { config, options, clock }: Exporting,
  { app: { upstreams, denied }, stream: { workFolder } }: Using,
  signal: AbortSignal,
): Promise<Proven> {
  const using = { upstreams, denied, clock, workFolder };
  const proof = await proveTrust(plan, config, using, signal);
  const problems = new Map(proof.refused.map(({ image, because }) => [image, because]));
  if (problems.size === 0) return { plan, proof, problems };
  const left = makePlan(plan.images.filter((image) => !problems.has(nameOf(image))));
  if (options.untrusted === 'refuse' || left.images.length === 0) {
    return { plan: undefined, proof, problems };
  }
  const again = await proveTrust(left, config, using, signal);
  for (const { image, because } of again.refused) problems.set(image, because);
  return { plan: again.refused.length === 0 ? left : undefined, proof: again, problems };
}

function withProof(outcome: PlannedOutcome, problems: ReadonlyMap<string, string>): ExportedImage {
  const { planned } = outcome;
  const because = planned && problems.get(nameOf(planned));
  const told = toExported(outcome);
  return because === undefined ? told : { ...told, outcome: 'unproven', because };
}

type Content = Pick<BundleExport, 'kind' | 'plan' | 'base' | 'trust' | 'revocationAsOf'> & {
  readonly policy?: TrustPolicy;
};

async function write(
  { policy, ...content }: Content,
  { options, clock }: Exporting,
  { app, signing, stream, out }: Using,
  signal: AbortSignal,
): Promise<Omit<ExportReport, 'images'>> {
  const progress = { total: 0 };
  const memory: Buffer[] = [];
  const written = await exportBundle(
    {
      ...content,
      stream: signing.stream,
      folder: await openExportFolder(out),
      ledger: stream.ledger,
      volumeBytes: options.volumeBytes,
      denials: toDenials(app.denied),
      allowedBack: (image) => allowedBack(image, policy, clock),
      exporter: `assay ${ownVersion()}`,
      clock,
      read: (planned, stop) => readPlanned(planned, app, stop, memory),
      onBegin: (totalBytes) => {
        progress.total = totalBytes;
      },
      onProgress: (done) => options.onProgress(done, progress.total),
      sign: (sequence, targets, stop) => signing.sign(out, sequence, targets, stop),
    },
    signal,
  );
  return { outcome: 'written', bundle: describe(written, content, signing) };
}

function describe(
  { sequence, volumes, carried, assumed, resumedVolumes }: WrittenBundle,
  { base, revocationAsOf, trust }: Content,
  { stream }: BundleSigning,
): NonNullable<ExportReport['bundle']> {
  return {
    stream,
    sequence,
    ...(base !== undefined && { base }),
    volumes: volumes.volumes.length,
    carried,
    assumed,
    resumedVolumes,
    trustFiles: trust.length,
    ...(revocationAsOf !== undefined && { revocationAsOf: revocationAsOf.toISOString() }),
  };
}

function toDenials(denied: DenyList): readonly BundleDenial[] {
  return denied.entries().map(({ target, reason, owner, addedAt }) => ({
    target,
    because: `${reason} (${owner})`,
    since: addedAt,
  }));
}

/** What the rule for the image says that its tags may go back to. */
function allowedBack(
  { repository, root }: Pick<PlannedImage, 'repository' | 'root'>,
  policy: TrustPolicy | undefined,
  clock: Clock,
): readonly AllowedBack[] {
  const now = clock.now();
  const rule = policy?.ruleFor(scopeOf(repository), root.digest, now);
  if (rule?.kind !== 'require') return [];
  const allowed = rule.tags?.allowedRollbacks ?? [];
  return allowed
    .filter(({ until }) => now < until)
    .map(({ digest, owner, until }) => ({ to: digest, owner, until }));
}
