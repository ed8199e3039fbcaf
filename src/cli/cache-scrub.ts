import type { Cache, ScrubReport, SharedScrub } from '../compose/cache.ts';
import { parseSize } from '../config/leaf-reader.ts';
import { systemClock } from '../kernel/clock.ts';
import { exactly } from './arguments.ts';
import type { Command, GivenOptions, Invocation } from './command.ts';
import { type ExitCode, exitCodes } from './exit-codes.ts';
import { makeProgress } from './progress.ts';
import { describeBytes, describeCount } from './quantities.ts';
import { type Paint, printable } from './terminal.ts';
import { UsageError } from './usage-error.ts';
import { sharedOf, withCache } from './with-cache.ts';

export const cacheScrub: Command = {
  name: 'cache scrub',
  summary: 'hashes all that is stored again, and puts aside what is bad',
  operands: '',
  description: [
    'Reads every stored blob and compares it with its digest. A bad one is moved to `quarantine` under',
    '`storage.path`, where a person may look at it, and fetched again when it is asked for. Works',
    'beside a live server, which does the same in the background, slowly (`storage.scrub.rate`).',
    'With --shared it reads what replicas share in the bucket of `storage.s3` in place of the disk, all',
    'of which S3 may charge you for; what was left unfinished there for a day goes too.',
    'Exits with 1 if anything was bad, with 2 if it was stopped or could not read all.',
  ].join('\n'),
  options: [
    { name: 'rate', value: 'SIZE', does: 'read at most so much a second, such as 50MiB' },
    { name: 'shared', does: 'the bucket of S3 in place of the disk' },
    { name: 'after', value: 'DIGEST', does: 'go on where a scrub was stopped' },
  ],
  examples: [
    { line: 'assay cache scrub', does: 'is the disk all right?' },
    { line: 'assay cache scrub --rate 50MiB --json', does: 'gently, for a script' },
  ],
  run: async (invocation) => {
    exactly(invocation.operands);
    const report = await scrubWithProgress(invocation);
    const { terminal, json } = invocation;
    terminal.out(json ? JSON.stringify(report, null, 2) : renderReport(report, terminal.paint));
    return exitCodeOf(report);
  },
};

type Report = ScrubReport & Partial<Pick<SharedScrub, 'strange' | 'stopped' | 'swept'>>;

async function scrubWithProgress(invocation: Invocation): Promise<Report> {
  const { config, terminal, options } = invocation;
  const rate = readRate(options);
  const { parseDigest } = await import('../compose/cache.ts');
  const { after: text } = options;
  const after = typeof text === 'string' ? parseDigest(text) : undefined;
  if (text !== undefined && after === undefined) throw new UsageError('--after takes a digest');
  return withCache(config, async (cache, signal): Promise<Report> => {
    const [scrubbed, { blobs }] = await chooseWhat(cache, options, signal);
    const progress = makeProgress(blobs.bytes, terminal, systemClock);
    try {
      const onProgress = ({ bytes }: { readonly bytes: number }): void => progress.show(bytes);
      return await scrubbed.scrub({ rate, after, onProgress }, signal);
    } finally {
      progress.end();
    }
  });
}

/** The disk or the bucket, and how much there is. */
async function chooseWhat(cache: Cache, options: GivenOptions, signal: AbortSignal) {
  if (options['shared'] === undefined) return [cache, await cache.stats()] as const;
  const shared = await sharedOf(cache);
  return [shared, await shared.usage(signal)] as const;
}

function readRate({ rate: text }: GivenOptions): number | undefined {
  if (text === undefined) return undefined;
  const rate = parseSize(text)?.bytes ?? 0;
  if (rate === 0) throw new UsageError('--rate takes a size above 0, such as 50MiB');
  return rate;
}

function exitCodeOf({ bad, unread, isComplete }: ScrubReport): ExitCode {
  if (bad > 0) return exitCodes.untrusted;
  return unread > 0 || !isComplete ? exitCodes.inconclusive : exitCodes.ok;
}

function renderReport(report: Report, paint: Paint): string {
  const { files, bytes, bad, unread, badDigests, isComplete, position, stopped } = report;
  const read = `${describeCount(files, 'file')}, ${describeBytes(bytes)}`;
  const found = bad === 0 ? paint('green', 'none bad') : paint('red', `${bad} bad`);
  const why = stopped === undefined ? '' : `: ${printable(stopped)}`;
  return [
    `scrubbed ${read}: ${found}${unread === 0 ? '' : `, ${unread} could not be read`}`,
    ...badDigests.map((digest) => `bad: ${digest}`),
    ...renderLeft(report),
    ...(isComplete ? [] : [`stopped before its end${why}${goOn(position)}`]),
  ].join('\n');
}

function renderLeft({ strange = 0, swept }: Report): readonly string[] {
  return [
    ...(strange === 0
      ? []
      : [`${describeCount(strange, 'object')} that no digest names, left there`]),
    ...(swept === undefined || swept.files === 0
      ? []
      : [`removed ${describeCount(swept.files, 'leftover')}, ${describeBytes(swept.bytes)}`]),
  ];
}

function goOn(position: string | undefined): string {
  return position === undefined ? '' : `; go on with --after ${position}`;
}
