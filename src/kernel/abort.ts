/** A signal that aborts with the caller's own, or after `timeoutMs`, whichever comes first. */
export function withDeadline(timeoutMs: number, signal?: AbortSignal): AbortSignal {
  const deadline = AbortSignal.timeout(timeoutMs);
  return signal === undefined ? deadline : AbortSignal.any([signal, deadline]);
}

/**
 * Does work that ends with the caller's signal, or after `timeoutMs`, whichever comes first; at a
 * fraction of that signal's processor time, as neither a timer nor a tie to the caller's signal
 * outlives the work.
 */
export async function inTime<T>(
  timeoutMs: number,
  signal: AbortSignal,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const controller = new AbortController();
  const timer = setTimeout(() => {
    const message = 'The operation was aborted due to timeout';
    controller.abort(new DOMException(message, 'TimeoutError'));
  }, timeoutMs).unref();
  const follow = (): void => controller.abort(signal.reason);
  if (signal.aborted) follow();
  else signal.addEventListener('abort', follow, { once: true });
  try {
    return await work(controller.signal);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', follow);
  }
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
