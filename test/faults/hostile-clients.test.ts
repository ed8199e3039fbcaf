import t, { type Test } from 'tap';
import { digestOf } from '../../src/oci/digest.ts';
import { type AppKit, type Reply, reasonOf, signatureOf, startAppKit } from '../support/app-kit.ts';
import { type Artifact, buildImage } from '../support/build-image.ts';
import { type FakeClock, makeFakeClock } from '../support/fake-clock.ts';
import { type FakeRegistry, startFakeRegistry } from '../support/fake-registry.ts';

/** One client that asks for whatever it can think of, and others beside it. */

const burst = 100;
const mallory = '203.0.113.66';
const alice = '198.51.100.1';

interface Kit {
  readonly app: AppKit;
  readonly registry: FakeRegistry;
  readonly clock: FakeClock;
  /** A request of that client, as our load balancer hands it on. */
  as(client: string, path: string): Promise<Reply>;
  put(image: Artifact, tag: string): void;
}

async function open(t: Test, client: object = {}): Promise<Kit> {
  const registry = await startFakeRegistry();
  t.teardown(() => registry.close());
  // It stands still, so that nothing comes back while a slow machine is at work.
  const clock = makeFakeClock();
  const app = await startAppKit(t, {
    upstreams: { lab: registry.url },
    clock,
    config: {
      listen: { host: '127.0.0.1', port: 0, trustedProxies: ['127.0.0.0/8'] },
      limits: { client: { misses: { burst }, ...client } },
    },
  });
  return {
    app,
    registry,
    clock,
    as: (who, path) => app.ask(path, { headers: { 'x-forwarded-for': `192.0.2.1, ${who}` } }),
    put(image, tag) {
      registry.put('app', image, tag);
      registry.put('app', signatureOf(image.descriptor));
    },
  };
}

/** How many of the answers have which status. */
function countsOf(answers: readonly Reply[]): Readonly<Record<number, number>> {
  const counts: Record<number, number> = {};
  for (const { status } of answers) counts[status] = (counts[status] ?? 0) + 1;
  return counts;
}

/** Everything of an image, as a client without it asks. */
async function pull(kit: Kit, client: string, tag: string, image: Artifact): Promise<number[]> {
  const first = await kit.as(client, `lab/app/manifests/${tag}`);
  const blobs = image.blobs.map(({ descriptor }) => `lab/app/blobs/${descriptor.digest}`);
  const rest = await Promise.all(blobs.map((path) => kit.as(client, path)));
  return [first, ...rest].map(({ status }) => status);
}

const invented = (at: number): string => digestOf(Buffer.from(`invented ${at}`));
const inventions: Readonly<
  Record<string, { path(at: number): string; readonly asks: number; readonly pattern: RegExp }>
> = {
  tags: {
    path: (at) => `lab/app/manifests/invented-${at}`,
    asks: 1,
    pattern: /\/manifests\/invented-/,
  },
  digests: {
    path: (at) => `lab/app/manifests/${invented(at)}`,
    asks: 1,
    pattern: /\/manifests\/sha256:/,
  },
  blobs: {
    path: (at) => `lab/app/blobs/${invented(at)}`,
    asks: 3,
    pattern: /\/(?:manifests|blobs)\/sha256:/,
  },
  repositories: {
    path: (at) => `lab/invented-${at}/tags/list`,
    asks: 1,
    pattern: /\/tags\/list/,
  },
};

for (const [what, { path, asks, pattern }] of Object.entries(inventions)) {
  t.test(`100 requests at once for invented ${what} cost upstream what 20 do`, async (t) => {
    const kit = await open(t, { misses: { burst: 20 } });
    const flood = Array.from({ length: 100 }, (_, at) => kit.as(mallory, path(at)));
    const answers = await Promise.all(flood);
    t.same(countsOf(answers), { 404: 20, 429: 80 });
    t.equal(kit.registry.count('*', pattern), 20 * asks);
    const refused = answers.find(({ status }) => status === 429);
    t.equal(refused?.headers.get('retry-after'), '1');
    t.match(JSON.parse(String(refused?.body)), { errors: [{ code: 'TOOMANYREQUESTS' }] });
    kit.registry.forgetRequests();
    t.equal((await kit.as(mallory, path(1000))).status, 429);
    t.equal(kit.registry.requests.length, 0, 'and then nothing');
    t.match(await kit.app.metrics(), 'assay_failed_misses_total 20\n');
  });
}

t.test('another client is served in the middle of 500 requests, at the usual cost', async (t) => {
  const kit = await open(t);
  const [warm, cold] = [buildImage({ name: 'warm' }), buildImage({ name: 'cold' })];
  kit.put(warm, 'warm');
  kit.put(cold, 'cold');
  t.same(new Set(await pull(kit, alice, 'warm', warm)), new Set([200]));
  kit.registry.forgetRequests();
  const flood = Array.from({ length: 500 }, (_, at) =>
    kit.as(mallory, `lab/app/manifests/invented-${at}`),
  );
  const answers = await Promise.all([
    pull(kit, alice, 'warm', warm),
    pull(kit, alice, 'cold', cold),
  ]);
  t.same(new Set(answers.flat()), new Set([200]));
  const floodCounts = countsOf(await Promise.all(flood));
  t.same(floodCounts, { 404: burst, 429: 500 - burst });
  t.equal(kit.registry.count('HEAD', /manifests\/invented-/), burst);
  t.equal(kit.registry.count('HEAD', /manifests\/cold/), 1);
  t.equal(kit.registry.count('GET', /manifests\/sha256:/), 2, 'the image and its signature');
  t.equal(kit.registry.count('*', /manifests\/warm/), 0, 'what is at hand costs nothing');
  t.same(
    new Set(await pull(kit, mallory, 'warm', warm)),
    new Set([200]),
    'not even for who has used up everything',
  );
});

t.test('what exists and is denied is paid for too, once each time upstream is asked', async (t) => {
  const kit = await open(t, { misses: { burst: 20 } });
  for (let at = 0; at < 30; at += 1) {
    kit.registry.put('app', buildImage({ name: `unsigned ${at}` }), `u${at}`);
  }
  const answers: Reply[] = [];
  for (let at = 0; at < 30; at += 1) {
    answers.push(await kit.as(mallory, `lab/app/manifests/u${at}`));
  }
  t.same(countsOf(answers), { 403: 20, 429: 10 });
  t.equal(reasonOf(answers[0]!), 'unsigned');
  kit.registry.forgetRequests();
  t.equal((await kit.as(alice, 'lab/app/manifests/u0')).status, 403);
  t.equal(kit.registry.requests.length, 0, 'what is known is told without asking');
});

t.test('a node that pulls what is denied over and over still pulls what is new', async (t) => {
  const kit = await open(t, { misses: { burst: 3, perMinute: 1 } });
  const image = buildImage();
  kit.put(image, 'v1');
  kit.registry.put('app', buildImage({ name: 'unsigned' }), 'unsigned');
  const answers: Reply[] = [];
  for (let at = 0; at < 10; at += 1) {
    answers.push(await kit.as(alice, 'lab/app/manifests/unsigned'));
    answers.push(await kit.as(alice, 'lab/app/manifests/forgotten'));
    // Nothing of it is remembered any more, and hardly a token has come back.
    kit.clock.advanceMs(11_000);
  }
  t.ok((countsOf(answers)[429] ?? 0) > 5, 'upstream is not asked each time');
  t.same(new Set(await pull(kit, alice, 'v1', image)), new Set([200]));
});

t.test('who has used up everything is served what is stored', async (t) => {
  const kit = await open(t, { misses: { burst: 1 } });
  const image = buildImage();
  kit.put(image, 'v1');
  t.same(new Set(await pull(kit, alice, 'v1', image)), new Set([200]));
  const app = await kit.app.restarted();
  const headers = { 'x-forwarded-for': mallory };
  t.equal((await app.ask('lab/app/manifests/invented', { headers })).status, 404);
  t.equal((await app.ask('lab/app/manifests/invented-too', { headers })).status, 429);
  kit.registry.forgetRequests();
  const path = `lab/app/manifests/${image.descriptor.digest}`;
  t.equal((await app.ask(path, { headers })).status, 200);
  t.equal(kit.registry.requests.length, 0);
});

t.test('who pulls much of what exists is not held up, however little may be missed', async (t) => {
  const kit = await open(t, { misses: { burst: 3 } });
  const images = Array.from({ length: 10 }, (_, at) => buildImage({ name: `image ${at}` }));
  images.forEach((image, at) => kit.put(image, `v${at}`));
  const pulls = Array.from({ length: 40 }, (_, at) =>
    pull(kit, alice, `v${at % 10}`, images[at % 10]!),
  );
  t.same(new Set((await Promise.all(pulls)).flat()), new Set([200]));
  t.equal(kit.registry.count('HEAD', /manifests\/v/), 10);
  t.notMatch(await kit.app.metrics(), 'assay_over_limit_total{');
});

t.test('looking for signatures of what was served is no guessing', async (t) => {
  const kit = await open(t, { misses: { burst: 1 } });
  const image = buildImage();
  kit.put(image, 'v1');
  await kit.as(alice, 'lab/app/manifests/v1');
  const name = image.descriptor.digest.replace(':', '-');
  for (const suffix of ['.sig', '.att', '.sbom', '']) {
    const { status } = await kit.as(alice, `lab/app/manifests/${name}${suffix}`);
    t.equal(status, 404);
  }
  t.equal((await kit.as(alice, 'lab/app/manifests/invented')).status, 404);
  t.equal((await kit.as(alice, 'lab/app/manifests/invented-too')).status, 429);
});

t.test('nobody waits for, or fails by, who has used up everything', async (t) => {
  const kit = await open(t, { misses: { burst: 1 } });
  const image = buildImage();
  kit.put(image, 'v1');
  await kit.as(mallory, 'lab/app/manifests/invented');
  const path = `lab/app/manifests/${image.descriptor.digest}`;
  const both = await Promise.all([kit.as(mallory, path), kit.as(alice, path)]);
  t.same(
    both.map(({ status }) => status),
    [429, 200],
  );
});

t.test('without proxies of ours whoever connects is the client, whatever it says', async (t) => {
  const registry = await startFakeRegistry();
  t.teardown(() => registry.close());
  const app = await startAppKit(t, {
    upstreams: { lab: registry.url },
    clock: makeFakeClock(),
    config: { limits: { client: { misses: { burst: 2 } } } },
  });
  const statuses: number[] = [];
  for (let at = 0; at < 4; at += 1) {
    const headers = { 'x-forwarded-for': `198.51.100.${at}` };
    statuses.push((await app.ask(`lab/app/manifests/invented-${at}`, { headers })).status);
  }
  t.same(statuses, [404, 404, 429, 429]);
});
