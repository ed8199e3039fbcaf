import type { Config } from '../config/schema.ts';
import { lookAgainChannel, makeLookAgain, type SharedLookAgain } from '../gate/look-again.ts';
import { makeSeal } from '../gate/sealed.ts';
import { systemClock } from '../kernel/clock.ts';
import { type Reference, referenceSuffix } from '../oci/reference.ts';
import { type Repository, scopeOf } from '../oci/repository.ts';
import type { Log } from '../observe/log.ts';
import type { Metrics } from '../observe/metric-list.ts';
import { readImageName } from './image-name.ts';
import { denyIntervalMs } from './limits.ts';
import { openSealKeys } from './state-folder.ts';
import { openShared, type State } from './state.ts';
import type { Observed } from './verifier.ts';
import { openZoneBeside, upstreamKeys } from './zone.ts';

/** Takes over at once, and every second, what is to be looked at anew, until `opened` is closed. */
export async function followLookAgain(
  { store, seal, notifications }: Pick<State, 'store' | 'seal' | 'notifications'>,
  observed: Observed,
  opened: AsyncDisposableStack,
): Promise<SharedLookAgain> {
  const lookAgain = makeLookAgain({ store, seal, notifications, ...observed });
  await lookAgain.look();
  let running: Promise<void> | undefined;
  const look = (): void => {
    running ??= lookAgain.look().finally(() => {
      running = undefined;
    });
  };
  const timer = setInterval(look, denyIntervalMs);
  timer.unref();
  const leave = notifications.subscribe(lookAgainChannel, look);
  opened.defer(async () => {
    clearInterval(timer);
    leave();
    await running;
  });
  return lookAgain;
}

const silentLog: Log = { debug() {}, info() {}, warn() {}, error() {} };
const noMetrics: Metrics = { count() {}, time() {}, set() {} };

/**
 * Has every replica on this configuration look at the references anew: a digest alone, a tag with
 * everything in its repository. Throws `StartupError`, `ImageNameError` and `UnavailableError`.
 */
export async function askToLookAgain(config: Config, images: readonly string[]): Promise<void> {
  const opened = new AsyncDisposableStack();
  try {
    const silent = { clock: systemClock, log: silentLog, metrics: noMetrics };
    const zone = await openZoneBeside(config, silent, opened);
    const names = images.map((image) => {
      const { repository, reference } = readImageName(image, upstreamKeys(config, zone));
      return nameOf(repository, reference);
    });
    const { store, notifications } = await openShared(config, opened);
    const seal = makeSeal(await openSealKeys(config));
    const observed = { clock: systemClock, log: silentLog };
    await makeLookAgain({ store, seal, notifications, ...observed }).ask(names);
  } finally {
    await opened.disposeAsync();
  }
}

/** Which digest a tag has led to is every replica's own to know. */
function nameOf(repository: Repository, reference: Reference): string {
  const scope = scopeOf(repository);
  return 'tag' in reference ? scope : `${scope}${referenceSuffix(reference)}`;
}
