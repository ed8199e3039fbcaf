import { type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import t, { type Test } from 'tap';
import { runAssay, startAssay } from '../support/run-assay.ts';
import { get, repositoryRoot } from '../support/start-starter.ts';

/** A folder with the starter's configuration on other ports. */
async function makeFolder(t: Test, port: string | number = 0): Promise<string> {
  const config = await readFile(join(repositoryRoot, 'config', 'assay.yaml'), 'utf8');
  const here = join(repositoryRoot, 'config');
  const text = config
    .replace('port: 5000', `port: ${port}`)
    .replace('port: 5001', 'port: 0')
    .replace('./demo', join(here, 'demo'))
    .replace('./trust-policy.yaml', join(here, 'trust-policy.yaml'))
    .replace('./trust', join(here, 'trust'))
    .replace('../data', './data');
  return t.testdir({ 'assay.yaml': text });
}

/** Starts `assay serve` and waits until it says where it listens. */
async function serve(t: Test, folder: string) {
  const child = startAssay(['serve'], { cwd: folder });
  const exited = once(child, 'exit') as Promise<[number | null, string | null]>;
  t.teardown(() => child.kill('SIGKILL'));
  const lines = createInterface({ input: child.stdout ?? process.stdin });
  const messages = logMessages(lines);
  const listening = await messages.next('listening');
  return {
    child,
    exited,
    messages,
    oci: String(listening['oci']),
    admin: String(listening['admin']),
  };
}

function logMessages(lines: AsyncIterable<string>) {
  const iterator = lines[Symbol.asyncIterator]();
  return {
    /** The next log line with this message. */
    async next(message: string): Promise<Record<string, unknown>> {
      for (;;) {
        const { value, done } = await iterator.next();
        if (done === true) throw new Error(`the log ended before ${message}`);
        const line = JSON.parse(value) as Record<string, unknown>;
        if (line['message'] === message) return line;
      }
    },
  };
}

function kill(child: ChildProcess, signal: NodeJS.Signals): void {
  if (!child.kill(signal)) throw new Error('the process is gone');
}

t.test('it serves, writes only under its storage, and ends on SIGINT with 0', async (t) => {
  const folder = await makeFolder(t);
  const { child, exited, messages, oci } = await serve(t, folder);
  t.equal((await get(`${oci}/v2/demo/app/manifests/signed-jws`)).status, 200);
  t.equal((await get(`${oci}/v2/demo/app/manifests/unsigned`)).status, 403);
  kill(child, 'SIGINT');
  await messages.next('shutting down');
  await messages.next('stopped');
  t.same(await exited, [0, null]);
  t.same((await readdir(folder)).toSorted(), ['assay.yaml', 'data']);
});

t.test('on SIGTERM it is not ready at once, and ends with 0', async (t) => {
  const { child, exited, messages, oci, admin } = await serve(t, await makeFolder(t));
  kill(child, 'SIGTERM');
  await messages.next('shutting down');
  t.equal((await fetch(`${admin}/readyz`)).status, 503);
  t.equal((await get(`${oci}/v2/demo/app/manifests/signed-jws`)).status, 200, 'still served');
  kill(child, 'SIGTERM');
  t.same(await exited, [0, null]);
});

t.test('SIGHUP loads policy and trust material anew', async (t) => {
  const { child, messages } = await serve(t, await makeFolder(t));
  kill(child, 'SIGHUP');
  const { policy } = await messages.next('policy and trust material reloaded');
  t.match(policy, /^[0-9a-f]{64}$/);
});

t.test('verify runs beside a live server on the same configuration', async (t) => {
  const folder = await makeFolder(t);
  await serve(t, folder);
  const { code, stdout } = await runAssay(['verify', 'demo/app:signed-cose'], { cwd: folder });
  t.equal(code, 0);
  t.match(stdout, /^trusted /);
});

t.test('a port that is taken is one line and exit code 1', async (t) => {
  const taken = createServer();
  taken.listen(0, '127.0.0.1');
  await once(taken, 'listening');
  t.teardown(() => taken.close());
  const address = taken.address();
  const port = typeof address === 'object' ? address?.port : undefined;
  const { code, stderr } = await runAssay(['serve'], { cwd: await makeFolder(t, port) });
  t.equal(code, 1);
  t.equal(
    stderr,
    `assay: listen: 127.0.0.1:${port} can not be used: another process listens there\n`,
  );
});
