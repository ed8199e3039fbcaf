import type { ChildProcess } from 'node:child_process';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { execForm, onlyOne, readDockerfile, type Stage } from '../support/dockerfile.ts';
import { spawnBare, unpackDockerfile } from '../support/unpack-dockerfile.ts';

const root = join(import.meta.dirname, '..', '..');
const stages = readDockerfile(await readFile(join(root, 'Dockerfile'), 'utf8'));
const last = stages.at(-1) as Stage;
// Two installs from the registry: where every tool must be there, the registry is.
const packages =
  process.env['ASSAY_REQUIRE_TOOLS'] === '1' ? undefined : join(root, 'node_modules');

t.setTimeout(300_000);

t.test('the image is one that a cluster with strict rules admits', async (t) => {
  const project = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as {
    dependencies: { node: string };
  };
  const bases = new Set(stages.map(({ base }) => base));
  t.strictSame([...bases], [`node:${project.dependencies.node}-bookworm-slim`], 'the pinned Node');
  t.match(onlyOne(last, 'USER'), /^[1-9]\d*:[1-9]\d*$/, 'a number that is not root');
  t.equal(onlyOne(last, 'EXPOSE'), '5000 5001');
  for (const keyword of ['HEALTHCHECK', 'ENTRYPOINT', 'CMD']) {
    t.equal(execForm(onlyOne(last, keyword)).length > 0, true, `${keyword} needs no shell`);
  }
  t.strictSame(
    last.instructions.filter(({ keyword }) => keyword === 'RUN' || keyword === 'ADD'),
    [],
    'the last stage only copies',
  );
});

t.test('what the image needs is in the build context, and no more than that', async (t) => {
  const rules = (await readFile(join(root, '.dockerignore'), 'utf8')).trim().split('\n');
  t.equal(rules[0], '*');
  const copied = stages
    .flatMap(({ instructions }) => instructions)
    .filter(({ keyword, text }) => keyword === 'COPY' && !text.includes('--from='))
    .flatMap(({ text }) => text.split(/\s+/).slice(0, -1));
  t.ok(copied.length > 0);
  t.strictSame(new Set(rules.slice(1)), new Set(copied.map((path) => `!${path}`)));
});

t.test('its build and start commands work in a bare folder', async (t) => {
  // Outside the checkout, whose node_modules would otherwise be found from within.
  const target = await mkdtemp(join(tmpdir(), 'assay-image-'));
  t.teardown(() => rm(target, { recursive: true, force: true }));
  const image = await unpackDockerfile(stages, { context: root, target, packages });
  const folder = join(image, onlyOne(last, 'WORKDIR'));
  const ports = await freePorts(2);
  await writeConfiguration(image, ports);
  const before = await filesIn(image);

  const command = [...execForm(onlyOne(last, 'ENTRYPOINT')), ...execForm(onlyOne(last, 'CMD'))].map(
    (word) => (word.startsWith('/') ? join(image, word) : word),
  );
  const server = start(t, command, folder);
  const healthCheck = execForm(onlyOne(last, 'HEALTHCHECK')).map((word) =>
    word.replace(':5001/', `:${ports[1]}/`),
  );
  t.equal(await healthy(healthCheck, folder, server), true, 'the health check passes');

  const answer = await fetch(`http://127.0.0.1:${ports[0]}/v2/`);
  t.equal(answer.status, 200, 'the OCI API answers');
  await answer.arrayBuffer();

  server.kill('SIGTERM');
  t.equal(await exitOf(server), 0, 'it stops when told to');
  const written = (await filesIn(image)).filter((path) => !before.includes(path));
  t.strictSame(
    written.filter((path) => !path.startsWith('var/lib/assay/')),
    [],
    'nothing was written but state: the root may be read-only',
  );
  t.equal(await exitOf(start(t, healthCheck, folder)), 1, 'the health check fails when it is gone');
});

/** The starter's configuration where the image looks for one, on ports that are free. */
async function writeConfiguration(image: string, ports: readonly number[]): Promise<void> {
  const folder = join(image, 'etc/assay');
  await mkdir(dirname(folder), { recursive: true });
  await cp(join(root, 'config'), folder, { recursive: true });
  const file = join(folder, 'assay.yaml');
  const text = (await readFile(file, 'utf8'))
    .replace('port: 5000', `port: ${ports[0]}`)
    .replace('port: 5001', `port: ${ports[1]}`)
    .replace('../data', join(image, 'var/lib/assay'));
  await writeFile(file, text);
}

function start(t: Test, words: readonly string[], cwd: string): ChildProcess {
  const child = spawnBare(words, cwd, ['ignore', 'ignore', 'inherit'], { NODE_ENV: 'production' });
  t.teardown(() => child.kill('SIGKILL'));
  return child;
}

/** Asks as an engine does, until the answer is yes, the server has ended or 20 s have passed. */
async function healthy(
  check: readonly string[],
  cwd: string,
  server: ChildProcess,
): Promise<boolean> {
  const deadline = AbortSignal.timeout(20_000);
  while (!deadline.aborted && server.exitCode === null) {
    if ((await exitOf(spawnBare(check, cwd, 'ignore'))) === 0) return true;
    await pause(100);
  }
  return false;
}

async function exitOf(child: ChildProcess): Promise<number | null> {
  if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', resolve);
  });
}

async function filesIn(folder: string): Promise<readonly string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile() && !entry.parentPath.includes('node_modules'))
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1));
}

/** Ports that nobody listened on a moment ago, all different. */
async function freePorts(count: number): Promise<readonly number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'));
  return Promise.all(
    servers.map(async (server) => {
      await new Promise((resolve) => server.once('listening', resolve));
      const address = server.address();
      await new Promise((resolve) => server.close(resolve));
      if (address === null || typeof address === 'string') throw new Error('no port');
      return address.port;
    }),
  );
}
