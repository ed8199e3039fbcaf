import type { ExportBase } from '../airgap/export-base.ts';
import type { Amount } from '../airgap/export-bundle.ts';
import { type ExportPlan, makePlan } from '../airgap/plan.ts';
import type { Config } from '../config/schema.ts';
import type { Clock } from '../kernel/clock.ts';
import { type PlannedOutcome, planImages } from './airgap-plan.ts';
import type { App } from './app.ts';
import { readImageList } from './image-list.ts';
import type { ImageOutcome } from './image-outcome.ts';

export interface ExportOptions {
  /** The list of images; `revocations-only` has none. */
  readonly images: string | undefined;
  /** A folder, or the file of a tar. */
  readonly out: string;
  readonly format: 'bundle' | 'revocations-only' | 'oci' | 'oci-tar';
  /** The folder of keys; a layout needs none. */
  readonly keys: string | undefined;
  /** The bundle whose content is taken to be there. */
  readonly since: ExportBase | undefined;
  /** Of each volume. */
  readonly volumeBytes: number;
  /** What becomes of an image that the gate does not trust, or that would not be trusted offline. */
  readonly untrusted: 'refuse' | 'leave-out';
  readonly onProgress: (doneBytes: number, totalBytes: number) => void;
}

export interface ExportReport {
  /** `refused`: nothing was written, because of images that are not to go along. */
  readonly outcome: 'written' | 'written-before' | 'refused';
  /** In the order of the list. */
  readonly images: readonly ExportedImage[];
  /** Of a bundle that was written. */
  readonly bundle?: ExportedBundle;
}

export interface ExportedImage extends Omit<ImageOutcome, 'outcome'> {
  /** `unproven`: trusted here, and it would not be offline with what goes along. */
  readonly outcome: ImageOutcome['outcome'] | 'unproven';
}

export interface ExportedBundle {
  readonly stream: string;
  readonly sequence: number;
  readonly base?: number;
  readonly volumes?: number;
  readonly carried?: Amount;
  readonly assumed?: Amount;
  /** Volumes that an earlier run had written. */
  readonly resumedVolumes?: number;
  readonly trustFiles?: number;
  /** RFC 3339: the oldest that its revocation data say of themselves. */
  readonly revocationAsOf?: string;
}

/** What an export works with while it lasts. */
export interface Exporting {
  readonly config: Config;
  readonly options: ExportOptions;
  readonly clock: Clock;
  /** Opened when it is asked for the first time. */
  readonly app: () => Promise<App>;
  readonly opened: AsyncDisposableStack;
}

/** Throws `ImageListError`. */
export async function planListed(
  { config, options }: Exporting,
  app: App,
  signal: AbortSignal,
): Promise<readonly PlannedOutcome[]> {
  if (options.images === undefined) throw new TypeError('an export without a list of images');
  const entries = await readImageList(options.images, app.upstreamKeys());
  return planImages(entries, config, app, signal);
}

/** What goes along of the images; refused where one may not be left out, or nothing is left. */
export function choosePlan(
  outcomes: readonly PlannedOutcome[],
  { untrusted }: Pick<ExportOptions, 'untrusted'>,
): { readonly plan: ExportPlan; readonly isRefused: boolean } {
  const planned = outcomes.flatMap((each) => each.planned ?? []);
  const mayBeLeftOut = ({ outcome }: PlannedOutcome): boolean =>
    untrusted === 'leave-out' && (outcome === 'denied' || outcome === 'waived');
  const isRefused =
    planned.length === 0 ||
    outcomes.some((each) => each.planned === undefined && !mayBeLeftOut(each));
  return { plan: makePlan(planned), isRefused };
}

export function toExported(outcome: PlannedOutcome): ExportedImage {
  const { planned: _, ...told } = outcome;
  return told;
}
