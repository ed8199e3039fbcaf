import t from 'tap';
import { setBackPolicy } from '../../src/compose/policy-set-back.ts';
import { type Clock, systemClock } from '../../src/kernel/clock.ts';
import { type AppKit, reasonOf } from '../support/app-kit.ts';
import { buildImage, buildIndex } from '../support/build-image.ts';
import { hasRedis, untilTrue } from '../support/redis-server.ts';
import { metricOf } from '../support/replicas-kit.ts';
import { adminToken, makeSafetyKit } from '../support/safety-kit.ts';

/** Replicas that differ: none of them lends another what that one would not have found itself. */

const image = buildImage({ name: 'image' });
const second = buildImage({ name: 'second' });
const index = buildIndex({ name: 'index' });
const images = { '1.0': image, '2.0': second, index };

const trusted = /^assay_verdicts_total\{kind="trusted"/;
const pull = async (replica: Pick<AppKit, 'oci'>, what = '1.0'): Promise<string> => {
  const answer = await fetch(`${replica.oci}/v2/reg/app/manifests/${what}`);
  const reason = reasonOf(answer);
  await answer.arrayBuffer();
  return reason === undefined ? String(answer.status) : `${answer.status} ${reason}`;
};
const readiness = async (replica: Pick<AppKit, 'admin'>, name: string) => {
  const answer = await fetch(`${replica.admin}/readyz`);
  const { checks } = (await answer.json()) as {
    checks: readonly { readonly name: string; readonly ok: boolean; readonly says: string }[];
  };
  return checks.find((check) => check.name === name);
};

t.test('under two policies each replica answers by its own, in whatever turn', async (t) => {
  if (!hasRedis(t)) return;
  const kit = await makeSafetyKit(t, images);
  const identities = {
    acme: {
      notation: {
        trustStores: ['ca:acme'],
        trustedIdentities: ['x509.subject: CN=nobody, O=nobody, C=US, ST=WA'],
      },
    },
  };
  const one = await kit.start('one');
  const strict = await kit.start('strict', { policy: { identities } });
  const elsewhere = await kit.start('elsewhere', { trustStore: './strangers' });
  for (let turn = 0; turn < 3; turn += 1) {
    t.equal(await pull(one), '200');
    t.match(await pull(strict), /^403 /, 'its identities are others');
    t.match(await pull(elsewhere), /^403 /, 'its anchors are others');
  }
  const different = (what: string) => new RegExp(`^assay_replicas_different\\{what="${what}"\\}`);
  await untilTrue(async () => (await metricOf(one, /^assay_replicas_seen/)) === 3);
  await untilTrue(async () => (await metricOf(one, different('policy'))) === 1);
  await untilTrue(async () => (await metricOf(one, different('trust'))) === 1);
  const { ok, says } = (await readiness(one, 'replicas'))!;
  t.equal(ok, true, 'which keeps nobody from serving');
  t.match(says, /2 others are there; 1 have another policy; 1 have another trust/);
});

const offBy = (ms: number): Clock => ({
  now: () => new Date(systemClock.now().getTime() + ms),
  monotonicMs: () => systemClock.monotonicMs(),
});

for (const [how, ms] of [
  ['behind', -600_000],
  ['ahead', 600_000],
] as const) {
  t.test(`a replica whose clock is ten minutes ${how} keeps what it finds to itself`, async (t) => {
    if (!hasRedis(t)) return;
    const kit = await makeSafetyKit(t, images);
    const good = await kit.start('good');
    const wrong = await kit.start('wrong', { clock: offBy(ms) });
    t.equal(await pull(wrong, '2.0'), '200', 'it goes on by itself');
    t.equal(await pull(good, '2.0'), '200');
    t.equal(await metricOf(good, trusted), 1, 'and nobody takes its word');
    t.equal(await pull(good, '1.0'), '200');
    const before = await metricOf(wrong, trusted);
    t.equal(await pull(wrong, '1.0'), '200');
    // One from the future is no verdict; one from a while ago is as good as ever.
    t.equal((await metricOf(wrong, trusted)) - before, ms < 0 ? 1 : 0);
    const third = await kit.start('third');
    t.equal(await pull(third, '1.0'), '200');
    t.equal(await metricOf(third, trusted), 0, 'what is shared is still that of the right clock');
    await untilTrue(async () => (await readiness(wrong, 'replicas'))?.ok === false);
    t.match((await readiness(wrong, 'replicas'))?.says, /its clock is \d+ s off/);
    t.equal((await readiness(good, 'replicas'))?.ok, true);
    const skew = /^assay_replica_clock_skew_seconds\{against="redis"\}/;
    t.ok((await metricOf(wrong, skew)) > 590);
    t.ok((await metricOf(good, skew)) < 10);
    t.equal(await metricOf(wrong, /^assay_replica_fenced\{because="clock"\}/), 1);
  });
}

t.test('no replica goes back to an older policy, until somebody permits it', async (t) => {
  if (!hasRedis(t)) return;
  const kit = await makeSafetyKit(t, images);
  let aheadMs = 0;
  const clock = { now: systemClock.now, monotonicMs: () => systemClock.monotonicMs() + aheadMs };
  const one = await kit.start('one', { policy: { revision: 2 } });
  const older = {
    code: 'POLICY_UNUSABLE',
    message:
      /^the trust policy has revision 1, and revision 2 was in force: .* policy set-back 1`$/,
  };
  await t.rejects(kit.start('other', { policy: { revision: 1 } }), older, 'at its start');
  const other = await kit.start('other', { policy: { revision: 2 }, clock });
  kit.writePolicy('one', { revision: 1 });
  await one.app.lookForChanges();
  t.match((await readiness(one, 'policy and trust'))?.says, /does not load: .*revision 1/);
  kit.writePolicy('one', { revision: 3 });
  await one.app.lookForChanges();
  t.match((await readiness(one, 'policy revision'))?.says, 'may be from 3');

  const says = async () => (await readiness(other, 'policy revision'))?.says ?? '';
  await untilTrue(async () => (await says()).includes('others have revision 3'));
  t.equal(await pull(other), '200', 'its own may be on its way');
  aheadMs += 60_000;
  t.equal(await pull(other), '503');
  t.equal((await readiness(other, 'policy revision'))?.ok, false);
  t.equal(await pull(one), '200');

  const config = await kit.config('command');
  const wish = { reason: 'revision 3 denies too much', owner: 'sre@acme.example' };
  t.match(await setBackPolicy(config, { revision: 2, ...wish }), { floor: 2, ceiling: 3 });
  await untilTrue(async () => (await pull(other)) === '200');
  await t.rejects(kit.start('third', { policy: { revision: 1 } }), { code: 'POLICY_UNUSABLE' });
  await t.resolves(kit.start('third', { policy: { revision: 2 } }));
});

t.test(
  'a replica that has missed a set-back loads what it refused once it hears of it',
  async (t) => {
    if (!hasRedis(t)) return;
    const kit = await makeSafetyKit(t, images);
    const one = await kit.start('one', { policy: { revision: 2 } });
    kit.writePolicy('one', { revision: 1 });
    await one.app.lookForChanges();
    const revision = /^assay_policy_info\{digest="\w+",revision="1"\}/;
    t.equal(await metricOf(one, revision), 0);
    const wish = { revision: 1, reason: 'INC-1', owner: 'sre@acme.example' };
    await setBackPolicy(await kit.config('command'), wish);
    await untilTrue(async () => (await metricOf(one, revision)) === 1);
  },
);

t.test('versions with two schemas share denials, and no verdicts', async (t) => {
  if (!hasRedis(t)) return;
  const kit = await makeSafetyKit(t, images);
  const now = await kit.start('now');
  const next = await kit.startOfSchema('next', 2);
  const [child] = index.children;
  t.equal(await pull(next, 'index'), '200');
  t.equal(await pull(now), '200');
  t.equal(await pull(next), '200');
  t.equal(await metricOf(now, trusted), 1, 'each verifies for itself');
  await untilTrue(async () =>
    /1 have another schema/.test((await readiness(now, 'replicas'))!.says),
  );
  const digest = child!.descriptor.digest;
  t.equal(await pull(now, digest), '503', 'what vouches for it may be known to the other version');

  const wish = { digest: image.descriptor.digest, reason: 'INC-1', owner: 'sre@acme.example' };
  const added = await fetch(`${next.admin}/v1/deny`, {
    method: 'POST',
    headers: { authorization: `Bearer ${adminToken}`, 'content-type': 'application/json' },
    body: JSON.stringify(wish),
  });
  t.equal(added.status, 201);
  t.equal(await pull(next), '403 denylisted');
  await untilTrue(async () => (await pull(now)) === '403 denylisted');
});
