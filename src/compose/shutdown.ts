import { setTimeout as delay } from 'node:timers/promises';
import type { EventEmitter } from 'node:events';

/** How long each step of an orderly end may take. */
export interface ShutdownTiming {
  /** Between "not ready" and the end of listening: load balancers ask every few seconds. */
  readonly drainDelayMs: number;
  /** For answers that are under way; then they are cut. */
  readonly maxStreamsMs: number;
  /** How often connections that have become idle are closed meanwhile. */
  readonly idleSweepMs: number;
}

export const shutdownTiming: ShutdownTiming = {
  drainDelayMs: 3_000,
  maxStreamsMs: 300_000,
  idleSweepMs: 250,
};

/** What is shut down: composeApp's app. */
export interface Stoppable {
  /** From now on `/readyz` says no; everything is still served. */
  beginDraining(): void;
  /** Stops listening; resolves when all answers are sent and all is closed. */
  close(): Promise<void>;
  closeIdleConnections(): void;
  destroyConnections(): void;
}

export type Signal = 'SIGTERM' | 'SIGINT';

/** Signals that ask for the end. */
export interface StopSignals {
  /** Resolves with the first. */
  readonly first: Promise<Signal>;
  /** Resolves with one that comes after it. */
  readonly second: Promise<Signal>;
  close(): void;
}

/**
 * Heard all the time until it is closed: where nobody hears one, as between a first and a second
 * that come at once, it ends the process on the spot.
 */
export function hearStopSignals(signals: EventEmitter): StopSignals {
  const first = Promise.withResolvers<Signal>();
  const second = Promise.withResolvers<Signal>();
  let next = first;
  const hear = (signal: Signal) => (): void => {
    next.resolve(signal);
    next = second;
  };
  const heard = { SIGTERM: hear('SIGTERM'), SIGINT: hear('SIGINT') };
  for (const [signal, listener] of Object.entries(heard)) signals.on(signal, listener);
  return {
    first: first.promise,
    second: second.promise,
    close() {
      for (const [signal, listener] of Object.entries(heard)) signals.off(signal, listener);
    },
  };
}

/**
 * Ends in order: not ready at once, a moment for load balancers to notice, no more connections,
 * answers under way are finished, and what is not within the time is cut. A second signal
 * (`impatient` aborts) cuts at once.
 */
export async function shutDown(
  app: Stoppable,
  timing: ShutdownTiming,
  impatient: AbortSignal,
): Promise<void> {
  app.beginDraining();
  await waited(timing.drainDelayMs, impatient);
  const closing = app.close();
  const sweep = setInterval(() => app.closeIdleConnections(), timing.idleSweepMs);
  const ended = new AbortController();
  const cutLate = async (): Promise<void> => {
    await waited(timing.maxStreamsMs, AbortSignal.any([impatient, ended.signal]));
    if (!ended.signal.aborted) app.destroyConnections();
  };
  const cut = cutLate();
  try {
    await closing;
  } finally {
    ended.abort();
    clearInterval(sweep);
    await cut;
  }
}

/** Resolves after the time, or as soon as the signal aborts. */
async function waited(ms: number, signal: AbortSignal): Promise<void> {
  await delay(ms, undefined, { signal }).catch(() => undefined);
}
