import t from 'tap';
import { makeLookAgain } from '../../../src/gate/look-again.ts';
import { makeLocalNotifications } from '../../../src/storage/local-notifications.ts';
import { makeMemoryKeyValue } from '../../../src/storage/memory-key-value.ts';
import { buildImage } from '../../support/build-image.ts';
import { sealOfTests } from '../../support/deny-kit.ts';
import { type FakeClock, makeFakeClock } from '../../support/fake-clock.ts';
import { aliceSigns, app, by, deniedFor, makeGateKit, never } from '../../support/gate-kit.ts';
import { makeKeptLog } from '../../support/silence.ts';
import { toySignature } from '../../support/toy-format.ts';

function setUp(store = makeMemoryKeyValue(), clock: FakeClock = makeFakeClock()) {
  const notifications = makeLocalNotifications();
  const log = makeKeptLog();
  const lookAgain = makeLookAgain({ store, seal: sealOfTests, notifications, clock, log });
  return { lookAgain, store, clock, log, notifications };
}

const image = buildImage();
const { digest } = image.descriptor;
const signature = toySignature(image.descriptor, { by: 'alice' });

async function servedKit() {
  const { lookAgain, clock, store } = setUp();
  const kit = await makeGateKit(aliceSigns, { clock, lookAgain });
  kit.source.put(image, 'v1');
  kit.source.put(signature);
  await kit.gate.admitManifest(app, by('v1'), never());
  clock.advanceMs(1000);
  const verifications = () => kit.metrics.counted('assay_verdicts_total');
  return { ...kit, lookAgain, shared: store, clock, verifications };
}

t.test('a reference that is to be looked at again is, once', async (t) => {
  for (const name of ['reg/app', `reg/app@${digest}`]) {
    const { gate, lookAgain, verifications } = await servedKit();
    t.ok(gate.manifestAtHand(app, by(digest)));
    await lookAgain.ask([name]);
    t.equal(gate.manifestAtHand(app, by(digest)), undefined);
    for (const _ of [1, 2]) await gate.admitManifest(app, by(digest), never());
    t.equal(verifications(), 2, name);
  }
});

t.test(
  'what was signed by mistake is denied then, long before its verdict would end',
  async (t) => {
    const { gate, source, lookAgain } = await servedKit();
    source.remove(signature.descriptor.digest);
    t.ok(await gate.admitManifest(app, by('v1'), never()));
    await lookAgain.ask(['reg/app']);
    await t.rejects(gate.admitManifest(app, by('v1'), never()), deniedFor('unsigned'));
  },
);

t.test('a tag is asked for again, and other repositories are left alone', async (t) => {
  const { gate, source, lookAgain } = await servedKit();
  const asked = () => source.calls.filter((call) => call === 'resolveTag v1').length;
  await gate.admitManifest(app, by('v1'), never());
  await lookAgain.ask(['reg/other', 'reg/app:v2']);
  await gate.admitManifest(app, by('v1'), never());
  t.equal(asked(), 1);
  await lookAgain.ask(['reg/app:v1']);
  await gate.admitManifest(app, by('v1'), never());
  t.equal(asked(), 2);
});

t.test('a wish reaches others at their next look, and those who start later', async (t) => {
  const here = setUp();
  const there = setUp(here.store);
  await there.lookAgain.look();
  const before = there.lookAgain.generation();
  there.clock.advanceMs(5000);
  await here.lookAgain.ask(['reg/app']);
  await there.lookAgain.look();
  t.same(there.lookAgain.since('reg/app'), there.clock.now(), 'by its own clock');
  t.not(there.lookAgain.generation(), before);
  await there.lookAgain.look();
  const later = setUp(here.store);
  later.clock.advanceMs(60_000);
  await later.lookAgain.look();
  t.same(later.lookAgain.since('reg/app'), here.clock.now(), 'as of when it was wished');
  t.equal(later.lookAgain.since('reg/other'), undefined);
});

t.test('a forged wish is none, and a state that is away is only told', async (t) => {
  const { lookAgain, store, log } = setUp();
  await store.put('look-again', Buffer.from('nonsense'));
  await lookAgain.look();
  t.equal(lookAgain.generation(), 0);
  store.get = () => Promise.reject(new Error('away'));
  await lookAgain.look();
  t.equal(log.lines.at(-1)?.level, 'warn');
  await t.rejects(lookAgain.ask(['reg/app']), { code: 'UNAVAILABLE' });
});

t.test('a state that is away is told once, and once when it is back', async (t) => {
  const { lookAgain, store, log } = setUp();
  const { get } = store;
  for (const outage of ['the first outage', 'the second']) {
    const before = log.lines.length;
    store.get = () => Promise.reject(new Error('away'));
    for (const _ of [1, 2, 3]) await lookAgain.look();
    store.get = get;
    for (const _ of [1, 2]) await lookAgain.look();
    t.same(
      log.lines.slice(before).map(({ level }) => level),
      ['warn', 'info'],
      outage,
    );
  }
});
