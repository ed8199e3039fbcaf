import type { AirgapLayoutImport, LayoutImportReport } from '../compose/airgap-import-layout.ts';
import { systemClock } from '../kernel/clock.ts';
import type { Invocation } from './command.ts';
import { findConfig } from './find-config.ts';
import { makeProgress, type Progress } from './progress.ts';
import { describeBytes, describeCount } from './quantities.ts';
import { printable } from './terminal.ts';
import { untilStopped } from './until-stopped.ts';

/** `assay airgap import --format oci`. */
export async function importLayoutWithProgress(
  { config, terminal }: Invocation,
  wish: Omit<AirgapLayoutImport, 'onProgress'>,
): Promise<LayoutImportReport> {
  // Loaded when they are needed: `assay help` should not wait for them.
  const { loadConfig } = await import('../config/load.ts');
  const { importAirgapLayout } = await import('../compose/airgap-import-layout.ts');
  const loaded = await loadConfig(findConfig(config));
  let progress: Progress | undefined;
  const onProgress: AirgapLayoutImport['onProgress'] = (done, total) => {
    progress ??= makeProgress(total, terminal, systemClock);
    progress.show(done, total);
  };
  try {
    return await untilStopped((signal) =>
      importAirgapLayout(loaded, { ...wish, onProgress }, signal),
    );
  } finally {
    progress?.end();
  }
}

const outcomes = {
  published: 'published',
  held: 'is in force already',
  verified: 'verified, and not published',
  refused: 'refused: nothing was published',
} as const satisfies Record<LayoutImportReport['outcome'], string>;

/** Behind the lines of the images. */
export function renderLayoutSummary(report: LayoutImportReport): readonly string[] {
  const { outcome, generation, readBytes, heldBytes, freed } = report;
  const at = generation === undefined ? '' : ` as generation ${generation}`;
  return [
    `image layout: ${outcomes[outcome]}${at}`,
    `${describeBytes(readBytes)} read, ${describeBytes(heldBytes)} were here`,
    ...renderFreed(freed),
    'nobody signed the layout: an older one would have been taken as well',
  ];
}

/** What an import took away; no line where that was nothing. */
export function renderFreed(freed: LayoutImportReport['freed']): readonly string[] {
  if (freed === undefined) return [];
  const { generations, blobs, bytes, because } = freed;
  const counts = `${describeCount(generations, 'generation')} and ${describeCount(blobs, 'blob')}`;
  const isNothing = generations === 0 && blobs === 0;
  const told = isNothing
    ? []
    : [`freed ${bytes} bytes: ${counts} that nothing here names any more`];
  const why = because && `not everything that is old could be taken away: ${printable(because)}`;
  return why === undefined ? told : [...told, why];
}
