import { execFile } from 'node:child_process';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { readFile } from 'node:fs/promises';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, normalize } from 'node:path';
import t, { type Test } from 'tap';
import { Updater } from 'tuf-js';
import { rootsOf, someTargets, writeBundle } from '../support/metadata-kit.ts';
import { requireTool } from '../support/require-tool.ts';
import { makeFakeClock } from '../support/fake-clock.ts';

// Clients have clocks of their own: what they verify must last.
const end = '2199-01-01T00:00:00Z';
const expires = { targets: end, snapshot: end, timestamp: end };
const signers = { targets: ['ecdsa-targets', 'targets'], timestamp: ['timestamp-3'] };
const thresholds = { root: 2, targets: 2 };
const keys = {
  root: ['root-a', 'ecdsa-root'],
  targets: ['ecdsa-targets', 'targets'],
  timestamp: ['timestamp-3'],
};
const roots = await rootsOf(
  { expires: end },
  { expires: end, keys: { root: keys.root }, threshold: { root: 2 } },
  { expires: end, keys, threshold: thresholds },
);

interface Served {
  readonly url: string;
  readonly folder: string;
}

/** A bundle behind a server of files. */
async function serveBundle(t: Test): Promise<Served> {
  const folder = join(t.testdir(), 'bundle');
  const clock = makeFakeClock('2026-01-01T00:00:00Z');
  await writeBundle({ folder, roots, sequence: 7, signers, expires, clock });
  const server = createServer((request, response) => {
    const path = normalize(decodeURIComponent(request.url ?? '/'));
    readFile(join(folder, path)).then(
      (bytes) => response.end(bytes),
      () => response.writeHead(404).end(),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => server.close());
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, folder };
}

async function updaterOf(t: Test, url: string): Promise<Updater> {
  const trusted = join(t.testdirName, 'trusted');
  const targetDir = join(t.testdirName, 'downloads');
  mkdirSync(trusted);
  mkdirSync(targetDir);
  writeFileSync(join(trusted, 'root.json'), roots[0]);
  return new Updater({
    metadataDir: trusted,
    metadataBaseUrl: `${url}/metadata`,
    targetDir,
    targetBaseUrl: `${url}/targets`,
    forceCache: false,
  });
}

const expected = someTargets.map((target) => {
  if (!('bytes' in target)) throw new TypeError('it has no bytes at hand');
  return { path: target.path, bytes: Buffer.from(target.bytes) };
});

t.test('tuf-js verifies a bundle, from the first root on, and takes its targets', async (t) => {
  const { url } = await serveBundle(t);
  const updater = await updaterOf(t, url);
  await updater.refresh();
  for (const { path, bytes } of expected) {
    const info = await updater.getTargetInfo(path);
    if (info === undefined) throw new Error(`${path} is not known`);
    const file = await updater.downloadTarget(info, join(t.testdirName, 'downloads', 'one'));
    t.ok(readFileSync(file).equals(bytes), path);
  }
});

t.test('tuf-js refuses the same bundle with one byte changed', async (t) => {
  const { url, folder } = await serveBundle(t);
  const file = join(folder, 'metadata', '7.targets.json');
  writeFileSync(file, readFileSync(file, 'utf8').replace('"length": 2', '"length": 3'));
  const updater = await updaterOf(t, url);
  await t.rejects(updater.refresh());
});

t.test('python-tuf verifies a bundle, from the first root on, and takes its targets', async (t) => {
  const python = requireTool(t, 'tuf-python');
  if (python === undefined) return;
  const { url } = await serveBundle(t);
  const trusted = join(t.testdirName, '1.root.json');
  writeFileSync(trusted, roots[0]);
  const run = await runPython(python, [url, trusted, ...expected.map(({ path }) => path)]);
  t.equal(run.status, 0, run.stderr);
  t.strictSame(
    run.stdout.trim().split('\n'),
    expected.map(({ path, bytes }) => `${path} ${bytes.toString('hex')}`),
  );
});

t.test('python-tuf refuses the same bundle with one byte changed', async (t) => {
  const python = requireTool(t, 'tuf-python');
  if (python === undefined) return;
  const { url, folder } = await serveBundle(t);
  const file = join(folder, 'metadata', 'timestamp.json');
  writeFileSync(file, readFileSync(file, 'utf8').replace('"version": 7', '"version": 8'));
  const trusted = join(t.testdirName, '1.root.json');
  writeFileSync(trusted, roots[0]);
  const run = await runPython(python, [url, trusted]);
  t.not(run.status, 0);
  t.match(run.stderr, /UnsignedMetadataError/);
});

// tuf.ngclient as its manual shows it; the first argument is the URL, the second the trusted root.
const client = `
import sys, tempfile
from tuf.ngclient import Updater
url, root, *targets = sys.argv[1:]
with tempfile.TemporaryDirectory() as folder:
    updater = Updater(
        metadata_dir=folder, metadata_base_url=url + "/metadata/",
        target_dir=folder, target_base_url=url + "/targets/", bootstrap=open(root, "rb").read())
    updater.refresh()
    for target in targets:
        info = updater.get_targetinfo(target)
        with open(updater.download_target(info), "rb") as downloaded:
            print(target, downloaded.read().hex())
`;

interface PythonRun {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Beside our server, which is in this process. */
function runPython(python: string, words: readonly string[]): Promise<PythonRun> {
  return new Promise((resolve) => {
    execFile(
      python,
      ['-c', client, ...words],
      { timeout: 60_000, env: {} },
      (error, stdout, stderr) => {
        resolve({ status: error === null ? 0 : 1, stdout, stderr });
      },
    );
  });
}
