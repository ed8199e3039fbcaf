import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { Agent, request as requestOverTls } from 'node:https';
import { setTimeout as pause } from 'node:timers/promises';
import { manifestMediaTypes } from '../../src/oci/media-types.ts';
import { messageOf } from '../../src/kernel/tagged-error.ts';
import type { Artifact, BuiltBlob } from './build-image.ts';

export interface PullingClientOptions {
  /** Of the front. */
  readonly origin: string;
  readonly ca: string;
  /** Its own address on this machine: 127.0.0.0/8 is all ours. */
  readonly address: string;
  /** Called with bytes of a blob as they come: how many of it there are by now. */
  readonly onReceived?: (digest: string, bytes: number) => void;
}

/**
 * A client that pulls as containerd does: index, child, then config and layers side by side; what
 * can not be had at the moment is asked for again, what broke off from where it broke off.
 */
export interface PullingClient {
  readonly address: string;
  /**
   * The platform's image of the index at the tag. Rejects on any wrong byte, on any answer that is
   * neither right nor a passing failure, and when all attempts at something are used up.
   */
  pull(repository: string, tag: string, index: Artifact, platform: number): Promise<void>;
  /** What it asked again for, by cause. */
  readonly again: ReadonlyMap<string, number>;
  close(): void;
}

const layersAtOnce = 3;
const maxAttempts = 40;
const firstPauseMs = 100;
const maxPauseMs = 1_000;
/** Longer than anything in between waits. */
const hungMs = 80_000;
const passing: ReadonlySet<number> = new Set([502, 503]);

export function openPullingClient(options: PullingClientOptions): PullingClient {
  const { origin, ca, address, onReceived = () => undefined } = options;
  const agent = new Agent({
    keepAlive: true,
    maxSockets: layersAtOnce,
    ca,
    localAddress: address,
    servername: 'localhost',
  });
  const again = new Map<string, number>();
  const signal = AbortSignal.timeout.bind(AbortSignal, hungMs);

  const get = async (path: string, content: BuiltBlob): Promise<void> => {
    let have = 0;
    for (let attempt = 1; ; attempt += 1) {
      const { until, why } = await getOnce(path, content, have);
      if (why === undefined) return;
      again.set(why, (again.get(why) ?? 0) + 1);
      if (attempt === maxAttempts) throw new Error(`${path}: ${maxAttempts} attempts: ${why}`);
      have = until;
      await pause(Math.min(maxPauseMs, firstPauseMs * attempt));
    }
  };

  const getOnce = async (path: string, content: BuiltBlob, from: number): Promise<Attempt> => {
    const answer = await ask(path, from).catch((error: unknown) => messageOf(error));
    if (typeof answer === 'string') return { until: from, why: answer };
    const { statusCode: status = 0, headers } = answer;
    if (status !== 200 && status !== 206) {
      answer.destroy();
      if (passing.has(status)) return { until: from, why: String(status) };
      throw new Error(`${path}: ${status} ${String(headers['x-assay-reason'])}`);
    }
    const start = status === 200 ? 0 : Number(/^bytes (\d+)-/.exec(headers['content-range']!)?.[1]);
    if (start !== 0 && start !== from) throw new Error(`${path}: begins at ${start}, not ${from}`);
    return read(path, answer, content, start);
  };

  const ask = async (path: string, from: number): Promise<IncomingMessage> => {
    const accept = manifestMediaTypes.join(', ');
    const range = from === 0 ? {} : { range: `bytes=${from}-` };
    const headers = { accept, ...range };
    const request = requestOverTls(`${origin}/v2/${path}`, { agent, headers, signal: signal() });
    request.end();
    const [answer] = (await once(request, 'response')) as [IncomingMessage];
    return answer;
  };

  const read = async (
    path: string,
    answer: IncomingMessage,
    { bytes, descriptor: { digest } }: BuiltBlob,
    start: number,
  ): Promise<Attempt> => {
    let at = start;
    let isWrong = false;
    try {
      for await (const chunk of answer as AsyncIterable<Buffer>) {
        isWrong = !chunk.equals(bytes.subarray(at, at + chunk.byteLength));
        if (isWrong) break;
        at += chunk.byteLength;
        onReceived(digest, at);
      }
    } catch (error) {
      return { until: at, why: `broke off: ${messageOf(error)}` };
    }
    if (isWrong) throw new Error(`${path}: a wrong byte after ${at}`);
    if (at !== bytes.byteLength) throw new Error(`${path}: ended well after ${at}`);
    return { until: at, why: undefined };
  };

  return {
    address,
    again,
    async pull(repository, tag, index, platform) {
      await get(`${repository}/manifests/${tag}`, index);
      const child = index.children[platform]!;
      await get(`${repository}/manifests/${child.descriptor.digest}`, child);
      const waiting = [...child.blobs];
      const work = async (): Promise<void> => {
        for (let blob = waiting.shift(); blob !== undefined; blob = waiting.shift()) {
          await get(`${repository}/blobs/${blob.descriptor.digest}`, blob);
        }
      };
      await Promise.all(Array.from({ length: layersAtOnce }, work));
    },
    close: () => agent.destroy(),
  };
}

interface Attempt {
  /** How many bytes it has by now. */
  readonly until: number;
  /** Undefined: it has all. */
  readonly why: string | undefined;
}
