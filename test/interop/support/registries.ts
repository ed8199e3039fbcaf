import { join } from 'node:path';
import { mkdirSync, writeFileSync } from 'node:fs';
import type { Test } from 'tap';
import { requireTool } from '../../support/require-tool.ts';
import { firstLine, freePort, listening, type Running, startProcess } from './process.ts';

/** A real registry on a port of this machine, over plain HTTP. */
export interface Registry {
  /** The upstream's key in our configuration. */
  readonly key: string;
  /** HOST:PORT. */
  readonly address: string;
  readonly origin: string;
}

export type RegistryKind = keyof typeof starters;

/** Every kind of upstream that the tests know. */
export const registryKinds: readonly RegistryKind[] = [
  'referrers',
  'distribution',
  'crane',
  'olareg',
];

/** With a folder of its own; undefined where its program is missing, which has been reported. */
export async function startRegistry(
  t: Test,
  kind: RegistryKind,
  folder: string,
): Promise<Registry | undefined> {
  const { tool, start } = starters[kind];
  const program = requireTool(t, tool);
  if (program === undefined) return undefined;
  mkdirSync(folder, { recursive: true });
  const address = `127.0.0.1:${await start(t, program, folder)}`;
  return { key: `${kind}.test`, address, origin: `http://${address}` };
}

interface Starter {
  readonly tool: string;
  /** Resolves with the port once it answers. */
  readonly start: (t: Test, program: string, folder: string) => Promise<number>;
}

const starters = {
  /** go-containerregistry's registry with the referrers API. */
  referrers: {
    tool: 'referrers-registry',
    start: (t, program) => portSaid(startProcess(t, program, []), /^listening on .*:(\d+)$/),
  },
  /** Has no referrers API: signatures lie in the index under their subject's tag. */
  distribution: {
    tool: 'registry',
    start: (t, program, folder) => {
      const file = join(folder, 'registry.yaml');
      const storage = { filesystem: { rootdirectory: join(folder, 'registry') } };
      const http = { addr: '127.0.0.1:0' };
      // JSON is YAML.
      writeFileSync(file, JSON.stringify({ version: '0.1', storage, http }));
      const env = { OTEL_TRACES_EXPORTER: 'none' };
      const running = startProcess(t, program, ['serve', file], { env });
      return portSaid(running, /msg="listening on .*:(\d+)"/);
    },
  },
  /** The same code as `referrers`, as released: without the referrers API. */
  crane: {
    tool: 'crane',
    start: (t, program) => {
      const running = startProcess(t, program, ['registry', 'serve', '--address', '127.0.0.1:0']);
      return portSaid(running, /serving on port (\d+)$/);
    },
  },
  /** Answers the referrers API with 200 and a list that is null for what lies under a tag. */
  olareg: {
    tool: 'olareg',
    start: async (t, program, folder) => {
      // It does not say which port it took.
      const port = await freePort();
      const words = ['serve', '--addr', '127.0.0.1', '--port', String(port), '--dir', folder];
      await listening(startProcess(t, program, words), port);
      return port;
    },
  },
} as const satisfies Record<string, Starter>;

function portSaid(running: Running, pattern: RegExp): Promise<number> {
  return firstLine(running, (line) => {
    const [, port] = pattern.exec(line) ?? [];
    return port === undefined ? undefined : Number(port);
  });
}
