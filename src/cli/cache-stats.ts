import type { Amount, CacheStats, SharedUsage } from '../compose/cache.ts';
import { exactly } from './arguments.ts';
import type { Command } from './command.ts';
import { exitCodes } from './exit-codes.ts';
import { describeBytes, describeCount } from './quantities.ts';
import { printable } from './terminal.ts';
import { sharedOf, withCache } from './with-cache.ts';

export const cacheStats: Command = {
  name: 'cache stats',
  summary: 'what is stored, and how much room there is',
  operands: '',
  description: [
    'Prints what the folder `storage.path` holds: blobs by digest, unfinished ones, and manifests; how',
    'much of `storage.maxBytes` that is, and how much the disk has left. Works beside a live server.',
    'With --shared also what the bucket of `storage.s3` holds.',
  ].join('\n'),
  options: [
    { name: 'shared', does: 'lists the bucket too: one request for each thousand objects' },
  ],
  examples: [
    { line: 'assay cache stats', does: 'how full is it?' },
    { line: 'assay cache stats --json', does: 'for a script' },
  ],
  run: async ({ operands, options, config, json, terminal }) => {
    exactly(operands);
    const withShared = options['shared'] !== undefined;
    const stats = await withCache(config, async (cache, signal): Promise<AllStats> => {
      const own = await cache.stats();
      return withShared ? { ...own, shared: await (await sharedOf(cache)).usage(signal) } : own;
    });
    const text = [
      renderStats(stats),
      ...(stats.shared === undefined ? [] : renderShared(stats.shared)),
    ];
    terminal.out(json ? JSON.stringify(stats, null, 2) : text.join('\n'));
    return exitCodes.ok;
  },
};

interface AllStats extends CacheStats {
  readonly shared?: SharedUsage;
}

function renderShared({ blobs, kept, partial, quarantined }: SharedUsage): readonly string[] {
  return [
    'in S3:',
    `blobs       ${inObjects(blobs)}`,
    `unfinished  ${inObjects(partial)}`,
    `manifests   ${inObjects(kept)}`,
    ...(quarantined.files === 0 ? [] : [`quarantine  ${inObjects(quarantined)}`]),
  ];
}

function inObjects({ files, bytes }: Amount): string {
  return `${describeBytes(bytes)} in ${describeCount(files, 'object')}`;
}

function renderStats(stats: CacheStats): string {
  const { path, maxBytes, blobs, partial, kept, quarantined, free, oldestUse } = stats;
  const total = blobs.bytes + partial.bytes + kept.bytes;
  const bound =
    maxBytes === undefined ? ', no bound but the disk' : ` of ${describeBytes(maxBytes)}`;
  return [
    `${printable(path)}: ${describeBytes(total)}${bound}`,
    `blobs       ${inFiles(blobs)}`,
    `unfinished  ${inFiles(partial)}`,
    `manifests   ${describeBytes(kept.bytes)} in ${describeCount(kept.files, 'entry', 'entries')}`,
    ...(quarantined.files === 0 ? [] : [`quarantine  ${inFiles(quarantined)}`]),
    ...(oldestUse === undefined ? [] : [`oldest use  ${oldestUse.toISOString()}`]),
    ...(free === undefined ? [] : [`disk left   ${describeBytes(free.bytes)}${filesLeft(free)}`]),
  ].join('\n');
}

function inFiles({ files, bytes }: Amount): string {
  return `${describeBytes(bytes)} in ${describeCount(files, 'file')}`;
}

/** Some file systems make files as they are needed. */
function filesLeft({ files }: { readonly files: number }): string {
  return Number.isFinite(files) ? ` and ${describeCount(files, 'file')}` : '';
}
