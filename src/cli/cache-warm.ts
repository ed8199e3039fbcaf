import type { WarmedImage, WarmReport } from '../compose/warm.ts';
import { systemClock } from '../kernel/clock.ts';
import { exactly } from './arguments.ts';
import type { Command, GivenOptions, Invocation } from './command.ts';
import { type ExitCode, exitCodes } from './exit-codes.ts';
import { findConfig } from './find-config.ts';
import { makeProgress } from './progress.ts';
import { describeBytes, describeCount } from './quantities.ts';
import { type Colour, type Paint, printable } from './terminal.ts';
import { UsageError } from './usage-error.ts';
import { untilStopped } from './until-stopped.ts';

export const cacheWarm: Command = {
  name: 'cache warm',
  summary: 'pulls and verifies a list of images into the store',
  operands: '',
  description: [
    'Asks the gate for each image of a list, as a client would, and stores what it lets through:',
    'manifests, and every blob of the image or of the platforms that are listed. What is stored',
    'already is not fetched again, so one that was stopped goes on where it was. Works beside a live',
    'server, which serves what is stored at once. The file has `images:`, a list of references, or',
    'of `{ reference: REF, platforms: [linux/amd64] }`, or of repositories with patterns of tags:',
    '`{ repository: NAME, tags: ["1.27*"] }`.',
    'Exits with 1 if an image is denied or not there, with 2 if one could not be fetched.',
  ].join('\n'),
  options: [
    { name: 'file', short: 'f', value: 'FILE', does: 'the list of images' },
    { name: 'concurrency', value: 'N', does: 'images at the same time, 1 to 32; 4 unless told' },
  ],
  examples: [
    { line: 'assay cache warm -f images.yaml', does: 'before a release, or before upstream goes' },
    { line: 'assay cache warm -f images.yaml --json', does: 'for a script' },
  ],
  run: async (invocation) => {
    exactly(invocation.operands);
    const report = await warmWithProgress(invocation);
    const { terminal, json } = invocation;
    terminal.out(json ? JSON.stringify(report, null, 2) : renderReport(report, terminal.paint));
    return exitCodeOf(report);
  },
};

async function warmWithProgress(invocation: Invocation): Promise<WarmReport> {
  const { config, terminal, options } = invocation;
  const { file } = options;
  if (typeof file !== 'string') throw new UsageError('--file is missing: the list of images');
  const concurrency = readConcurrency(options);
  // Loaded when they are needed: `assay help` should not wait for them.
  const { loadConfig } = await import('../config/load.ts');
  const { openWarmer } = await import('../compose/warm.ts');
  const warmer = await openWarmer(await loadConfig(findConfig(config)));
  const progress = makeProgress(0, terminal, systemClock);
  try {
    return await untilStopped((signal) =>
      warmer.warm(
        file,
        {
          concurrency,
          onProgress: ({ doneBytes, totalBytes }) => progress.show(doneBytes, totalBytes),
        },
        signal,
      ),
    );
  } finally {
    progress.end();
    await warmer.close();
  }
}

function readConcurrency({ concurrency: text = '4' }: GivenOptions): number {
  const count = typeof text === 'string' && /^\d{1,2}$/.test(text) ? Number(text) : 0;
  if (count < 1 || count > 32) throw new UsageError('--concurrency takes a number from 1 to 32');
  return count;
}

function exitCodeOf({ images, isComplete }: WarmReport): ExitCode {
  const has = (...outcomes: readonly WarmedImage['outcome'][]): boolean =>
    images.some(({ outcome }) => outcomes.includes(outcome));
  if (has('denied', 'absent')) return exitCodes.untrusted;
  return has('failed') || !isComplete ? exitCodes.inconclusive : exitCodes.ok;
}

const colours = {
  trusted: 'green',
  waived: 'yellow',
  denied: 'red',
  absent: 'red',
  failed: 'yellow',
} as const satisfies Record<WarmedImage['outcome'], Colour>;

function renderReport({ images, isComplete }: WarmReport, paint: Paint): string {
  const stored = images.filter(({ outcome }) => outcome === 'trusted' || outcome === 'waived');
  const sum = (of: 'bytes' | 'bytesAtHand'): number =>
    images.reduce((total, image) => total + image[of], 0);
  const fetched = describeBytes(sum('bytes') - sum('bytesAtHand'));
  const summary = `${stored.length} of ${describeCount(images.length, 'image')} stored: ${fetched} fetched, ${describeBytes(sum('bytesAtHand'))} were here`;
  return [
    ...images.flatMap((image) => renderImage(image, paint)),
    isComplete ? summary : `${summary}; stopped before its end: run it again to go on`,
  ].join('\n');
}

function renderImage(image: WarmedImage, paint: Paint): readonly string[] {
  const { outcome, reference, reason, because, blobs, bytes, warnings } = image;
  const name = `${paint(colours[outcome], outcome.padEnd(8))} ${printable(reference)}`;
  const amount = `${describeCount(blobs, 'blob')}, ${describeBytes(bytes)}`;
  const isStored = because === undefined;
  const why = [reason, because].filter((part) => part !== undefined).join(': ');
  return [
    `${name}  ${isStored ? amount : printable(why)}`,
    ...warnings.map((warning) => `         ${printable(warning)}`),
  ];
}
