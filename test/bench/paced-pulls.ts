import { Agent, get } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';

/**
 * GETs of one URL at a steady pace, whether or not the earlier ones were answered, for as long as
 * `work` takes. Each time is from when the request was due to the end of its answer, in
 * milliseconds: who waits for answers before asking again sees one late answer where a hundred
 * clients would. Throws if any answer was no success.
 */
export async function pullDuring(
  url: string,
  intervalMs: number,
  work: () => Promise<unknown>,
): Promise<readonly number[]> {
  const agent = new Agent({ keepAlive: true });
  const over = new AbortController();
  const working = work().finally(() => over.abort());
  const pulls: Promise<number>[] = [];
  // One that fails is heard of at the end.
  working.catch(() => undefined);
  for (let due = performance.now(); !over.signal.aborted; due += intervalMs) {
    await pause(Math.max(0, due - performance.now()));
    const pull = pullOnce(url, agent, due);
    pull.catch(() => undefined);
    pulls.push(pull);
  }
  try {
    await working;
    return await Promise.all(pulls);
  } finally {
    agent.destroy();
  }
}

function pullOnce(url: string, agent: Agent, dueMs: number): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  const headers = { Accept: 'application/vnd.oci.image.manifest.v1+json' };
  get(url, { agent, headers }, (answer) => {
    answer.resume();
    answer.once('error', reject);
    answer.once('end', () => {
      if (answer.statusCode === 200) resolve(performance.now() - dueMs);
      else reject(new Error(`${url} answered ${answer.statusCode}`));
    });
  }).once('error', reject);
  return promise;
}

/** The value that this share of all is at most, such as 0.99. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((one, other) => one - other);
  return sorted[Math.ceil(sorted.length * share) - 1] ?? Number.NaN;
}
