import type { AirgapImport, ImageOutcome, ImportReport } from '../compose/airgap-import.ts';
import type { AirgapLayoutImport } from '../compose/airgap-import-layout.ts';
import { systemClock } from '../kernel/clock.ts';
import type { Command, Invocation } from './command.ts';
import { type ExitCode, exitCodes } from './exit-codes.ts';
import { findConfig } from './find-config.ts';
import { importLayoutWithProgress, renderFreed, renderLayoutSummary } from './import-layout.ts';
import { makeProgress, type Progress } from './progress.ts';
import { describeBytes, describeCount, describeSeconds } from './quantities.ts';
import { type Colour, type Paint, printable } from './terminal.ts';
import { untilStopped } from './until-stopped.ts';
import { UsageError } from './usage-error.ts';

export const airgapImport: Command = {
  name: 'airgap import',
  summary: 'brings a bundle into a site without a network, if it is to be believed',
  operands: 'DIR…|FILE.tar',
  description: [
    'Reads a bundle from one or more folders, into `airgap.store` of the configuration: its signed',
    'metadata first, by the root that is pinned (`airgap.root`, or --root), and later by what the',
    'store knows; then its volumes, in any order, also one after the other in several runs. Every',
    "image is verified by this site's own policy, trust and clock; then all of it is published at",
    'once, and a server on the same configuration serves it. Stopped or killed at any point, the same',
    'command goes on. Prints a receipt for whoever made the bundle.',
    'With --format oci an ordinary image layout, a folder or a tar archive, comes beside the bundles,',
    'in repositories that they have nothing of. Nobody signed it: only the policy protects from it.',
    'Exits with 1 if the bundle is not to be believed or an image is refused, with 2 if something is',
    'missing.',
  ].join('\n'),
  options: [
    { name: 'root', value: 'FILE', does: 'the root metadata to begin with, at the first import' },
    { name: 'verify-only', does: 'does everything but publish; what was read stays' },
    { name: 'all-or-nothing', does: 'publishes nothing if an image is refused (the default)' },
    { name: 'format', value: 'FORMAT', does: 'bundle (the default), or an image layout: oci' },
    {
      name: 'repository',
      value: 'NAME',
      does: 'UPSTREAM/PATH of a layout whose names are tags alone, or its UPSTREAM',
    },
    { name: 'keep-trusted', does: 'publishes what is admitted, and leaves out the rest' },
  ],
  examples: [
    {
      line: 'assay airgap import --config zone.yaml /media/cdrom',
      does: 'a disc; run it again with the next one',
    },
    {
      line: 'assay airgap import --config zone.yaml drop/1 drop/2 --keep-trusted --json',
      does: 'volumes from two folders, for a script',
    },
    {
      line: 'assay airgap import --format oci --repository docker.io/library/nginx nginx.tar',
      does: 'an archive of `skopeo copy`',
    },
  ],
  run: async (invocation) => {
    const { terminal, json } = invocation;
    const layout = readLayoutWish(invocation);
    if (layout !== undefined) {
      const report = await importLayoutWithProgress(invocation, layout);
      const images = report.images.map((image) => renderImage(image, terminal.paint));
      const text = [...images, ...renderLayoutSummary(report)].join('\n');
      terminal.out(json ? JSON.stringify(report, null, 2) : text);
      return exitCodeOf(report);
    }
    const report = await importWithProgress(invocation);
    terminal.out(json ? JSON.stringify(report, null, 2) : renderReport(report, terminal.paint));
    return exitCodeOf(report);
  },
};

async function importWithProgress(invocation: Invocation): Promise<ImportReport> {
  const { config, terminal } = invocation;
  const request = readRequest(invocation);
  // Loaded when they are needed: `assay help` should not wait for them.
  const { loadConfig } = await import('../config/load.ts');
  const { importAirgap } = await import('../compose/airgap-import.ts');
  const loaded = await loadConfig(findConfig(config));
  let progress: Progress | undefined;
  const onProgress: AirgapImport['onProgress'] = ({ step, doneBytes, totalBytes }) => {
    if (step === 'volumes') {
      progress ??= makeProgress(totalBytes, terminal, systemClock);
      progress.show(doneBytes, totalBytes);
    }
  };
  try {
    return await untilStopped((signal) => importAirgap(loaded, { ...request, onProgress }, signal));
  } finally {
    progress?.end();
  }
}

/** Undefined: it is to be a bundle. */
function readLayoutWish(
  invocation: Invocation,
): Omit<AirgapLayoutImport, 'onProgress'> | undefined {
  const { format = 'bundle', repository, root } = invocation.options;
  if (format !== 'oci' && format !== 'bundle') throw new UsageError('--format takes bundle or oci');
  if (format === 'bundle') {
    if (repository !== undefined) throw new UsageError('--repository belongs to --format oci');
    return undefined;
  }
  if (root !== undefined) throw new UsageError('--root belongs to bundles: a layout is not signed');
  const { places, ...request } = readRequest(invocation);
  const [path, ...more] = places;
  if (path === undefined || more.length > 0) throw new UsageError('one layout at a time');
  const { mode, untrusted } = request;
  return {
    mode,
    untrusted,
    path,
    repository: typeof repository === 'string' ? repository : undefined,
  };
}

function readRequest({ operands, options }: Invocation): Omit<AirgapImport, 'onProgress'> {
  if (operands.length === 0) throw new UsageError('DIR is missing: the folder of the bundle');
  const isKeeping = options['keep-trusted'] !== undefined;
  if (isKeeping && options['all-or-nothing'] !== undefined) {
    throw new UsageError('--keep-trusted and --all-or-nothing exclude each other');
  }
  const { root } = options;
  return {
    places: operands,
    mode: options['verify-only'] === undefined ? 'import' : 'verify-only',
    untrusted: isKeeping ? 'keep-trusted' : 'refuse-all',
    ...(typeof root === 'string' && { root }),
  };
}

function exitCodeOf({ outcome, images }: Pick<ImportReport, 'outcome' | 'images'>): ExitCode {
  const isLeftOut = images.some((image) => image.outcome === 'denied');
  return outcome === 'refused' || isLeftOut ? exitCodes.untrusted : exitCodes.ok;
}

const colours = {
  trusted: 'green',
  waived: 'yellow',
  denied: 'red',
  unclear: 'yellow',
} as const satisfies Record<ImageOutcome['outcome'], Colour>;

const outcomes = {
  published: 'published',
  held: 'is in force already',
  verified: 'verified, and not published',
  refused: 'refused: nothing was published',
} as const satisfies Record<ImportReport['outcome'], string>;

function renderReport(report: ImportReport, paint: Paint): string {
  const { outcome, sequence, kind, stream, generation, images, denied } = report;
  const { readBytes, heldBytes, receipt, freed } = report;
  const what = kind === 'revocation' ? 'bundle (revocations alone)' : 'bundle';
  const at = generation === undefined ? '' : ` as generation ${generation}`;
  return [
    ...images.map((image) => renderImage(image, paint)),
    `${what} ${sequence} of stream ${stream}: ${outcomes[outcome]}${at}`,
    `${describeBytes(readBytes)} read, ${describeBytes(heldBytes)} were here`,
    ...renderFreed(freed),
    ...(denied === 0 ? [] : [`${describeCount(denied, 'entry', 'entries')} came to the deny list`]),
    describeFreshness(report),
    ...(receipt === undefined ? [] : ['receipt for the sender:', receipt]),
  ].join('\n');
}

function describeFreshness({ revocationAsOf, revocationAgeMs }: ImportReport): string {
  if (revocationAsOf === undefined || revocationAgeMs === undefined) {
    return 'it carries no revocation data';
  }
  const age = describeSeconds(revocationAgeMs / 1000);
  return `revocations as of ${revocationAsOf.toISOString()}, ${age} ago`;
}

function renderImage(image: ImageOutcome, paint: Paint): string {
  const { outcome, reference, digest, reason, because, warnings } = image;
  const why = [reason, because].filter((part) => part !== undefined).join(': ');
  const name = `${paint(colours[outcome], outcome.padEnd(8))} ${printable(reference)}`;
  const told = [why || digest, ...warnings].map((text) => printable(text));
  return `${name}  ${told.join('; ')}`;
}
