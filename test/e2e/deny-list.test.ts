import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { composeApp } from '../../src/compose/app.ts';
import type { SharedState } from '../../src/compose/state.ts';
import { loadConfig } from '../../src/config/load.ts';
import { manifestMediaTypes } from '../../src/oci/media-types.ts';
import { makePinoLog } from '../../src/observe/pino-log.ts';
import { makeLocalNotifications } from '../../src/storage/local-notifications.ts';
import { makeMemoryKeyValue } from '../../src/storage/memory-key-value.ts';
import type { Notifications } from '../../src/storage/notifications.ts';
import { signatureOf, writeConfiguration } from '../support/app-kit.ts';
import { openBlobClient } from '../support/blob-client.ts';
import { type BuiltBlob, buildImage } from '../support/build-image.ts';
import { empty } from '../support/deny-kit.ts';
import { runAssay } from '../support/run-assay.ts';
import { openScriptedRegistry } from '../support/scripted-registry.ts';
import { startServe } from '../support/serve-process.ts';

const token = 'a-token-of-more-than-thirty-two-characters';
const largeBytes = 32 * 1024 * 1024;
const image = buildImage({ name: 'denied', layerSizes: [1000, largeBytes] });
const { digest } = image.descriptor;
const large = image.blobs[2] as BuiltBlob;
const words = ['--reason', 'INC-1', '--owner', 'sre@acme.example'];

/** As over a network that lost its way: nobody is told anything. */
const deafNotifications: Notifications = {
  publish: () => Promise.reject(new Error('nobody listens')),
  subscribe: () => () => undefined,
  close: async () => undefined,
};

async function openRegistry(t: Test): Promise<string> {
  const registry = await openScriptedRegistry(t);
  registry.put('app', image, 'v1');
  registry.put('app', signatureOf(image.descriptor));
  return registry.origin;
}

async function statusOf(oci: string, path = 'manifests/v1'): Promise<number> {
  const headers = { accept: manifestMediaTypes.join(', ') };
  const answer = await fetch(`${oci}/v2/reg/app/${path}`, { headers });
  await answer.arrayBuffer();
  return answer.status;
}

/** Asks until the status is that one; the time limit of the test is the bound. */
async function becomes(oci: string, status: number, path?: string): Promise<void> {
  while ((await statusOf(oci, path)) !== status) await pause(50);
}

async function askAdmin(admin: string, method: string, path: string, body?: object) {
  return await fetch(`${admin}${path}`, {
    method,
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
}

/** Replicas that share their state, each with storage of its own. */
async function startReplicas(t: Test, notifications: Notifications) {
  const upstreams = { reg: await openRegistry(t) };
  const state = { keys: ['k'.repeat(32)] };
  const file = writeConfiguration(t, { upstreams, config: { state } });
  const config = await loadConfig(file);
  const shared: SharedState = { store: makeMemoryKeyValue(), notifications };
  const lines: string[] = [];
  const log = makePinoLog({ level: 'info', destination: { write: (line) => lines.push(line) } });
  const start = async (name: string) => {
    const storage = { ...config.storage, path: join(config.storage.path, name) };
    const admin = { ...config.admin, token: { ...config.state!.keys[0]!, reveal: () => token } };
    const app = await composeApp({ ...config, storage, admin }, { log, shared });
    t.teardown(async () => {
      app.destroyConnections();
      await app.close();
    });
    return { app, ...(await app.listen()) };
  };
  return { here: await start('here'), there: await start('there'), shared, lines };
}

for (const [how, notifications] of [
  ['that are told', makeLocalNotifications],
  ['that nobody tells anything', () => deafNotifications],
] as const) {
  t.test(`a denial is in force within 5 s on replicas ${how}`, { timeout: 30_000 }, async (t) => {
    const { here, there, lines } = await startReplicas(t, notifications());
    const reader = async (origin: string) => {
      t.equal(await statusOf(origin), 200);
      const client = openBlobClient(t, origin, `/v2/reg/app/blobs/${large.descriptor.digest}`, {
        expected: large.bytes,
        stallAfter: 100_000,
      });
      await client.reaches(100_000);
      return client;
    };
    const clients = [await reader(here.oci), await reader(there.oci)];
    const began = performance.now();
    const wish = { digest, reason: 'INC-1', owner: 'sre@acme.example' };
    const added = await askAdmin(here.admin, 'POST', '/v1/deny', wish);
    t.equal(added.status, 201);
    t.equal(await statusOf(here.oci), 403, 'at once where it was said');
    await becomes(there.oci, 403);
    t.ok(performance.now() - began < 5000, 'within 5 s');
    t.equal(await statusOf(there.oci, `manifests/${digest}`), 403);
    t.equal(await statusOf(there.oci, `blobs/${large.descriptor.digest}`), 403);
    for (const client of clients) {
      client.resume();
      const { isComplete, isRightSoFar } = await client.ended;
      t.equal(isComplete, false, 'what was under way is cut');
      t.equal(isRightSoFar, true);
    }
    const cuts = lines.filter((line) => line.includes('an answer was cut'));
    t.equal(cuts.length, clients.length);
    const { id } = (await added.json()) as { id: string };
    t.equal((await askAdmin(there.admin, 'DELETE', `/v1/deny/${id}`)).status, 200);
    await becomes(here.oci, 200);
  });
}

t.test('a shared state that is emptied denies on', { timeout: 30_000 }, async (t) => {
  const { here, there, shared, lines } = await startReplicas(t, deafNotifications);
  const wish = { digest, reason: 'INC-1', owner: 'sre@acme.example' };
  await askAdmin(here.admin, 'POST', '/v1/deny', wish);
  await becomes(there.oci, 403);
  await empty(shared.store);
  while (!lines.some((line) => line.includes('it is published again'))) await pause(50);
  while ((await shared.store.keys('deny/', 10)).length === 0) await pause(50);
  for (const { oci } of [here, there]) t.equal(await statusOf(oci), 403);
  const metrics = await (await fetch(`${there.admin}/metrics`)).text();
  t.match(metrics, /^assay_deny_list_entries\{kind="digest"\} 1$/m);
});

t.test('commands beside a live server deny, show and take back', { timeout: 60_000 }, async (t) => {
  const upstreams = { reg: await openRegistry(t) };
  const admin = { host: '127.0.0.1', port: 0, token };
  const file = writeConfiguration(t, { upstreams, config: { admin } });
  const config = await loadConfig(file);
  const assay = (...given: string[]) => runAssay([...given, '--config', file]);
  const server = await startServe(t, file);
  t.equal(await statusOf(server.oci), 200);
  const added = await assay('deny', 'add', '--digest', digest, ...words, '--json');
  t.equal(added.code, 0, added.stderr);
  await becomes(server.oci, 403);
  const verified = await assay('verify', 'reg/app:v1');
  t.equal(verified.code, 1, verified.stderr);
  t.match(verified.stdout, /is on the deny list: INC-1 \(sre@acme.example\)/);
  const ready = await (await fetch(`${server.admin}/readyz`)).text();
  t.match(ready, /epoch 1, 1 in force/);

  await server.kill();
  await rm(join(config.storage.path, 'state'), { recursive: true });
  const restarted = await startServe(t, file);
  t.equal(await statusOf(restarted.oci), 403, 'the copy outlives the state');
  t.match((await assay('deny', 'list')).stdout, /1 entry in force/);

  const over = ['--admin', restarted.admin];
  const listed = await assay('deny', 'list', ...over, '--json');
  t.match(JSON.parse(listed.stdout), { entries: [{ what: digest, reason: 'INC-1' }] });
  const wrong = await assay('deny', 'add', ...over, '--digest', 'sha256:1', ...words);
  t.equal(wrong.code, 64);
  t.match(wrong.stderr, /digest must be/);
  const removed = await assay('deny', 'remove', ...over, '--digest', digest);
  t.equal(removed.code, 0, removed.stderr);
  await becomes(restarted.oci, 200);
});
