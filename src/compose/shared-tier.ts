import { setTimeout as delay } from 'node:timers/promises';
import type { ReadinessProbe } from '../admin/health.ts';
import type { Config } from '../config/schema.ts';
import { makeFleetFlight, noFleet } from '../gate/fleet-flight.ts';
import { messageOf } from '../kernel/tagged-error.ts';
import type { SharedContent } from '../storage/shared-content.ts';
import type { SharedTier } from '../upstream/shared-fill.ts';
import { blobFleetLimits, manifestFleetLimits, sharedSweep } from './limits.ts';
import { s3AddressOf } from './s3-address.ts';
import type { State } from './state.ts';
import type { Observed } from './verifier.ts';

type S3Config = NonNullable<Config['storage']['s3']>;

/** Content that replicas share, and what is said of it. */
export interface OpenedTier extends SharedTier {
  readonly probe: ReadinessProbe;
}

/**
 * As `storage.s3` has it, swept by one process of a host; closed by `opened`. Nothing is asked of
 * it yet: a replica starts without it too. Throws `StartupError`.
 */
export async function openSharedTier(
  s3: S3Config,
  state: Pick<State, 'fleet'>,
  observed: Observed,
  { opened, isKeeper }: { readonly opened: AsyncDisposableStack; readonly isKeeper: boolean },
): Promise<OpenedTier> {
  // Its client takes a tenth of a second to load, which only those who use it are to pay.
  const { openS3Content } = await import('./s3-content.ts');
  const address = await s3AddressOf(s3);
  const { prefix, redirects } = s3;
  const handsOut = redirects === 'verified';
  const content = openS3Content({ address, prefix, handsOut }, observed);
  opened.defer(() => content.close());
  if (isKeeper) keepSwept(content, observed, opened);
  const { fleet } = state;
  const flight = (limits: typeof blobFleetLimits, operation: string) =>
    fleet === undefined
      ? noFleet
      : makeFleetFlight({ ...fleet, limits }, observed.metrics, operation);
  return {
    content,
    blobs: flight(blobFleetLimits, 'fill-elsewhere'),
    manifests: flight(manifestFleetLimits, 'fetch-elsewhere'),
    probe: {
      name: 's3',
      // Without it this replica goes on; without all replicas nothing does.
      check: async () => ({
        ok: true,
        says: content.isUp() ? 'is asked' : 'does not answer: this replica goes on without it',
      }),
    },
  };
}

/** Every few hours, until `opened` is closed. */
function keepSwept(content: SharedContent, { log }: Observed, opened: AsyncDisposableStack): void {
  const ending = new AbortController();
  const { signal } = ending;
  const wait = (ms: number): Promise<unknown> =>
    delay(ms, undefined, { signal, ref: false }).catch(() => undefined);
  const run = async (): Promise<void> => {
    await wait(sharedSweep.delayMs);
    while (!signal.aborted) {
      try {
        const swept = await content.sweep(signal);
        if (swept.files > 0) log.info({ ...swept }, 'what was left unfinished in S3 was removed');
      } catch (error) {
        if (!signal.aborted) {
          log.warn(
            { error: messageOf(error) },
            'what was left unfinished in S3 can not be removed',
          );
        }
      }
      await wait(sharedSweep.everyMs);
    }
  };
  const running = run();
  opened.defer(async () => {
    ending.abort();
    await running;
  });
}
