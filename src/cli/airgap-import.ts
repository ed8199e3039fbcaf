import type { AirgapImport, ImageOutcome, ImportReport } from '../compose/airgap-import.ts';
import { systemClock } from '../kernel/clock.ts';
import type { Command, Invocation } from './command.ts';
import { type ExitCode, exitCodes } from './exit-codes.ts';
import { findConfig } from './find-config.ts';
import { makeProgress, type Progress } from './progress.ts';
import { describeBytes, describeCount, describeSeconds } from './quantities.ts';
import { type Colour, type Paint, printable } from './terminal.ts';
import { untilStopped } from './until-stopped.ts';
import { UsageError } from './usage-error.ts';

export const airgapImport: Command = {
  name: 'airgap import',
  summary: 'brings a bundle into a site without a network, if it is to be believed',
  operands: 'DIR…',
  description: [
    'Reads a bundle from one or more folders, into `airgap.store` of the configuration: its signed',
    'metadata first, by the root that is pinned (`airgap.root`, or --root), and later by what the',
    'store knows; then its volumes, in any order, also one after the other in several runs. Every',
    "image is verified by this site's own policy, trust and clock; then all of it is published at",
    'once, and a server on the same configuration serves it. Stopped or killed at any point, the same',
    'command goes on. Prints a receipt for whoever made the bundle.',
    'Exits with 1 if the bundle is not to be believed or an image is refused, with 2 if something is',
    'missing.',
  ].join('\n'),
  options: [
    { name: 'root', value: 'FILE', does: 'the root metadata to begin with, at the first import' },
    { name: 'verify-only', does: 'does everything but publish; what was read stays' },
    { name: 'all-or-nothing', does: 'publishes nothing if an image is refused (the default)' },
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
  ],
  run: async (invocation) => {
    const report = await importWithProgress(invocation);
    const { terminal, json } = invocation;
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

function exitCodeOf({ outcome, images }: ImportReport): ExitCode {
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
  const { readBytes, heldBytes, receipt } = report;
  const what = kind === 'revocation' ? 'bundle (revocations alone)' : 'bundle';
  const at = generation === undefined ? '' : ` as generation ${generation}`;
  return [
    ...images.map((image) => renderImage(image, paint)),
    `${what} ${sequence} of stream ${stream}: ${outcomes[outcome]}${at}`,
    `${describeBytes(readBytes)} read, ${describeBytes(heldBytes)} were here`,
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
