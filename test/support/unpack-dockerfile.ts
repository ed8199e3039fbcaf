import { type ChildProcess, spawn, type StdioOptions } from 'node:child_process';
import { cp, mkdir, symlink } from 'node:fs/promises';
import { basename, delimiter, dirname, join, resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import type { Stage } from './dockerfile.ts';

/** Follows a Dockerfile without an engine: each stage is a folder that stands for its root. */
export interface Unpacking {
  /** The folder that the build context is in. */
  readonly context: string;
  /** An empty folder. */
  readonly target: string;
  /** Installed packages to link in the place of `npm ci`; without it, it runs as written. */
  readonly packages: string | undefined;
}

/** Runs the COPY and RUN instructions; returns the root of the last stage. */
export async function unpackDockerfile(
  stages: readonly Stage[],
  { context, target, packages }: Unpacking,
): Promise<string> {
  const roots = new Map<string, string>();
  let root = target;
  for (const [index, stage] of stages.entries()) {
    root = join(target, stage.name ?? `stage-${index}`);
    if (stage.name !== undefined) roots.set(stage.name, root);
    let folder = root;
    for (const { keyword, text: instruction } of stage.instructions) {
      if (keyword === 'WORKDIR') folder = join(root, instruction);
      await mkdir(folder, { recursive: true });
      if (keyword === 'COPY') await copy(instruction, { context, roots, root, folder });
      if (keyword === 'RUN') await run(instruction, folder, packages);
    }
  }
  return root;
}

interface Places {
  readonly context: string;
  readonly roots: ReadonlyMap<string, string>;
  readonly root: string;
  readonly folder: string;
}

async function copy(instruction: string, places: Places): Promise<void> {
  const words = instruction.split(/\s+/);
  const from = words.find((word) => word.startsWith('--from='))?.slice('--from='.length);
  const paths = words.filter((word) => !word.startsWith('--'));
  const origin = from === undefined ? places.context : places.roots.get(from);
  if (origin === undefined) throw new Error(`COPY from the unknown stage ${from}`);
  const destination = paths.at(-1) ?? '';
  const to = destination.startsWith('/')
    ? join(places.root, destination)
    : resolve(places.folder, destination);
  for (const path of paths.slice(0, -1)) {
    const target = destination.endsWith('/') ? join(to, basename(path)) : to;
    await cp(join(origin, path), target, { recursive: true, verbatimSymlinks: true });
  }
}

async function run(command: string, folder: string, packages: string | undefined): Promise<void> {
  if (packages !== undefined && command.startsWith('npm ci')) {
    return symlink(packages, join(folder, 'node_modules'));
  }
  const child = spawnBare(['sh', '-c', command], folder, ['ignore', 'pipe', 'pipe']);
  const ended = new Promise((settle) => child.once('close', settle));
  const streams = [child.stdout, child.stderr].filter((stream) => stream !== null);
  const [code, ...output] = await Promise.all([ended, ...streams.map((stream) => text(stream))]);
  if (code !== 0) throw new Error(`${command} failed: ${output.join('\n').slice(-2000)}`);
}

/**
 * Runs a program as the base image would: this Node first on the path, the machine's own settings,
 * and nothing of the project's, of npm's or of tap's, which would follow into every child. So
 * `env` clears it all again, after tap has put its own into what is spawned.
 */
export function spawnBare(
  words: readonly string[],
  cwd: string,
  stdio: StdioOptions,
  extra: Readonly<Record<string, string>> = {},
): ChildProcess {
  const path = (process.env['PATH'] ?? '')
    .split(delimiter)
    .filter((entry) => !entry.includes('node_modules'));
  const settings = Object.entries(process.env).filter(
    ([name]) => !/^(?:npm_|_?TAP|ASSAY_|NODE_ENV$|NODE_OPTIONS$)/.test(name),
  );
  const environment = {
    ...Object.fromEntries(settings),
    PATH: [dirname(process.execPath), ...path].join(delimiter),
    ...extra,
  };
  const pairs = Object.entries(environment).map(([name, value]) => `${name}=${value}`);
  return spawn('env', ['-i', ...pairs, ...words], { cwd, stdio });
}
