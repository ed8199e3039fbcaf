import t from 'tap';
import { openPolicyGuard, type PolicyGuard } from '../../../src/gate/policy-guard.ts';
import { type MarkPlace, markWith, noMark, type ReadMark } from '../../../src/gate/policy-mark.ts';
import { makeTurns } from '../../../src/storage/turns.ts';
import { makeFakeClock } from '../../support/fake-clock.ts';
import { makeCountingMetrics, makeKeptLog } from '../../support/silence.ts';

const graceMs = 60_000;

interface Place extends MarkPlace {
  held: ReadMark;
  failure: Error | undefined;
  writes: number;
}

/** Where a mark is kept, which a test can look into. */
function makePlace(held: ReadMark = { kind: 'absent' }): Place {
  const place: Place = {
    held,
    failure: undefined,
    writes: 0,
    async read() {
      if (place.failure !== undefined) throw place.failure;
      return place.held;
    },
    async write(mark) {
      if (place.failure !== undefined) throw place.failure;
      place.held = { kind: 'whole', mark };
      place.writes += 1;
    },
  };
  return place;
}

const atRevision = (revision: number): ReadMark => ({
  kind: 'whole',
  mark: markWith(noMark, revision),
});
const by = { owner: 'sre@acme.example', reason: 'INC-1' };
const refused = { code: 'POLICY_REVISION' };

/** A replica over places that others may share. */
async function openKit({ shared = makePlace(), kept = makePlace() } = {}) {
  const clock = makeFakeClock();
  const log = makeKeptLog();
  const kit = { shared, kept, clock, log, setBacks: 0, inForce: undefined as number | undefined };
  const guard = await openPolicyGuard({
    shared,
    kept: { ...kept, path: 'data/policy-revision' },
    inForce: () => kit.inForce,
    onSetBack: () => (kit.setBacks += 1),
    graceMs,
    inTurn: makeTurns(),
    clock,
    metrics: makeCountingMetrics(),
    log,
  });
  const start = async (revision?: number): Promise<void> => {
    kit.inForce = revision;
    await guard.admitFirst(revision);
  };
  const load = async (revision?: number): Promise<void> => {
    await guard.admit(revision);
    kit.inForce = revision;
  };
  return Object.assign(kit, { guard, start, load });
}

const permitted = ({ guard }: { guard: PolicyGuard }) => {
  const { floor, ceiling } = guard.mark();
  return [floor, ceiling];
};

t.test('a replica does not go back to a lower revision than its own', async (t) => {
  const kit = await openKit();
  await kit.start(6);
  await kit.load(7);
  await t.rejects(kit.load(6), {
    ...refused,
    message:
      'the trust policy has revision 6, and revision 7 was in force: bring that or a newer one, or ' +
      'permit the older one with `assay policy set-back 6`',
  });
  await t.rejects(kit.load(undefined), { ...refused, message: /has no revision.*set-back none`/ });
  await t.resolves(kit.load(7), 'the same again');
  await t.resolves(kit.load(8));
});

t.test('nor to a lower one than another had, after a start', async (t) => {
  const shared = makePlace();
  const one = await openKit({ shared });
  await one.start(7);
  const other = await openKit({ shared });
  await t.rejects(other.start(6), refused);
  await t.resolves((await openKit({ shared })).start(7));
});

t.test('nor after a restart while the shared state is away, or was emptied', async (t) => {
  const kit = await openKit();
  await kit.start(7);
  const away = makePlace();
  away.failure = new Error('away');
  const restarted = await openKit({ shared: away, kept: kit.kept });
  await t.rejects(restarted.start(6), refused);
  const emptied = makePlace();
  await t.rejects((await openKit({ shared: emptied, kept: kit.kept })).start(6), refused);
  t.same(emptied.held, atRevision(7), 'and what was emptied knows it again');
});

t.test('where no policy has a revision, nothing is kept and nothing refused', async (t) => {
  const kit = await openKit();
  await kit.start(undefined);
  await kit.load(undefined);
  t.same(kit.kept.held, { kind: 'absent' });
  t.same(kit.shared.held, { kind: 'absent' });
});

t.test(
  'a replica that is behind is told, goes on for a while, and then decides nothing',
  async (t) => {
    const shared = makePlace();
    const kit = await openKit({ shared });
    await kit.start(6);
    const other = await openKit({ shared });
    await other.start(7);
    t.equal(kit.guard.behind(), undefined);
    await kit.guard.look();
    const words = 'the trust policy has revision 6, and others have revision 7';
    t.equal(kit.guard.behind(), words);
    t.equal(kit.guard.heldBack(), undefined);
    kit.clock.advanceMs(graceMs - 1);
    t.equal(kit.guard.heldBack(), undefined);
    kit.clock.advanceMs(1);
    t.equal(kit.guard.heldBack(), words, 'without another look');
    await t.resolves(kit.load(6), 'the same policy with other trust material comes into force');
    t.equal(kit.guard.heldBack(), words, 'which does not start the time anew');
    await t.rejects(kit.load(5), refused);
    await kit.load(7);
    t.equal(kit.guard.behind(), undefined);
    t.equal(kit.guard.heldBack(), undefined);
    const told = kit.log.lines.filter(({ message }) => /is behind/.test(message));
    t.equal(told.length, 1, 'it is said once');
  },
);

t.test('a set-back permits older revisions everywhere, and replicas load anew', async (t) => {
  const shared = makePlace();
  const kit = await openKit({ shared });
  await kit.start(7);
  const command = await openKit({ shared });
  t.same((await command.guard.setBack(5, by))?.setBack, { ...by, at: command.clock.now() });
  t.equal(kit.setBacks, 0);
  await kit.guard.look();
  t.equal(kit.setBacks, 1);
  t.same(permitted(kit), [5, 7]);
  t.same(kit.kept.held, shared.held, 'it outlives a restart');
  await t.resolves(kit.load(5));
  await t.rejects(kit.load(4), refused);
  const still = await openKit({ shared });
  await t.resolves(still.start(7), 'one that has 7 still may');
  await t.resolves(kit.load(5), 'and takes nothing back');
  await kit.load(8);
  await t.rejects(kit.load(7), refused, 'a higher one ends it');
});

t.test('what is permitted already is not set back', async (t) => {
  const kit = await openKit();
  await kit.start(7);
  t.equal(await kit.guard.setBack(7, by), undefined);
  t.same(permitted(kit), [7, 7]);
});

t.test(
  'after a revision that was a mistake, the right ones are kept from going back',
  async (t) => {
    const kit = await openKit();
    await kit.start(7);
    await kit.load(999_999_999);
    await kit.guard.setBack(8, by);
    await kit.load(8);
    await kit.load(9);
    await t.resolves(kit.load(8), 'below the mistake nothing goes forward by itself');
    await kit.load(9);
    await kit.guard.setBack(9, by);
    t.same(permitted(kit), [9, 999_999_999]);
    await t.rejects(kit.load(8), refused);
    await t.resolves(kit.load(10));
    t.equal(await kit.guard.setBack(9, by), undefined);
    t.equal(await kit.guard.setBack(1_000_000_000, by), undefined, 'what never was is not kept to');
  },
);

t.test('a set-back that can not be shared is an error', async (t) => {
  const kit = await openKit();
  await kit.start(7);
  kit.shared.failure = new Error('the disk is full');
  await t.rejects(kit.guard.setBack(5, by), { ...refused, message: /the disk is full/ });
  t.same(permitted(kit), [7, 7], 'nothing is permitted');
});

t.test('what is lost or overwritten in the shared state is put back', async (t) => {
  for (const lost of [
    { kind: 'absent' },
    atRevision(3),
    { kind: 'damaged', because: '' },
  ] as const) {
    const kit = await openKit();
    await kit.start(7);
    kit.shared.held = lost;
    await kit.guard.look();
    t.same(kit.shared.held, atRevision(7), lost.kind);
  }
});

t.test('it writes only what changes', async (t) => {
  const kit = await openKit();
  await kit.start(7);
  for (let looks = 0; looks < 5; looks += 1) await kit.guard.look();
  t.equal(kit.shared.writes, 1);
  t.equal(kit.kept.writes, 1);
});

t.test('a revision that came while the state was away is shared later', async (t) => {
  const kit = await openKit();
  await kit.start(7);
  kit.shared.failure = new Error('away');
  await kit.load(8);
  t.same(kit.kept.held, atRevision(8), 'and kept here at once');
  await t.rejects(kit.load(7), refused);
  kit.shared.failure = undefined;
  await kit.guard.look();
  t.same(kit.shared.held, atRevision(8));
  const told = kit.log.lines.filter(({ message }) => message.endsWith('is not shared'));
  t.equal(told.length, 1, 'what fails is said once');
});

const damaged: ReadMark = { kind: 'damaged', because: 'its seal does not fit' };

t.test('a mark that can not be read is no permission', async (t) => {
  const away = makePlace();
  away.failure = new Error('away');
  const open = (shared: Place, kept: Place) => openKit({ shared, kept });
  await t.rejects(open(makePlace(), makePlace(damaged)), {
    ...refused,
    message: /policy-revision/,
  });
  await t.rejects(open(away, makePlace(damaged)), refused);
  await t.rejects(open(makePlace(damaged), makePlace()), { ...refused, message: /state\.keys/ });
  await t.rejects(open(makePlace(damaged), makePlace(damaged)), refused);
  await t.resolves(open(makePlace(damaged), makePlace(atRevision(7))), 'where the copy knows');
  await t.resolves(open(makePlace(atRevision(7)), makePlace(damaged)), 'where the state knows');
});

t.test('a mark of a newer version is neither guessed at nor overwritten', async (t) => {
  const newer: ReadMark = { kind: 'newer' };
  await t.rejects(openKit({ shared: makePlace(newer) }), { ...refused, message: /newer version/ });
  await t.rejects(openKit({ kept: makePlace(newer) }), { ...refused, message: /newer version/ });
  const kit = await openKit();
  await kit.start(7);
  kit.shared.held = newer;
  await kit.guard.look();
  t.match(kit.guard.heldBack(), /newer version/, 'at once');
  t.equal(kit.shared.held, newer);
  kit.shared.held = atRevision(7);
  await kit.guard.look();
  t.equal(kit.guard.heldBack(), undefined);
});
