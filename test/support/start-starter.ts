import { join } from 'node:path';
import type { Test } from 'tap';
import { type App, composeApp } from '../../src/compose/app.ts';
import type { Addresses } from '../../src/compose/listen.ts';
import { loadConfig } from '../../src/config/load.ts';
import type { Config } from '../../src/config/schema.ts';
import { manifestMediaTypes } from '../../src/oci/media-types.ts';
import { makePinoLog } from '../../src/observe/pino-log.ts';

export const repositoryRoot = join(import.meta.dirname, '..', '..');

export interface Started extends Addresses {
  readonly app: App;
  /** The log, parsed. */
  readonly lines: readonly Readonly<Record<string, unknown>>[];
}

/**
 * The starter's configuration, but on free ports, with a folder of its own for state, and without
 * refreshing Sigstore's root over the network.
 */
export async function loadStarter(t: Test): Promise<Config> {
  const config = await loadConfig(join(repositoryRoot, 'config', 'assay.yaml'));
  return {
    ...config,
    listen: { ...config.listen, port: 0 },
    admin: { ...config.admin, port: 0 },
    trust: { ...config.trust, offline: true },
    storage: { ...config.storage, path: join(t.testdir(), 'data') },
  };
}

/** The whole app on the configuration, listening; closed with the test. */
export async function startApp(t: Test, config: Config): Promise<Started> {
  const lines: Record<string, unknown>[] = [];
  const write = (line: string): void => {
    lines.push(JSON.parse(line) as Record<string, unknown>);
  };
  const app = await composeApp(config, {
    log: makePinoLog({ level: 'info', destination: { write } }),
  });
  t.teardown(() => app.close());
  return { app, lines, ...(await app.listen()) };
}

/** As clients ask: any kind of manifest. */
export function get(url: string, init: RequestInit = {}): Promise<Response> {
  return fetch(url, { headers: { accept: manifestMediaTypes.join(', ') }, ...init });
}
