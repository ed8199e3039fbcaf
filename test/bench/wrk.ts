import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

export interface Load {
  readonly requestsPerSecond: number;
  readonly p99Ms: number;
  /** Of bodies and headers. */
  readonly bytes: number;
  readonly bytesPerSecond: number;
}

const run = promisify(execFile);

/**
 * Warm requests for one URL over keep-alive connections, from the second core. Throws if any
 * answer was no success: speed at saying no is not what is measured.
 */
export async function load(
  url: string,
  { seconds, connections = 32 }: { readonly seconds: number; readonly connections?: number },
): Promise<Load> {
  const accept = 'Accept: application/vnd.oci.image.manifest.v1+json';
  const options = ['-t1', `-c${connections}`, `-d${seconds}s`, '--latency', '-H', accept, url];
  const { stdout } = await run('taskset', ['-c', '1', 'wrk', ...options]);
  if (/Non-2xx/.test(stdout))
    throw new Error(`not every answer of ${url} was a success: ${stdout}`);
  const requestsPerSecond = Number(/Requests\/sec:\s+([\d.]+)/.exec(stdout)?.[1]);
  const [, latency, unit = ''] = /99%\s+([\d.]+)(us|ms|s)/.exec(stdout) ?? [];
  const factor = { us: 0.001, ms: 1, s: 1000 }[unit] ?? Number.NaN;
  const bytes = bytesIn(/, ([\d.]+)([KMGT]?B) read$/m.exec(stdout));
  const bytesPerSecond = bytesIn(/Transfer\/sec:\s+([\d.]+)([KMGT]?B)/.exec(stdout));
  if (!Number.isFinite(requestsPerSecond)) throw new Error(`wrk said: ${stdout}`);
  return { requestsPerSecond, p99Ms: Number(latency) * factor, bytes, bytesPerSecond };
}

const units: Readonly<Record<string, number>> = { B: 0, KB: 1, MB: 2, GB: 3, TB: 4 };

function bytesIn(match: RegExpExecArray | null): number {
  const [, number, unit = ''] = match ?? [];
  return Number(number) * 1024 ** (units[unit] ?? Number.NaN);
}
