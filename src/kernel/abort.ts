/** A signal that aborts with the caller's own, or after `timeoutMs`, whichever comes first. */
export function withDeadline(timeoutMs: number, signal?: AbortSignal): AbortSignal {
  const deadline = AbortSignal.timeout(timeoutMs);
  return signal === undefined ? deadline : AbortSignal.any([signal, deadline]);
}

/** A signal for one piece of work, which disposes of it when it is over. */
export interface Deadline extends Disposable {
  readonly signal: AbortSignal;
}

/**
 * The same for work whose end is known, at a fraction of the processor time: neither a timer nor
 * a tie to the caller's signal outlives it.
 */
export function openDeadline(timeoutMs: number, signal: AbortSignal): Deadline {
  const controller = new AbortController();
  const timer = setTimeout(() => {
    const message = 'The operation was aborted due to timeout';
    controller.abort(new DOMException(message, 'TimeoutError'));
  }, timeoutMs).unref();
  const follow = (): void => controller.abort(signal.reason);
  if (signal.aborted) follow();
  else signal.addEventListener('abort', follow, { once: true });
  return {
    signal: controller.signal,
    [Symbol.dispose]() {
      clearTimeout(timer);
      signal.removeEventListener('abort', follow);
    },
  };
}

/** Rejects with the signal's reason as soon as it aborts; otherwise settles as the promise does. */
export async function abortable<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  // Once nobody waits any more, its failure is nobody's, and must not end the process.
  promise.catch(() => undefined);
  signal.throwIfAborted();
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const onAbort = (): void => reject(signal.reason);
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}
