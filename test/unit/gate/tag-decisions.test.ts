import t from 'tap';
import type { TrustedManifest } from '../../../src/gate/trusted-content.ts';
import { StorageError } from '../../../src/storage/storage-error.ts';
import { makeMemoryKeyValue } from '../../../src/storage/memory-key-value.ts';
import { UpstreamError } from '../../../src/upstream/upstream-error.ts';
import { type Artifact, buildImage, buildIndex } from '../../support/build-image.ts';
import { eventually } from '../../support/content-kit.ts';
import { app, by, deniedFor, type GateKit, makeGateKit, never } from '../../support/gate-kit.ts';
import { toySignature } from '../../support/toy-format.ts';

const minuteMs = 60_000;
const dayMs = 24 * 60 * minuteMs;
const older = buildImage({ name: 'older' });
const newer = buildImage({ name: 'newer' });
const digests = { older: older.descriptor.digest, newer: newer.descriptor.digest };

function rule(tags: string, more = ''): string {
  return `
  - repositories: ["reg/**"]
    require: { signedBy: alice }
    tags: { ${tags} }${more}`;
}

const allowed = (until: string): string =>
  `rollback: deny, allowedRollbacks: [{ digest: "${digests.older}", reason: INC-7, owner: sre@acme.example, until: ${until} }]`;

/** Signed on that day of December 2029; without one, at a time that nobody knows. */
function sign(kit: GateKit, artifact: Artifact, day?: number): void {
  const time = `2029-12-${String(day).padStart(2, '0')}T00:00:00Z`;
  const made = day === undefined ? {} : { made: [time, time] as const };
  kit.source.put(toySignature(artifact.descriptor, { by: 'alice', ...made }));
}

/** Both are signed, the older one a day before; the tag points at the newer one, and was pulled. */
async function kitThatSawBoth(rules: string, isTimed = true): Promise<GateKit> {
  const kit = await makeGateKit(rules);
  sign(kit, older, isTimed ? 10 : undefined);
  sign(kit, newer, isTimed ? 11 : undefined);
  for (const each of [older, newer]) await moved(kit, each);
  return kit;
}

/** Points the tag at it, and pulls it once that is seen. */
async function moved(kit: GateKit, to: Artifact): Promise<TrustedManifest> {
  kit.source.put(to, 'v1');
  kit.clock.advanceMs(minuteMs);
  return pulled(kit);
}

/** As a server does: what is at hand goes first. */
async function pulled({ gate }: GateKit, reference = 'v1'): Promise<TrustedManifest> {
  return (
    gate.manifestAtHand(app, by(reference)) ??
    (await gate.admitManifest(app, by(reference), never()))
  );
}

for (const [what, isTimed] of [
  ['a tag that goes back to what was signed earlier', true],
  ['without trusted times, a tag that goes back to what was seen earlier', false],
] as const) {
  t.test(`${what} is denied, and says what is newer`, async (t) => {
    const kit = await kitThatSawBoth(rule('rollback: deny'), isTimed);
    await t.rejects(moved(kit, older), deniedFor('rolled-back'));
    await t.rejects(pulled(kit), deniedFor('rolled-back'), 'and again');
    const error = await pulled(kit).catch((thrown: Error) => thrown);
    t.match((error as Error).message, new RegExp(`^tag v1 went back from ${digests.newer}`));
    t.equal((await moved(kit, newer)).descriptor.digest, digests.newer, 'forward again');
    t.equal(kit.metrics.counted('assay_tag_rollbacks_total', { outcome: 'denied' }), 3);
  });
}

t.test('a digest that was never seen, and was signed earlier, is denied too', async (t) => {
  const kit = await makeGateKit(rule('rollback: deny'));
  sign(kit, older, 10);
  sign(kit, newer, 11);
  await moved(kit, newer);
  await t.rejects(moved(kit, older), deniedFor('rolled-back'));
});

t.test('other tags, and other repositories, have histories of their own', async (t) => {
  const kit = await kitThatSawBoth(rule('rollback: deny'));
  kit.source.put(older, 'v2');
  t.equal((await pulled(kit, 'v2')).descriptor.digest, digests.older);
});

t.test('a pull by digest is not bound, and does not lift what binds the tag', async (t) => {
  const kit = await kitThatSawBoth(rule('rollback: deny'));
  await t.rejects(moved(kit, older), deniedFor('rolled-back'));
  t.equal((await pulled(kit, digests.older)).descriptor.digest, digests.older);
  t.same((await pulled(kit, digests.older)).admission.warnings, []);
  await t.rejects(pulled(kit), deniedFor('rolled-back'));
});

t.test('a rollback that is only warned of is served with a warning, each time', async (t) => {
  const kit = await kitThatSawBoth(rule('rollback: warn'));
  for (const manifest of [await moved(kit, older), await pulled(kit)]) {
    t.equal(manifest.descriptor.digest, digests.older);
    t.match(manifest.admission.warnings, [
      /^rolled-back: tag v1 went back from sha256:.*signed 2029/,
    ]);
  }
  t.equal(kit.metrics.counted('assay_tag_rollbacks_total', { outcome: 'warned' }), 1);
  t.match(
    kit.log.lines.find(({ message }) => /went back/.test(message)),
    { level: 'warn', fields: { tag: 'v1', digest: digests.older, newer: digests.newer } },
  );
  t.same((await moved(kit, newer)).admission.warnings, []);
});

t.test('without tag rules a tag goes where it likes', async (t) => {
  for (const rules of [rule('rollback: allow, maxSignatureAge: 90d'), undefined]) {
    const kit = await kitThatSawBoth(rules ?? rule('maxSignatureAge: 90d'));
    t.equal((await moved(kit, older)).descriptor.digest, digests.older);
  }
});

t.test('an allowed rollback is served with owner and end on record, until it ends', async (t) => {
  const kit = await kitThatSawBoth(rule(allowed('2030-01-02T00:00:00Z')));
  const { admission } = await moved(kit, older);
  t.equal(admission.by, 'verdict', 'it is verified as ever');
  t.match(admission.warnings, [/^rollback allowed until 2030-01-02T00:00:00.000Z: INC-7: tag v1/]);
  t.match(kit.log.lines.find(({ message }) => /went back/.test(message))?.fields, {
    outcome: 'allowed',
    owner: 'sre@acme.example',
    reason: 'INC-7',
  });
  t.equal(kit.metrics.counted('assay_tag_rollbacks_total', { outcome: 'allowed' }), 1);
  kit.clock.advanceMs(dayMs - 4 * minuteMs);
  t.equal((await pulled(kit)).descriptor.digest, digests.older);
  kit.clock.advanceMs(2 * minuteMs);
  await t.rejects(pulled(kit), deniedFor('rolled-back'));
});

t.test('an allowed rollback ends at its end, whatever is in memory', async (t) => {
  const kit = await kitThatSawBoth(rule(allowed('2030-01-01T00:03:30Z')));
  await moved(kit, older);
  kit.clock.advanceMs(minuteMs / 2);
  await t.rejects(pulled(kit), deniedFor('rolled-back'));
});

t.test('what is allowed for one digest is not for another', async (t) => {
  const kit = await kitThatSawBoth(rule(allowed('2031-01-01T00:00:00Z')));
  const oldest = buildImage({ name: 'oldest' });
  sign(kit, oldest, 1);
  await t.rejects(moved(kit, oldest), deniedFor('rolled-back'));
});

t.test('an exempted digest is not bound, as it is not verified either', async (t) => {
  const exempt = `
  - digests: ["${digests.older}"]
    exempt: { reason: r, owner: o, until: 2031-01-01T00:00:00Z }`;
  const kit = await kitThatSawBoth(rule('rollback: deny'));
  await kit.setPolicy(exempt + rule('rollback: deny'));
  t.equal((await moved(kit, older)).admission.by, 'exemption');
});

t.test('a policy that changes is in force at once', async (t) => {
  const kit = await kitThatSawBoth(rule('rollback: warn'));
  await moved(kit, older);
  await kit.setPolicy(rule('rollback: deny'));
  await t.rejects(pulled(kit), deniedFor('rolled-back'));
  await kit.setPolicy(rule(allowed('2031-01-01T00:00:00Z')));
  t.equal((await pulled(kit)).descriptor.digest, digests.older);
});

t.test('in audit mode what would be denied is served, and said', async (t) => {
  const kit = await kitThatSawBoth(
    rule(
      'rollback: deny, maxSignatureAge: 30d',
      '\n    mode: audit\n    until: 2031-01-01T00:00:00Z',
    ),
  );
  const { admission } = await moved(kit, older);
  t.match(admission.warnings, [/^audit mode until 2031.*would be denied: rolled-back: tag v1/]);
  kit.clock.advanceMs(30 * dayMs);
  t.match((await pulled(kit)).admission.warnings, [
    /would be denied: signature-too-old/,
    /would be denied: rolled-back/,
  ]);
});

t.test('the history outlives a restart, and replicas share it', async (t) => {
  const kit = await kitThatSawBoth(rule('rollback: deny'));
  const other = await kit.restarted();
  await t.rejects(moved(other, older), deniedFor('rolled-back'));
});

t.test(
  'a replica that has an older pin asks anew before it is held against the history',
  async (t) => {
    const one = await makeGateKit(rule('rollback: deny'));
    sign(one, older, 10);
    sign(one, newer, 11);
    const two = await one.restarted();
    await moved(one, older);
    t.equal((await pulled(two)).descriptor.digest, digests.older);
    one.source.put(newer, 'v1');
    one.clock.advanceMs(minuteMs);
    t.equal((await pulled(one)).descriptor.digest, digests.newer);
    t.equal((await pulled(two)).descriptor.digest, digests.newer);
  },
);

t.test('while upstream is away replicas serve what any of them saw last', async (t) => {
  const one = await makeGateKit(rule('rollback: deny'));
  sign(one, older, 10);
  sign(one, newer, 11);
  const two = await one.restarted();
  one.source.put(older, 'v1');
  await pulled(two);
  await moved(one, newer);
  one.source.fail('resolveTag', new UpstreamError('UPSTREAM_UNREACHABLE', 'down'));
  one.clock.advanceMs(minuteMs);
  const stale = await pulled(two);
  t.equal(stale.descriptor.digest, digests.newer);
  t.match(stale.admission.warnings, [/may have moved/]);
  t.equal(two.metrics.counted('assay_stale_tags_total', { upstream: 'reg' }), 1);
});

t.test('a history that nobody can read is no history without rollbacks', async (t) => {
  const store = makeMemoryKeyValue();
  const failing = {
    ...store,
    entries: async () => {
      throw new StorageError('STORAGE_FAILED', 'down');
    },
  };
  const kit = await makeGateKit(rule('rollback: deny'), { store: failing });
  sign(kit, newer, 11);
  await t.rejects(moved(kit, newer), { code: 'UNAVAILABLE' });
});

t.test('the age of signatures binds tags from the moment on that it is reached', async (t) => {
  const kit = await makeGateKit(rule('maxSignatureAge: 30d'));
  sign(kit, newer, 3);
  t.equal((await moved(kit, newer)).descriptor.digest, digests.newer);
  kit.clock.advanceMs(dayMs - 2 * minuteMs);
  t.ok(await pulled(kit), 'a minute before');
  kit.source.fail('listReferrers', new UpstreamError('UPSTREAM_UNREACHABLE', 'down'));
  kit.clock.advanceMs(minuteMs);
  await t.rejects(pulled(kit), deniedFor('signature-too-old'), 'nobody need be asked for that');
  t.equal((await pulled(kit, digests.newer)).descriptor.digest, digests.newer, 'by digest it goes');
});

t.test('signatures of which nobody says when they were made are too old for a tag', async (t) => {
  const kit = await makeGateKit(rule('maxSignatureAge: 30d'));
  sign(kit, newer);
  await t.rejects(moved(kit, newer), deniedFor('signing-time-unproven'));
  t.ok(await pulled(kit, digests.newer));
});

t.test('of several signatures one that is young enough is looked for', async (t) => {
  const kit = await makeGateKit(rule('maxSignatureAge: 30d'));
  for (const day of [1, undefined, 30, 2]) sign(kit, newer, day);
  t.equal((await moved(kit, newer)).descriptor.digest, digests.newer);
});

t.test('what was signed again is served again without waiting for a verdict to end', async (t) => {
  const kit = await makeGateKit(rule('maxSignatureAge: 30d'));
  sign(kit, newer, 1);
  await t.rejects(moved(kit, newer), deniedFor('signature-too-old'));
  sign(kit, newer, 31);
  kit.clock.advanceMs(10_000);
  await t.rejects(pulled(kit), deniedFor('signature-too-old'), 'it is looked at again behind it');
  const isServed = () =>
    pulled(kit).then(
      () => true,
      () => false,
    );
  await eventually(isServed);
  t.equal((await pulled(kit)).descriptor.digest, digests.newer);
});

t.test('a tag of a platform is bound by the rule of the index that vouches for it', async (t) => {
  const kit = await makeGateKit(rule('maxSignatureAge: 30d'));
  const index = buildIndex();
  const child = index.children[0] as Artifact;
  kit.source.put(index, 'multi');
  kit.source.put(child, 'v1');
  sign(kit, index, 3);
  await pulled(kit, 'multi');
  t.equal((await pulled(kit)).descriptor.digest, child.descriptor.digest);
  kit.clock.advanceMs(dayMs);
  await t.rejects(pulled(kit), deniedFor('signature-too-old'));
});

t.test('a platform of an index is as old as that, and of the newest one no rollback', async (t) => {
  const kit = await makeGateKit(rule('rollback: deny'));
  const [former, latest] = ['former', 'latest'].map((name) =>
    buildIndex({ children: [buildImage({ name })] }),
  ) as [Artifact, Artifact];
  for (const each of [former, latest]) {
    sign(kit, each);
    await moved(kit, each);
  }
  const [old, current] = [former.children[0], latest.children[0]] as [Artifact, Artifact];
  await t.rejects(moved(kit, old), deniedFor('rolled-back'), 'without trusted times too');
  t.equal((await moved(kit, current)).descriptor.digest, current.descriptor.digest);
  t.equal((await moved(kit, latest)).descriptor.digest, latest.descriptor.digest);
  await t.rejects(moved(kit, former), deniedFor('rolled-back'));
});

t.test('an index that nobody signed is as old as the oldest of its platforms', async (t) => {
  const kit = await makeGateKit(rule('rollback: deny', '\n    covers: platforms'));
  const arm64 = { os: 'linux', architecture: 'arm64' };
  const indexOf = (amd: string, arm: string, note = ''): Artifact =>
    buildIndex({
      children: [buildImage({ name: amd }), buildImage({ name: arm, platform: arm64 })],
      annotations: { note },
    });
  const outcome = async (index: Artifact, to = index): Promise<unknown> => {
    for (const child of index.children) sign(kit, child);
    return moved(kit, to).then(
      () => 'served',
      (error: { reason?: string }) => error.reason,
    );
  };
  const [former, latest] = [indexOf('a1', 'b1'), indexOf('a2', 'b2')];
  t.equal(await outcome(former), 'served');
  t.equal(await outcome(latest), 'served');
  t.equal(await outcome(former), 'rolled-back');
  t.equal(await outcome(indexOf('a1', 'b1', 'again')), 'rolled-back', 'around old platforms');
  t.equal(await outcome(indexOf('a1', 'b3')), 'rolled-back', 'around one of them');
  t.equal(await outcome(former, former.children[0]), 'rolled-back', 'a platform alone');
  t.equal(await outcome(latest, latest.children[0]), 'served');
  t.equal(await outcome(latest), 'served');
  const next = indexOf('a3', 'b2');
  t.equal(await outcome(next), 'served', 'one platform is built anew, the other one stays');
  t.equal(await outcome(latest), 'rolled-back');
  t.equal(await outcome(next), 'served');
});

t.test('signatures under their tags are evidence, and move as they like', async (t) => {
  const kit = await makeGateKit(rule('rollback: deny, maxSignatureAge: 30d'));
  sign(kit, newer, 3);
  await moved(kit, newer);
  const signatures = [1, 2].map((until) =>
    toySignature(newer.descriptor, { by: 'alice', until: `203${until}-01-01T00:00:00Z` }),
  );
  const tag = `${digests.newer.replace(':', '-')}.sig`;
  for (const index of [0, 1, 0]) {
    const signature = signatures[index] as Artifact;
    kit.source.put(signature, tag);
    kit.clock.advanceMs(minuteMs);
    const { admission, descriptor } = await pulled(kit, tag);
    t.equal(admission.by, 'evidence');
    t.equal(descriptor.digest, signature.descriptor.digest);
  }
  kit.clock.advanceMs(dayMs);
  t.ok(await pulled(kit, tag), 'evidence has no age of its own');
});

t.test('many who pull at the same time read the history once', async (t) => {
  const store = makeMemoryKeyValue();
  let reads = 0;
  const counting = {
    ...store,
    entries: async (...asked: Parameters<typeof store.entries>) => {
      if (asked[0].startsWith('tag-history/')) reads += 1;
      return store.entries(...asked);
    },
  };
  const kit = await makeGateKit(rule('rollback: deny'), { store: counting });
  sign(kit, newer, 3);
  kit.source.put(newer, 'v1');
  await Promise.all(Array.from({ length: 50 }, () => pulled(kit)));
  await pulled(kit);
  t.ok(reads >= 1 && reads <= 2, `${reads} reads`);
});
