import type { EventEmitter } from 'node:events';
import type { App } from './app.ts';
import type { Addresses } from './listen.ts';
import { shutDown, type ShutdownTiming, shutdownTiming, stopSignal } from './shutdown.ts';

/**
 * Listens, and runs the app until a signal asks for its end, which comes in order; SIGHUP reloads.
 * Signals are heard from before it listens, so that none ends the process half-way. On SIGINT a
 * person waits, so there is no delay for load balancers. Throws `StartupError` where it can't
 * listen; the app is closed in any case.
 */
export async function runUntilStopped(
  app: App,
  signals: EventEmitter,
  onListening: (addresses: Addresses) => void,
  timing: ShutdownTiming = shutdownTiming,
): Promise<void> {
  const reload = (): void => void app.reload();
  signals.on('SIGHUP', reload);
  const stopped = stopSignal(signals);
  try {
    await listen(app, onListening);
    const signal = await stopped;
    app.log.info({ signal }, 'shutting down');
    const impatient = new AbortController();
    void stopSignal(signals).then(() => impatient.abort());
    const delay = signal === 'SIGINT' ? { drainDelayMs: 0 } : {};
    await shutDown(app, { ...timing, ...delay }, impatient.signal);
    app.log.info({}, 'stopped');
    await app.log.flush();
  } finally {
    signals.off('SIGHUP', reload);
  }
}

async function listen(app: App, onListening: (addresses: Addresses) => void): Promise<void> {
  try {
    onListening(await app.listen());
  } catch (error) {
    await app.close();
    throw error;
  }
}
