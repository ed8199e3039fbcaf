import type { ServerResponse } from 'node:http';
import type { ServerLimits } from './limits.ts';

/**
 * Destroys the connection of a client that leaves a full buffer waiting and takes less than
 * `minBytes` in an interval; an idle timeout alone never meets one that takes a byte now and
 * then. Returns the function that stops the watch.
 */
export function cutOffSlowReader(
  response: ServerResponse,
  { intervalMs, minBytes }: ServerLimits['slowReader'],
): () => void {
  let takenBefore = takenBy(response);
  const timer = setInterval(() => {
    const taken = takenBy(response);
    if (response.writableNeedDrain && taken - takenBefore < minBytes) response.destroy();
    takenBefore = taken;
  }, intervalMs);
  timer.unref();
  return () => clearInterval(timer);
}

/** Bytes that have left our buffers. */
function takenBy({ socket }: ServerResponse): number {
  return socket === null ? 0 : socket.bytesWritten - socket.writableLength;
}
