import type { EventEmitter } from 'node:events';
import type { App } from './app.ts';
import { shutDown, type ShutdownTiming, shutdownTiming, stopSignal } from './shutdown.ts';

/**
 * Runs a listening app until a signal asks for its end, and ends it in order; SIGHUP reloads. On
 * SIGINT a person waits, so there is no delay for load balancers.
 */
export async function runUntilStopped(
  app: App,
  signals: EventEmitter,
  timing: ShutdownTiming = shutdownTiming,
): Promise<void> {
  const reload = (): void => void app.reload();
  signals.on('SIGHUP', reload);
  try {
    const signal = await stopSignal(signals);
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
