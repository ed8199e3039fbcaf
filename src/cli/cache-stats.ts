import type { Amount, CacheStats } from '../compose/cache.ts';
import { exactly } from './arguments.ts';
import type { Command } from './command.ts';
import { exitCodes } from './exit-codes.ts';
import { describeBytes, describeCount } from './quantities.ts';
import { printable } from './terminal.ts';
import { withCache } from './with-cache.ts';

export const cacheStats: Command = {
  name: 'cache stats',
  summary: 'what is stored, and how much room there is',
  operands: '',
  description: [
    'Prints what the folder `storage.path` holds: blobs by digest, unfinished ones, and manifests; how',
    'much of `storage.maxBytes` that is, and how much the disk has left. Works beside a live server.',
  ].join('\n'),
  examples: [
    { line: 'assay cache stats', does: 'how full is it?' },
    { line: 'assay cache stats --json', does: 'for a script' },
  ],
  run: async ({ operands, config, json, terminal }) => {
    exactly(operands);
    const stats = await withCache(config, (cache) => cache.stats());
    terminal.out(json ? JSON.stringify(stats, null, 2) : renderStats(stats));
    return exitCodes.ok;
  },
};

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
