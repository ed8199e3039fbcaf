import { fork } from 'node:child_process';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { handOver, type HandedConfig, takeOver } from '../config/hand-over.ts';
import type { Config } from '../config/schema.ts';
import { messageOf, TaggedError } from '../kernel/tagged-error.ts';
import { blameOf } from './airgap-failure.ts';
import { importAirgap } from './airgap-import.ts';
import type { DropOutcome } from './drop-watch.ts';

/** What the process that imports is told. */
export interface DropWish {
  readonly config: HandedConfig;
  readonly folder: string;
}

/**
 * Imports a bundle in a process of its own: whatever it costs is none of the server's, and it may
 * end at any point. Rejects where the signal aborts.
 */
export async function importApart(
  config: Config,
  folder: string,
  signal: AbortSignal,
): Promise<DropOutcome> {
  const here = import.meta.url;
  // .ts in a checkout and .js in dist, as this one.
  const program = fileURLToPath(new URL(`./drop-import-main${extname(here)}`, here));
  const child = fork(program, [], { serialization: 'advanced', signal, killSignal: 'SIGKILL' });
  const { promise, resolve, reject } = Promise.withResolvers<DropOutcome>();
  child.once('message', (outcome: DropOutcome) => resolve(outcome));
  child.once('error', (error) => {
    if (signal.aborted) reject(error);
    else resolve({ outcome: 'failed', isPassing: true, because: messageOf(error) });
  });
  child.once('exit', (code) => {
    const because = `the process that imported it ended with ${code ?? 'a signal'}`;
    resolve({ outcome: 'failed', isPassing: true, because });
  });
  const wish: DropWish = { config: handOver(config), folder };
  // Where it could not start that is told above.
  child.send(wish, () => undefined);
  return promise;
}

/** In that process. */
export async function importDropped({ config, folder }: DropWish): Promise<DropOutcome> {
  const { signal } = new AbortController();
  try {
    const taken = takeOver(config);
    const untrusted = taken.airgap?.dropUntrusted ?? 'refuse-all';
    const { outcome, sequence, generation, receipt, images, freed } = await importAirgap(
      taken,
      { places: [folder], mode: 'import', untrusted, onProgress: () => undefined },
      signal,
    );
    const told = {
      sequence,
      ...(generation !== undefined && { generation }),
      ...(receipt !== undefined && { receipt }),
      ...(freed !== undefined && { freedBytes: freed.bytes }),
    };
    const refused = images.filter(
      (image) => image.outcome === 'denied' || image.outcome === 'unclear',
    );
    const named = refused.map(({ reference, reason }) => `${reference}: ${reason}`).slice(0, 10);
    const because = named.length > 0 ? { because: named.join('; ') } : {};
    const isIn = outcome === 'published' || outcome === 'held';
    return { outcome: isIn ? outcome : 'refused', isPassing: false, ...told, ...because };
  } catch (error) {
    const code = error instanceof TaggedError ? `${error.code as string}: ` : '';
    const isPassing = blameOf(error) !== 'bundle';
    return { outcome: 'failed', isPassing, because: `${code}${messageOf(error)}` };
  }
}
