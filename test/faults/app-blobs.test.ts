import { once } from 'node:events';
import t, { type Test } from 'tap';
import { type AppKit, signatureOf, startAppKit } from '../support/app-kit.ts';
import { makeBarrier } from '../support/barrier.ts';
import { type BuiltBlob, buildImage } from '../support/build-image.ts';
import { connectTo, exchangeRaw } from '../support/route-server.ts';
import { gzipped, htmlPage, redirectTo } from '../support/scripted-answers.ts';
import { openScriptedRegistry, type ScriptedRegistry } from '../support/scripted-registry.ts';
import type { Step } from '../support/scripted-upstream.ts';

/** Whatever the upstream does with a blob: no client ever completes a wrong one. */

type Four = [BuiltBlob, BuiltBlob, BuiltBlob, BuiltBlob];
const image = buildImage({ name: 'blobs', layerSizes: [300_000, 700, 65_536, 0] });
const [large, small, exact, empty] = [1, 2, 3, 4].map((at) => image.blobs[at]!) as Four;

interface Kit extends AppKit {
  readonly registry: ScriptedRegistry;
}

async function open(t: Test): Promise<Kit> {
  const registry = await openScriptedRegistry(t);
  registry.put('app', image, 'v1');
  registry.put('app', signatureOf(image.descriptor));
  const kit = await startAppKit(t, { upstreams: { reg: registry.origin } });
  t.equal((await kit.ask('reg/app/manifests/v1')).status, 200);
  return { ...kit, registry };
}

interface RawReply {
  readonly status: number;
  readonly headers: ReadonlyMap<string, string>;
  readonly body: Buffer;
  /** As many bytes as were stated. */
  readonly isComplete: boolean;
}

/** As on the wire, until the connection ends: a client library might hide what came. */
async function askRaw(t: Test, port: number, method: string, blob: BuiltBlob): Promise<RawReply> {
  const target = `/v2/reg/app/blobs/${blob.descriptor.digest}`;
  const text = await exchangeRaw(
    t,
    port,
    `${method} ${target} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`,
  );
  const end = text.indexOf('\r\n\r\n');
  const [line = '', ...lines] = text.slice(0, end).split('\r\n');
  const headers = new Map(
    lines.map((each) => {
      const colon = each.indexOf(': ');
      return [each.slice(0, colon).toLowerCase(), each.slice(colon + 2)] as const;
    }),
  );
  const body = Buffer.from(text.slice(end + 4), 'latin1');
  const isComplete = headers.get('content-length') === String(body.length);
  return { status: Number(line.split(' ')[1]), headers, body, isComplete };
}

function flipped(bytes: Uint8Array, at: number): Buffer {
  const copy = Buffer.from(bytes);
  copy[at] = (copy[at] ?? 0) ^ 1;
  return copy;
}

interface Case {
  readonly step: (answer: Step, bytes: Uint8Array) => Step;
  /** The right bytes come, or not. */
  readonly ends: 'well' | 'badly';
}

const headersOf = (step: Step, more: Step['headers']): Step => ({
  ...step,
  headers: { ...step.headers, ...more },
});
const body = (change: (bytes: Uint8Array) => Uint8Array, length?: 'unstated'): Case['step'] => {
  return (answer, bytes) => ({ ...answer, body: change(bytes), ...(length && { length }) });
};
const cutAt = (share: number): Case['step'] => {
  return (answer, bytes) => ({ ...answer, cutAt: Math.floor(bytes.length * share) });
};

const cases: Readonly<Record<string, Case>> = {
  'as it is': { step: (answer) => answer, ends: 'well' },
  'in chunks': { step: body((bytes) => bytes, 'unstated'), ends: 'well' },
  'gzipped on the way': { step: (answer) => gzipped(answer), ends: 'well' },
  'under another type': {
    step: (answer) => headersOf(answer, { 'content-type': 'text/plain' }),
    ends: 'well',
  },
  'under another digest': {
    step: (answer) => headersOf(answer, { 'docker-content-digest': `sha256:${'0'.repeat(64)}` }),
    ends: 'well',
  },
  'cut before its first byte': { step: cutAt(0), ends: 'badly' },
  // What is missing after a cut is asked for, and comes.
  'cut in the middle': { step: cutAt(0.5), ends: 'well' },
  'cut before its last byte': { step: cutAt(0.999_999), ends: 'well' },
  'cut between chunks': {
    step: (answer, bytes) => ({
      ...answer,
      length: 'unstated',
      cutAt: Math.floor(bytes.length / 2),
    }),
    ends: 'well',
  },
  'with its first byte flipped': { step: body((bytes) => flipped(bytes, 0)), ends: 'badly' },
  'with its middle byte flipped': {
    step: body((bytes) => flipped(bytes, bytes.length >> 1)),
    ends: 'badly',
  },
  'with its last byte flipped': {
    step: body((bytes) => flipped(bytes, bytes.length - 1)),
    ends: 'badly',
  },
  'flipped, in chunks': {
    step: body((bytes) => flipped(bytes, bytes.length - 1), 'unstated'),
    ends: 'badly',
  },
  'shorter, and saying so': { step: body((bytes) => bytes.subarray(1)), ends: 'badly' },
  'shorter, in chunks': { step: body((bytes) => bytes.subarray(1), 'unstated'), ends: 'badly' },
  'longer, and saying so': {
    step: body((bytes) => Buffer.concat([bytes, Buffer.from('more')])),
    ends: 'badly',
  },
  'longer, in chunks': {
    step: body((bytes) => Buffer.concat([bytes, Buffer.from('more')]), 'unstated'),
    ends: 'badly',
  },
  'without an end': {
    step: () => ({ endless: Buffer.alloc(65_536) }),
    ends: 'badly',
  },
  empty: { step: body(() => Buffer.alloc(0)), ends: 'badly' },
  'empty, in chunks': { step: body(() => Buffer.alloc(0), 'unstated'), ends: 'badly' },
  'said to be gzipped': {
    step: (answer) => headersOf(answer, { 'content-encoding': 'gzip' }),
    ends: 'badly',
  },
  'in an unknown coding': {
    step: (answer) => headersOf(answer, { 'content-encoding': 'rot13' }),
    ends: 'badly',
  },
  "as a portal's page": { step: () => htmlPage(), ends: 'badly' },
  'as a part that nobody asked for': {
    step: (answer) => ({ ...answer, status: 206 }),
    ends: 'badly',
  },
  'as nothing': { step: () => ({ status: 204 }), ends: 'badly' },
  'from an address of our network': {
    step: () => redirectTo('https://127.0.0.1:1/blob'),
    ends: 'badly',
  },
  'by plain http from elsewhere': {
    step: () => redirectTo('http://blobs.example/blob'),
    ends: 'badly',
  },
};

for (const [what, { step, ends }] of Object.entries(cases)) {
  t.test(`a blob that comes ${what} ends ${ends}`, async (t) => {
    const kit = await open(t);
    for (const blob of [large, small, exact]) {
      const { bytes, descriptor } = blob;
      kit.registry.setFault(({ path }, answer) =>
        path.endsWith(descriptor.digest) ? step(answer, bytes) : undefined,
      );
      const reply = await askRaw(t, kit.port, 'GET', blob);
      const name = `${descriptor.size} bytes`;
      if (ends === 'well') {
        t.equal(reply.status, 200, name);
        t.ok(reply.isComplete && reply.body.equals(bytes), `${name}: whole and right`);
        t.equal(reply.headers.get('content-encoding'), undefined);
      } else if (reply.status === 200) {
        t.equal(reply.headers.get('content-length'), String(descriptor.size), name);
        t.notOk(reply.isComplete, `${name}: ${reply.body.length} bytes came`);
      } else {
        t.match(String(reply.status), /^50[23]$/, name);
        t.match(String(reply.body), /^\{"errors":\[\{"code":"UNAVAILABLE"/);
      }
      kit.registry.setFault(undefined);
      const again = await askRaw(t, kit.port, 'GET', blob);
      t.ok(again.isComplete && again.body.equals(bytes), `${name}: right, when all is well`);
    }
  });
}

t.test('an empty layer is served', async (t) => {
  const kit = await open(t);
  const reply = await askRaw(t, kit.port, 'GET', empty);
  t.equal(reply.status, 200);
  t.equal(reply.headers.get('content-length'), '0');
});

t.test('HEAD has the headers of GET', async (t) => {
  const kit = await open(t);
  for (const blob of image.blobs) {
    const [head, get] = [
      await askRaw(t, kit.port, 'HEAD', blob),
      await askRaw(t, kit.port, 'GET', blob),
    ];
    const comparable = ({ headers }: RawReply) => [...headers].filter(([name]) => name !== 'date');
    t.same(comparable(head), comparable(get));
    t.equal(head.status, get.status);
    t.equal(head.body.length, 0);
  }
});

t.test('an upstream that answers HEAD wrongly takes nothing away and adds nothing', async (t) => {
  const kit = await open(t);
  const unsigned = buildImage({ name: 'blobs, unsigned' });
  kit.registry.put('app', unsigned);
  for (const step of [{ status: 404 }, { status: 405 }, { headers: { 'content-length': '1' } }]) {
    kit.registry.setFault(({ method }) => (method === 'HEAD' ? step : undefined));
    for (const method of ['HEAD', 'GET']) {
      t.equal((await askRaw(t, kit.port, method, large)).status, 200, method);
      const denied = await askRaw(t, kit.port, method, unsigned.blobs[1]!);
      t.equal(denied.status, 403, `${method}: it exists, and is denied`);
    }
  }
});

t.test('a layer that upstream lost is not found, and nothing is served for it', async (t) => {
  const kit = await open(t);
  kit.registry.setFault(({ path }) => (path.includes('/blobs/') ? { status: 404 } : undefined));
  const reply = await askRaw(t, kit.port, 'GET', large);
  t.equal(reply.status, 404);
  t.match(String(reply.body), 'BLOB_UNKNOWN');
  kit.registry.setFault(undefined);
  t.ok((await askRaw(t, kit.port, 'GET', large)).body.equals(large.bytes));
});

t.test('while one blob hangs others come, and it comes too, whoever leaves', async (t) => {
  const kit = await open(t);
  const until = makeBarrier();
  kit.registry.setFault(({ path }, answer) =>
    path.endsWith(large.descriptor.digest)
      ? { ...answer, pauseAt: { bytes: 200_000, until } }
      : undefined,
  );
  const socket = await connectTo(t, kit.port);
  let received = 0;
  socket.on('data', (data: Buffer) => {
    received += data.length;
  });
  socket.write(`GET /v2/reg/app/blobs/${large.descriptor.digest} HTTP/1.1\r\nHost: a\r\n\r\n`);
  await once(socket, 'data');
  await until.reached;
  const others = await Promise.all(
    Array.from({ length: 30 }, () => askRaw(t, kit.port, 'GET', exact)),
  );
  t.ok(others.every((reply) => reply.isComplete && reply.body.equals(exact.bytes)));
  t.ok(received < 300_000 - 65_536, `${received} bytes came, the last ones are held back`);
  socket.destroy();
  await once(socket, 'close');
  until.release();
  const later = await askRaw(t, kit.port, 'GET', large);
  t.ok(later.isComplete && later.body.equals(large.bytes));
  const fetches = kit.registry.seen(`/v2/app/blobs/${large.descriptor.digest}`);
  t.equal(fetches.length, 1, 'who left did not end the request upstream');
});

t.test('wrong blobs beside right ones disturb nobody', async (t) => {
  const kit = await open(t);
  kit.registry.setFault(({ path }, answer) =>
    path.endsWith(large.descriptor.digest)
      ? { ...answer, body: flipped(large.bytes, 1000) }
      : undefined,
  );
  const replies = await Promise.all(
    Array.from({ length: 40 }, (_, at) => askRaw(t, kit.port, 'GET', at % 2 ? large : exact)),
  );
  const [wrong, right] = [1, 0].map((odd) => replies.filter((_, at) => at % 2 === odd));
  t.ok(wrong?.every(({ isComplete }) => !isComplete));
  t.ok(right?.every(({ isComplete, body }) => isComplete && body.equals(exact.bytes)));
  const counted = /^assay_content_mismatch_total\{upstream="reg"\} (\d+)$/m;
  const fetches = kit.registry.seen(`/v2/app/blobs/${large.descriptor.digest}`);
  t.ok(fetches.length <= 2, 'one fetch for all of them, and one more try');
  t.equal(counted.exec(await kit.metrics())?.[1], String(fetches.length));
  t.equal(kit.lines.filter(({ message }) => /stream failed/.test(String(message))).length, 20);
});
