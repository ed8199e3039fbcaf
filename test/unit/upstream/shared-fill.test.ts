import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import t, { type Test } from 'tap';
import { noFleet } from '../../../src/gate/fleet-flight.ts';
import type { FleetFlight } from '../../../src/storage/fleet-flight.ts';
import type { SharedContent } from '../../../src/storage/shared-content.ts';
import { makeSharedFill } from '../../../src/upstream/shared-fill.ts';
import { makeContent } from '../../contract/blob-store.ts';
import { makeSource, openFillKit, outcomeOf, whole } from '../../support/fill-kit.ts';

const content = makeContent(700_000);
const { bytes, name } = content;
const { signal } = new AbortController();
const fromStart = { start: 0, validator: undefined };

/** Shared content by what `open` gives, and what became of it. */
function makeShared(open: SharedContent['open']) {
  const seen = { shared: 0, aside: 0, isUp: true };
  const shared = {
    isUp: () => seen.isUp,
    open,
    async share(_content: unknown, opening: (signal: AbortSignal) => Promise<unknown>) {
      seen.shared += 1;
      await opening(signal);
    },
    async putAside() {
      seen.aside += 1;
    },
  } as unknown as SharedContent;
  return { shared, seen };
}

const nowhere: SharedContent['open'] = async () => undefined;
const having =
  (given: Buffer): SharedContent['open'] =>
  async (_content, start) => ({ size: name.size, stream: Readable.from([given.subarray(start)]) });

function make(open: SharedContent['open'], blobs: FleetFlight = noFleet, quietMs?: number) {
  const upstream = makeSource([whole(content)]);
  const { shared, seen } = makeShared(open);
  const options = { open: async () => undefined, ...(quietMs !== undefined && { quietMs }) };
  const source = makeSharedFill(name, upstream, { content: shared, blobs }, options);
  return { source, upstream, seen };
}

t.test('what others left is read, and upstream is not asked', async (t) => {
  const { source, upstream, seen } = make(having(bytes));
  const given = await source.open({ start: 5, validator: '"v"' }, signal);
  t.match(given, { size: name.size, start: 5, validator: undefined });
  t.ok((await buffer(given!.stream)).equals(bytes.subarray(5)));
  t.strictSame([upstream.asked.length, seen.shared], [0, 0]);
});

t.test('what nobody left is fetched, and left for others', async (t) => {
  const { source, upstream, seen } = make(nowhere);
  const given = await source.open(fromStart, signal);
  t.equal(given?.validator, '"v1"');
  t.ok((await buffer(given!.stream)).equals(bytes));
  t.strictSame([upstream.asked.length, seen.shared], [1, 1]);
});

t.test('while the shared content is away nobody waits for it', async (t) => {
  const { source, upstream, seen } = make(() => Promise.reject(new Error('asked')));
  seen.isUp = false;
  await source.open(fromStart, signal);
  t.strictSame([upstream.asked.length, seen.shared], [1, 0]);
});

async function fill(t: Test, open: SharedContent['open']) {
  const made = make(open);
  const kit = await openFillKit(t, { content });
  return { ...made, kit, outcome: await outcomeOf(kit.open(made.source)) };
}

t.test(
  'wrong shared bytes are put aside, no reader completes them, and upstream is not blamed',
  async (t) => {
    const wrong = Buffer.from(bytes);
    wrong[600_000]! ^= 1;
    const { kit, outcome, seen, upstream, source } = await fill(t, having(wrong));
    t.match(outcome, /has other bytes/);
    t.strictSame([seen.aside, upstream.mismatches], [1, 0]);
    t.ok(bytes.equals((await outcomeOf(kit.open(source))) as Buffer), 'then from upstream');
    t.equal(upstream.asked.length, 1);
  },
);

t.test('shared bytes that break off are gone on with from upstream', async (t) => {
  const broken: SharedContent['open'] = async () => {
    const stream = Readable.from(
      (function* () {
        yield bytes.subarray(0, 400_000);
        throw new Error('S3 broke off');
      })(),
    );
    return { size: name.size, stream };
  };
  const { outcome, upstream, seen } = await fill(t, broken);
  t.ok(bytes.equals(outcome as Buffer));
  t.equal(upstream.asked[0]?.start, 400_000);
  t.strictSame([seen.aside, upstream.mismatches], [0, 0]);
});

t.test('wrong bytes of upstream are its own, and are not left for others', async (t) => {
  const upstream = makeSource([whole({ name, bytes: Buffer.alloc(name.size) })]);
  const { shared, seen } = makeShared(nowhere);
  const options = { open: async () => undefined };
  const source = makeSharedFill(name, upstream, { content: shared, blobs: noFleet }, options);
  const kit = await openFillKit(t, { content });
  t.match(await outcomeOf(kit.open(source)), /has other bytes/);
  t.strictSame([upstream.mismatches, seen.aside], [1, 0]);
});

/** Another replica fetches until the test lets it come to an end. */
function makeBusyFleet() {
  const { promise: ended, resolve: end } = Promise.withResolvers<void>();
  const fleet: FleetFlight = {
    isShared: true,
    async run(_name, look, work) {
      await ended;
      return (await look()) ?? work();
    },
  };
  return { fleet, end };
}

t.test('while another replica fetches, an answer begins, and its bytes come later', async (t) => {
  const { fleet, end } = makeBusyFleet();
  const { source, upstream } = make(having(bytes), fleet, 0);
  const given = await source.open({ start: 100, validator: undefined }, signal);
  t.match(given, { size: name.size, start: 100 });
  end();
  t.ok((await buffer(given!.stream)).equals(bytes.subarray(100)));
  t.equal(upstream.asked.length, 0);
});

t.test(
  'when the other replica left nothing after all, the bytes are upstream’s, as far as they were promised',
  async (t) => {
    const { fleet, end } = makeBusyFleet();
    const upstream = makeSource([async () => (await whole(content)(fromStart, signal))!]);
    const { shared } = makeShared(nowhere);
    const options = { open: async () => undefined, quietMs: 0 };
    const source = makeSharedFill(name, upstream, { content: shared, blobs: fleet }, options);
    const given = await source.open({ start: 100_001, validator: undefined }, signal);
    end();
    t.ok((await buffer(given!.stream)).equals(bytes.subarray(100_001)));
  },
);

t.test('whoever leaves meanwhile waits for nothing, and what comes then is closed', async (t) => {
  const { fleet, end } = makeBusyFleet();
  const stream = Readable.from([bytes]);
  const { source } = make(async () => ({ size: name.size, stream }), fleet, 60_000);
  const leaving = new AbortController();
  const given = source.open(fromStart, leaving.signal);
  leaving.abort(new Error('nobody is left'));
  await t.rejects(given, { message: 'nobody is left' });
  const closed = new Promise((resolve) => stream.once('close', resolve));
  end();
  await closed;
  t.ok(stream.destroyed);
});
