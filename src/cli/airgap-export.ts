import type { ExportOptions, ExportReport } from '../compose/airgap-exporting.ts';
import { systemClock } from '../kernel/clock.ts';
import { exactly } from './arguments.ts';
import type { Command, GivenOptions, Invocation } from './command.ts';
import { type ExitCode, exitCodes } from './exit-codes.ts';
import { findConfig } from './find-config.ts';
import { makeProgress } from './progress.ts';
import { renderExport } from './render-export.ts';
import { UsageError } from './usage-error.ts';
import { untilStopped } from './until-stopped.ts';

export const airgapExport: Command = {
  name: 'airgap export',
  summary: 'writes images and all that proves them for a site without a network',
  operands: '',
  description: [
    'Asks the gate for each image of a list, as a client would, and writes what it trusts into a',
    'bundle: manifests and blobs, every signature, attestation and SBOM, and the policy, trust stores,',
    'Sigstore roots and revocation data that verify them. All of it is verified again offline, with',
    'nothing but what goes along; if an image would not be trusted so, nothing is written.',
    'One that was stopped goes on where it was when the same command runs again. The file has',
    '`images:`, as that of `cache warm`.',
    'Exits with 1 if an image is denied, waived or not there, with 2 if it could not be found out.',
  ].join('\n'),
  options: [
    { name: 'images', value: 'FILE', does: 'the list of images' },
    { name: 'out', value: 'PATH', does: 'a new folder; with --format oci-tar a new file' },
    {
      name: 'since',
      value: 'WHAT',
      does: 'leave out what a bundle held: the number of one that is imported there, or its receipt',
    },
    {
      name: 'volume-size',
      value: 'SIZE',
      does: 'such as 4GiB, or cd, dvd, fat32, bd25; fat32 unless told',
    },
    {
      name: 'keys',
      value: 'DIR',
      does: 'the keys of `airgap init`; those of airgap.keys unless told',
    },
    { name: 'format', value: 'FORMAT', does: 'bundle, or an image layout: oci, oci-tar' },
    { name: 'skip-denied', does: 'leave out what is not trusted, and say so' },
    { name: 'revocations-only', does: 'in an emergency: denials and revocation data, no content' },
  ],
  examples: [
    {
      line: 'assay airgap export --images images.yaml --out /media/usb/1',
      does: 'all of it, the first time',
    },
    {
      line: 'assay airgap export --images images.yaml --out /media/usb/2 --since 1',
      does: 'what is new since bundle 1',
    },
    {
      line: 'assay airgap export --images images.yaml --out /media/usb/2 --since receipt.txt',
      does: 'what the site that printed the receipt does not have',
    },
    {
      line: 'assay airgap export --revocations-only --out /media/usb/3',
      does: 'something was revoked: a few kilobytes that can be imported at once',
    },
  ],
  run: async (invocation) => {
    exactly(invocation.operands);
    const report = await exportWithProgress(invocation);
    const { terminal, json } = invocation;
    terminal.out(json ? JSON.stringify(report, null, 2) : renderExport(report, terminal.paint));
    return exitCodeOf(report);
  },
};

async function exportWithProgress(invocation: Invocation): Promise<ExportReport> {
  const { config, terminal, options } = invocation;
  // Loaded when they are needed: `assay help` should not wait for them.
  const { loadConfig } = await import('../config/load.ts');
  const { exportImages, parseVolumeSize, readExportBase } =
    await import('../compose/airgap-export.ts');
  const asked = readWish(options, parseVolumeSize);
  const wish = { ...asked, since: await readSince(options, asked.format, readExportBase) };
  const loaded = await loadConfig(findConfig(config));
  const progress = makeProgress(0, terminal, systemClock);
  const onProgress: ExportOptions['onProgress'] = (done, total) => progress.show(done, total);
  try {
    return await untilStopped((signal) => exportImages(loaded, { ...wish, onProgress }, signal));
  } finally {
    progress.end();
  }
}

function readWish(
  options: GivenOptions,
  parseSize: (text: string) => number | undefined,
): Omit<ExportOptions, 'onProgress' | 'since'> {
  const { images, out, keys, 'volume-size': size = 'fat32' } = options;
  if (typeof out !== 'string') throw new UsageError('--out is missing: where it is written');
  const format = readFormat(options);
  if (format === 'revocations-only' ? images !== undefined : typeof images !== 'string') {
    throw new UsageError(
      format === 'revocations-only'
        ? '--revocations-only takes no --images: it is about what was exported'
        : '--images is missing: the list of images',
    );
  }
  const volumeBytes = typeof size === 'string' ? parseSize(size) : undefined;
  if (volumeBytes === undefined) {
    throw new UsageError('--volume-size takes a size such as 4GiB, or cd, dvd, fat32, bd25');
  }
  return {
    images: typeof images === 'string' ? images : undefined,
    out,
    format,
    keys: typeof keys === 'string' ? keys : undefined,
    volumeBytes,
    untrusted: options['skip-denied'] === undefined ? 'refuse' : 'leave-out',
  };
}

const formats = ['bundle', 'oci', 'oci-tar'] as const;

function readFormat({ format = 'bundle', 'revocations-only': isEmergency }: GivenOptions) {
  const known = formats.find((each) => each === format);
  if (known === undefined) throw new UsageError('--format takes bundle, oci or oci-tar');
  if (isEmergency === undefined) return known;
  if (known === 'bundle') return 'revocations-only';
  throw new UsageError(`--revocations-only makes a bundle, and no ${known}`);
}

async function readSince(
  { since }: GivenOptions,
  format: ExportOptions['format'],
  read: (text: string) => Promise<ExportOptions['since']>,
): Promise<ExportOptions['since']> {
  if (typeof since !== 'string') return undefined;
  if (format !== 'bundle') throw new UsageError('--since belongs to a bundle with images');
  const base = await read(since);
  if (base !== undefined) return base;
  throw new UsageError('--since takes the number of a bundle, from 1, a receipt, or its file');
}

function exitCodeOf({ outcome, images }: ExportReport): ExitCode {
  if (outcome !== 'refused') return exitCodes.ok;
  return images.some((image) => image.outcome === 'failed')
    ? exitCodes.inconclusive
    : exitCodes.untrusted;
}
