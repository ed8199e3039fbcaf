import type { EventEmitter } from 'node:events';
import type { PinoLog } from '../observe/pino-log.ts';
import type { Addresses } from './listen.ts';
import {
  hearStopSignals,
  type Signal,
  type Stoppable,
  shutDown,
  type ShutdownTiming,
  shutdownTiming,
} from './shutdown.ts';

/** What runs until it is stopped: composeApp's app, or several processes as one. */
export interface Runnable extends Stoppable {
  readonly log: PinoLog;
  /** Resolves with the URLs. Throws `StartupError`. */
  listen(): Promise<Addresses>;
  /** Never rejects. */
  reload(): Promise<void>;
  /** Rejects where it can not go on; never resolves. */
  readonly failure?: Promise<never>;
}

/**
 * Listens, and runs the app until a signal asks for its end, which comes in order; SIGHUP reloads.
 * Signals are heard from before it listens, so that none ends the process half-way. On SIGINT a
 * person waits, so there is no delay for load balancers. Throws `StartupError` where it can't
 * listen, and what the app failed by; the app is closed in any case.
 */
export async function runUntilStopped(
  app: Runnable,
  signals: EventEmitter,
  onListening: (addresses: Addresses) => void,
  timing: ShutdownTiming = shutdownTiming,
): Promise<void> {
  const reload = (): void => void app.reload();
  signals.on('SIGHUP', reload);
  const stops = hearStopSignals(signals);
  try {
    await listen(app, onListening);
    const cause = await Promise.race([stops.first, failureOf(app)]);
    const impatient = new AbortController();
    const isStopped = typeof cause === 'string';
    app.log.info(isStopped ? { signal: cause } : {}, 'shutting down');
    void (isStopped ? stops.second : stops.first).then(() => impatient.abort());
    await shutDown(app, { ...timing, ...hurryOf(cause, timing) }, impatient.signal);
    app.log.info({}, 'stopped');
    await app.log.flush();
    if (!isStopped) throw cause.error;
  } finally {
    signals.off('SIGHUP', reload);
    stops.close();
  }
}

interface Failed {
  readonly error: unknown;
}

async function failureOf({ failure }: Pick<Runnable, 'failure'>): Promise<Failed> {
  return (failure ?? new Promise<never>(() => undefined)).catch((error: unknown) => ({ error }));
}

/** Whoever starts it anew after a failure should not wait long for the last answers. */
const maxStreamsAfterFailureMs = 10_000;

function hurryOf(cause: Signal | Failed, timing: ShutdownTiming): Partial<ShutdownTiming> {
  if (cause === 'SIGTERM') return {};
  if (cause === 'SIGINT') return { drainDelayMs: 0 };
  return { maxStreamsMs: Math.min(timing.maxStreamsMs, maxStreamsAfterFailureMs) };
}

async function listen(app: Runnable, onListening: (addresses: Addresses) => void): Promise<void> {
  try {
    onListening(await app.listen());
  } catch (error) {
    await app.close();
    throw error;
  }
}
