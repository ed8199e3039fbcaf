import { resolve } from 'node:path';
import { exportLayout } from '../airgap/export-layout.ts';
import { exportTar } from '../airgap/export-tar.ts';
import type { ExportPlan } from '../airgap/plan.ts';
import type { Config } from '../config/schema.ts';
import { type Clock, systemClock } from '../kernel/clock.ts';
import { makePinoLog } from '../observe/pino-log.ts';
import { exportAsBundle, exportRevocations } from './airgap-bundle.ts';
import { readPlanned } from './airgap-content.ts';
import {
  choosePlan,
  type Exporting,
  type ExportOptions,
  type ExportReport,
  planListed,
  toExported,
} from './airgap-exporting.ts';
import { type App, composeApp } from './app.ts';
import type { Address } from './listen.ts';
import { refreshEndedRoots } from './sigstore-refresh.ts';

export { readExportBase } from '../airgap/export-base.ts';
export { parseVolumeSize } from '../airgap/volume-size.ts';

const rootsMs = 20_000;

/**
 * Exports once: opens store, upstreams and gate by the configuration, and closes them. Throws
 * `ImageListError`, `StartupError`, `AirgapError`, and what layers below could not find out.
 */
export async function exportImages(
  config: Config,
  options: ExportOptions,
  signal: AbortSignal,
  clock: Clock = systemClock,
): Promise<ExportReport> {
  const opened = new AsyncDisposableStack();
  const app = async (): Promise<App> => {
    const log = makePinoLog({ level: 'silent' });
    const metrics = { count() {}, time() {}, set() {} };
    // A live server beside us is none of the hosts that anybody may send us to.
    const ownListeners = (): readonly Address[] => [config.listen, config.admin];
    const observed = { clock, log, metrics, ownListeners };
    await refreshEndedRoots(config, observed, AbortSignal.timeout(rootsMs));
    const made = await composeApp(config, { clock, log, isCommand: true });
    opened.defer(() => made.close());
    return made;
  };
  const exporting = { config, options, clock, app, opened };
  try {
    return await exporters[options.format](exporting, signal);
  } finally {
    await opened.disposeAsync();
  }
}

const exporters: Readonly<
  Record<
    ExportOptions['format'],
    (exporting: Exporting, signal: AbortSignal) => Promise<ExportReport>
  >
> = {
  bundle: exportAsBundle,
  'revocations-only': exportRevocations,
  oci: exportAsLayout,
  'oci-tar': exportAsLayout,
};

/** Nobody verifies a layout but who reads it: what the gate admits goes along. */
async function exportAsLayout(exporting: Exporting, signal: AbortSignal): Promise<ExportReport> {
  const { options } = exporting;
  const app = await exporting.app();
  const outcomes = await planListed(exporting, app, signal);
  const { plan, isRefused } = choosePlan(outcomes, options);
  const images = outcomes.map(toExported);
  if (isRefused) return { outcome: 'refused', images };
  const total = bytesOf(plan);
  const write = options.format === 'oci' ? exportLayout : exportTar;
  const memory: Buffer[] = [];
  await write(
    {
      path: resolve(options.out),
      plan,
      read: (content, stop) => readPlanned(content, app, stop, memory),
      onProgress: (done) => options.onProgress(done, total),
    },
    signal,
  );
  return { outcome: 'written', images };
}

function bytesOf({ contents }: ExportPlan): number {
  return [...contents.values()].reduce((sum, { size }) => sum + size, 0);
}
