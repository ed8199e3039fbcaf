import type { Amount, Cache, Purged, PurgeWish, SharedPurge } from '../compose/cache.ts';
import { parseDuration } from '../config/leaf-reader.ts';
import type { Command, Invocation } from './command.ts';
import { exitCodes } from './exit-codes.ts';
import { findConfig } from './find-config.ts';
import { describeBytes, describeCount } from './quantities.ts';
import { printable } from './terminal.ts';
import { UsageError } from './usage-error.ts';
import { withCache } from './with-cache.ts';

export const cachePurge: Command = {
  name: 'cache purge',
  summary: 'takes stored content away',
  operands: '[DIGEST…|REF…]',
  description: [
    'Deletes the blobs and manifests with these digests, or those blobs that nobody asked for since, or',
    'everything; unfinished blobs too, but for those that are being fetched. It will be fetched again',
    'when it is asked for; pulls under way still get all of it. What is in quarantine stays.',
    'Works beside a live server, which may keep a few manifests in memory until it ends. Verdicts stay.',
    'With `storage.s3` what replicas share in the bucket goes too, but not what each of the others has',
    'on its disk; --older-than is about the disk alone.',
    'A REF takes no content away: servers look at it anew, its verdict and where its tag points; of a',
    'tag, at everything in its repository.',
  ].join('\n'),
  options: [
    { name: 'older-than', value: 'AGE', does: 'blobs that nobody asked for so long, such as 30d' },
    { name: 'all', does: 'all blobs and manifests' },
    { name: 'yes', does: 'needed with --all' },
    { name: 'local', does: 'leave what is in S3 there' },
  ],
  examples: [
    { line: 'assay cache purge sha256:…', does: 'one blob or manifest' },
    { line: 'assay cache purge ghcr.io/acme/app:1.4', does: 'look at it anew at its next pull' },
    { line: 'assay cache purge --older-than 30d', does: 'what was not used for a month' },
    { line: 'assay cache purge --all --yes', does: 'start anew' },
  ],
  run: async (invocation) => {
    if (invocation.operands.some((operand) => operand.includes('/'))) {
      return forget(invocation);
    }
    const wish = await readWish(invocation);
    const { config, terminal, json } = invocation;
    const isLocal = invocation.options['local'] !== undefined || wish.what === 'unused';
    const all = await withCache(config, async (cache, signal): Promise<PurgedAll> => {
      const purged = await cache.purge(wish, signal);
      return isLocal ? purged : purgeShared(cache, wish, purged, signal);
    });
    terminal.out(json ? JSON.stringify(all, null, 2) : renderPurged(all));
    return all.shared?.stopped === undefined ? exitCodes.ok : exitCodes.inconclusive;
  },
};

interface PurgedAll extends Purged {
  /** In S3; undefined where nothing was looked for there. */
  readonly shared?: Omit<SharedPurge, 'found'> | undefined;
}

/** What is not here may be there. */
async function purgeShared(
  cache: Cache,
  wish: Exclude<PurgeWish, { readonly what: 'unused' }>,
  purged: Purged,
  signal: AbortSignal,
): Promise<PurgedAll> {
  const shared = await cache.shared();
  if (shared === undefined) return purged;
  const wanted = wish.what === 'all' ? 'all' : wish.digests;
  const { found, ...counts } = await shared.purge(wanted, signal);
  const absent = purged.absent.filter((digest) => !found.includes(digest));
  return { ...purged, absent, shared: counts };
}

/** What was found out about references, in place of content. */
async function forget({ operands, options, config, json, terminal }: Invocation) {
  if (Object.keys(options).length > 0 || !operands.every((operand) => operand.includes('/'))) {
    throw new UsageError('references go without options, and without digests alone');
  }
  const { loadConfig } = await import('../config/load.ts');
  const { askToLookAgain } = await import('../compose/look-again.ts');
  await askToLookAgain(await loadConfig(findConfig(config)), operands);
  const text = `looked at anew at the next pull: ${operands.map(printable).join(', ')}`;
  terminal.out(json ? JSON.stringify({ forgotten: operands }, null, 2) : text);
  return exitCodes.ok;
}

async function readWish({ operands, options }: Invocation): Promise<PurgeWish> {
  const { all, yes, 'older-than': age } = options;
  const wishes = [operands.length > 0, all !== undefined, age !== undefined];
  if (wishes.filter(Boolean).length !== 1) {
    throw new UsageError('name digests, or say --older-than AGE, or --all');
  }
  if (all !== undefined) {
    if (yes === undefined) throw new UsageError('--all takes everything away: say --yes too');
    return { what: 'all' };
  }
  if (yes !== undefined) throw new UsageError('--yes belongs to --all');
  if (age !== undefined) {
    const duration = parseDuration(age);
    if (duration === undefined)
      throw new UsageError('--older-than takes an age such as 12h or 30d');
    return { what: 'unused', forMs: duration.ms };
  }
  const { parseDigest } = await import('../compose/cache.ts');
  const digests = operands.map((text) => {
    const digest = parseDigest(text);
    if (digest === undefined) throw new UsageError(`'${printable(text)}' is no digest`);
    return digest;
  });
  return { what: 'digests', digests };
}

function renderPurged({ blobs, partial, kept, absent, shared }: PurgedAll): string {
  const counts = [
    describeCount(blobs.files, 'blob'),
    describeBytes(blobs.bytes),
    ...(partial.files === 0 ? [] : [describePartial(partial)]),
    describeCount(kept.files, 'manifest or small blob', 'manifests and small blobs'),
  ];
  return [
    `purged ${counts.join(', ')}`,
    ...(shared === undefined ? [] : renderShared(shared)),
    ...absent.map((digest) => `${isUnclear(shared) ? 'not on this disk' : 'not here'}: ${digest}`),
  ].join('\n');
}

function isUnclear(shared: PurgedAll['shared']): boolean {
  return shared?.stopped !== undefined;
}

function renderShared({ blobs, kept, stopped }: NonNullable<PurgedAll['shared']>): string[] {
  const counts = [
    describeCount(blobs.files, 'blob'),
    describeBytes(blobs.bytes),
    describeCount(kept.files, 'manifest'),
  ];
  const because =
    stopped === undefined ? [] : [`the rest of it stays in S3: ${printable(stopped)}`];
  return [`in S3: ${counts.join(', ')}`, ...because];
}

function describePartial({ files, bytes }: Amount): string {
  return `${describeCount(files, 'unfinished file')} of ${describeBytes(bytes)}`;
}
