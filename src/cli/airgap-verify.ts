import type { BundleFinding, BundleVerification } from '../compose/airgap-inspect.ts';
import { systemClock } from '../kernel/clock.ts';
import type { Command, Invocation } from './command.ts';
import { type ExitCode, exitCodes } from './exit-codes.ts';
import { makeProgress } from './progress.ts';
import { describeBytes, describeCount } from './quantities.ts';
import { type Paint, printable } from './terminal.ts';
import { untilStopped } from './until-stopped.ts';
import { UsageError } from './usage-error.ts';

export const airgapVerify: Command = {
  name: 'airgap verify',
  summary: 'reads a whole bundle, and names what is damaged or missing',
  operands: 'DIR…',
  description: [
    'Verifies the signed metadata, compares the index with what the bundle says is in it, and hashes',
    'every chunk of every volume. A volume may lie in any of the folders, in several copies as well:',
    'what is whole in one of them can be had. With --root it also says that the bundle is of the',
    'stream of that root; without it only that nothing was damaged since somebody signed it. Nothing',
    'is brought in, and no policy is asked: `airgap import --verify-only` does that.',
    'Exits with 1 if the bundle is not to be believed or damaged, with 2 if parts of it are missing.',
  ].join('\n'),
  options: [{ name: 'root', value: 'FILE', does: 'the root metadata that must vouch for it' }],
  examples: [
    { line: 'assay airgap verify --root root.json /media/usb', does: 'before it goes on its way' },
    { line: 'assay airgap verify disc-1 disc-2 --json', does: 'volumes from two folders' },
  ],
  run: async (invocation) => {
    const verification = await verifyWithProgress(invocation);
    const { terminal, json } = invocation;
    const { findings } = verification;
    terminal.out(
      json ? JSON.stringify(verification, null, 2) : render(verification, terminal.paint),
    );
    return exitCodeOf(findings);
  },
};

async function verifyWithProgress({
  operands,
  options,
  terminal,
}: Invocation): Promise<BundleVerification> {
  const [first] = operands;
  if (first === undefined) throw new UsageError('DIR is missing: the folder of a bundle');
  const { root } = options;
  // Loaded when it is needed: `assay help` should not wait for it.
  const { verifyAirgap } = await import('../compose/airgap-inspect.ts');
  const progress = makeProgress(0, terminal, systemClock);
  const place = { folders: operands, root: typeof root === 'string' ? root : undefined };
  const show = (done: number, total: number): void => progress.show(done, total);
  try {
    return await untilStopped((signal) => verifyAirgap(place, show, systemClock, signal));
  } finally {
    progress.end();
  }
}

const missingCodes = new Set(['METADATA_MISSING', 'TARGET_MISSING', 'VOLUME_MISSING']);

function exitCodeOf(findings: readonly BundleFinding[]): ExitCode {
  if (findings.length === 0) return exitCodes.ok;
  const isIncomplete = findings.every(({ code }) => missingCodes.has(code));
  return isIncomplete ? exitCodes.inconclusive : exitCodes.untrusted;
}

const maxLines = 200;

function render({ vouchedBy, bundle, findings }: BundleVerification, paint: Paint): string {
  const lines = findings
    .slice(0, maxLines)
    .map(({ code, message }) => `${paint('red', code)}: ${printable(message)}`);
  const more = findings.length - lines.length;
  return [
    ...(bundle === undefined ? [] : [describe(bundle)]),
    ...lines,
    ...(more > 0 ? [`and ${describeCount(more, 'finding')} more: see --json`] : []),
    verdictOf(vouchedBy, findings, paint),
  ].join('\n');
}

function describe(bundle: NonNullable<BundleVerification['bundle']>): string {
  const { stream, sequence, targets, volumes, blobs, readBytes } = bundle;
  const counts = [
    describeCount(targets, 'target'),
    describeCount(volumes, 'volume'),
    describeCount(blobs, 'blob'),
  ].join(', ');
  return `bundle ${sequence} of stream ${stream}: ${counts}, ${describeBytes(readBytes)} read`;
}

function verdictOf(
  vouchedBy: BundleVerification['vouchedBy'],
  findings: readonly BundleFinding[],
  paint: Paint,
): string {
  const whose =
    vouchedBy === 'pinned'
      ? 'the root that was given vouches for it'
      : 'integrity only: without --root nothing says whose it is';
  if (findings.length === 0) return `${paint('green', 'whole')}; ${whose}`;
  return `${paint('red', describeCount(findings.length, 'finding'))}; ${whose}`;
}
