import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { digestOf } from '../../src/oci/digest.ts';
import { manifestMediaTypes } from '../../src/oci/media-types.ts';
import { signatureOf, writeConfiguration } from '../support/app-kit.ts';
import { buildImage } from '../support/build-image.ts';
import { startAssay } from '../support/run-assay.ts';
import { openScriptedRegistry } from '../support/scripted-registry.ts';

/**
 * Clients that stop reading in the middle of large layers (bug: 68 to 646 MB for one of them):
 * they cost a bounded amount of memory each, and nobody else waits for them.
 */

const mebibyte = 1024 * 1024;
const readers = 100;
const image = buildImage({ name: 'large', layerSizes: [20 * mebibyte] });
const layer = image.blobs[1]!;

/** `assay serve` in a process of its own, whose memory is nothing but its own. */
async function serve(t: Test, origin: string): Promise<{ oci: string; pid: number }> {
  const file = writeConfiguration(t, { upstreams: { reg: origin } });
  const child = startAssay(['serve', '--config', file]);
  const exited = once(child, 'exit');
  t.teardown(async () => {
    child.kill('SIGKILL');
    await exited;
  });
  for await (const text of createInterface({ input: child.stdout! })) {
    const line = JSON.parse(text) as { message: string; oci: string };
    if (line.message !== 'listening') continue;
    child.stdout?.resume();
    return { oci: line.oci, pid: child.pid! };
  }
  throw new Error('it ended before it listened');
}

function residentBytes(pid: number): number {
  const [, kibibytes] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))!;
  return Number(kibibytes) * 1024;
}

/** Memory once it has stopped growing: what was on its way has arrived. */
async function settledBytes(pid: number): Promise<number> {
  let [before, now] = [0, residentBytes(pid)];
  while (now > before + mebibyte / 4) {
    await pause(300);
    [before, now] = [now, residentBytes(pid)];
  }
  return now;
}

/** Asks for the layer, and stops reading as soon as it comes. */
async function stall(t: Test, oci: string): Promise<Socket> {
  const { hostname, port } = new URL(oci);
  const socket = connect(Number(port), hostname);
  t.teardown(() => socket.destroy());
  socket.write(`GET /v2/reg/app/blobs/${layer.descriptor.digest} HTTP/1.1\r\nHost: a\r\n\r\n`);
  await once(socket, 'readable');
  return socket;
}

async function pullLayer(oci: string): Promise<string> {
  const answer = await fetch(`${oci}/v2/reg/app/blobs/${layer.descriptor.digest}`);
  return digestOf(Buffer.from(await answer.arrayBuffer()));
}

const skip = existsSync('/proc/self/status') ? false : 'memory is read from /proc';

t.test(
  'a hundred stalled readers cost little memory, and nobody else a thing',
  { skip },
  async (t) => {
    const registry = await openScriptedRegistry(t);
    registry.put('app', image, 'v1');
    registry.put('app', signatureOf(image.descriptor));
    const { oci, pid } = await serve(t, registry.origin);
    const headers = { accept: manifestMediaTypes.join(', ') };
    t.equal((await fetch(`${oci}/v2/reg/app/manifests/v1`, { headers })).status, 200);
    for (let warm = 0; warm < 2; warm += 1) await pullLayer(oci);

    const before = await settledBytes(pid);
    const sockets = await Promise.all(Array.from({ length: readers }, () => stall(t, oci)));
    const stalled = await settledBytes(pid);
    const perReader = (stalled - before) / readers / mebibyte;
    t.ok(perReader < 1, `${perReader.toFixed(2)} MiB a reader`);

    t.equal(await pullLayer(oci), layer.descriptor.digest, 'another client gets it whole');
    const [first] = sockets;
    let received = 0;
    first?.on('data', (data: Buffer) => {
      received += data.byteLength;
      if (received >= layer.descriptor.size) first.end();
    });
    await once(first!, 'close');
    t.ok(received > layer.descriptor.size, 'who reads on gets the rest');
    t.ok(
      sockets.slice(1).every(({ destroyed }) => !destroyed),
      'the others still wait',
    );
  },
);
