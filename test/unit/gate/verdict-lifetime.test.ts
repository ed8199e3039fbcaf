import t from 'tap';
import type { DeniedError } from '../../../src/gate/gate-error.ts';
import type { Digest } from '../../../src/oci/digest.ts';
import { UpstreamError } from '../../../src/upstream/upstream-error.ts';
import { buildImage } from '../../support/build-image.ts';
import {
  aliceSigns,
  app,
  by,
  deniedFor,
  type GateKit,
  makeGateKit,
  never,
} from '../../support/gate-kit.ts';
import { type ToySignature, toySignature } from '../../support/toy-format.ts';

const image = buildImage();
const layer = image.blobs[1]?.descriptor.digest as Digest;
const hourMs = 3_600_000;

async function kitWith(...signatures: ToySignature[]): Promise<GateKit> {
  const kit = await makeGateKit();
  kit.source.put(image, 'v1');
  for (const signature of signatures) kit.source.put(toySignature(image.descriptor, signature));
  return kit;
}

const verifications = ({ source }: GateKit): number =>
  source.calls.filter((call) => call.startsWith('listReferrers')).length;

const pull = ({ gate }: GateKit) => gate.admitManifest(app, by('v1'), never());

t.test('a trusted verdict is reached once while it lasts, and outlives a restart', async (t) => {
  const kit = await kitWith({ by: 'alice' });
  await pull(kit);
  await pull(kit);
  await pull(await kit.restarted());
  t.equal(verifications(kit), 1);
});

t.test('a verdict ends with what it rests on', async (t) => {
  const kit = await kitWith({ by: 'alice', until: '2030-01-01T02:00:00Z' });
  const { admission } = await pull(kit);
  t.equal(admission.verdict?.expiresAt.toISOString(), '2030-01-01T02:00:00.000Z');
  kit.clock.advanceMs(2 * hourMs);
  await pull(kit);
  t.equal(verifications(kit), 2);
});

t.test('near its end a verdict is renewed in the background, and serves meanwhile', async (t) => {
  const kit = await kitWith({ by: 'alice' });
  const first = await pull(kit);
  kit.clock.advanceMs(20 * hourMs);
  const served = await pull(kit);
  t.equal(served.admission.verdict?.id, first.admission.verdict?.id);
  // The renewal is remembered some turns of the event loop later; this one ends the test if never.
  for (let turn = 0; turn < 1000; turn += 1) {
    const { admission } = await pull(kit);
    if (admission.verdict?.id !== first.admission.verdict?.id) break;
    await new Promise((resolve) => setImmediate(resolve));
  }
  const renewed = await pull(kit);
  t.not(renewed.admission.verdict?.id, first.admission.verdict?.id);
  t.equal(verifications(kit), 2);
});

t.test('a signature that is withdrawn ends the serving when the verdict ends', async (t) => {
  const kit = await kitWith({ by: 'alice' });
  await pull(kit);
  await kit.gate.admitBlob(app, layer, never());
  kit.source.remove(toySignature(image.descriptor, { by: 'alice' }).descriptor.digest);
  kit.clock.advanceMs(24 * hourMs);
  await t.rejects(kit.gate.admitBlob(app, layer, never()), deniedFor('unsigned'));
  await t.rejects(pull(kit), deniedFor('unsigned'));
});

t.test('a denial is believed for ten seconds, and then asked about again', async (t) => {
  const kit = await kitWith();
  await t.rejects(pull(kit), deniedFor('unsigned'));
  await t.rejects(pull(kit), deniedFor('unsigned'));
  t.equal(verifications(kit), 1);
  kit.source.put(toySignature(image.descriptor, { by: 'alice' }));
  kit.clock.advanceMs(10_000);
  t.ok(await pull(kit));
});

t.test('"could not find out" is never remembered', async (t) => {
  const kit = await kitWith({ by: 'alice', outcome: 'inconclusive' });
  await t.rejects(pull(kit), { code: 'UNAVAILABLE' });
  await t.rejects(pull(kit), { code: 'UNAVAILABLE' });
  t.equal(verifications(kit), 2);
});

t.test('one signature that is unclear does not outweigh one that is trusted', async (t) => {
  const kit = await kitWith({ by: 'bob', outcome: 'inconclusive' }, { by: 'alice' });
  t.equal((await pull(kit)).admission.verdict?.kind, 'trusted');
});

t.test('those who ask at the same time share one verification and its error', async (t) => {
  const kit = await kitWith({ by: 'alice' });
  const failure = new UpstreamError('UPSTREAM_FAILED', 'down');
  kit.source.fail('resolveTag', failure);
  const outcomes = await Promise.allSettled(Array.from({ length: 10 }, () => pull(kit)));
  for (const outcome of outcomes) {
    t.equal(outcome.status, 'rejected');
    t.match((outcome as PromiseRejectedResult).reason, { code: 'UNAVAILABLE', message: 'down' });
  }
  kit.source.fail('resolveTag', undefined);
  await Promise.all(Array.from({ length: 10 }, () => pull(kit)));
  t.equal(verifications(kit), 1);
});

t.test('who goes away ends nothing for the others', async (t) => {
  const kit = await kitWith({ by: 'alice' });
  const leaving = new AbortController();
  const first = kit.gate.admitManifest(app, by('v1'), leaving.signal);
  const second = pull(kit);
  leaving.abort(new Error('gone'));
  await t.rejects(first, /gone/);
  t.ok(await second);
});

t.test('a change of the rule makes the verdict miss; a change elsewhere does not', async (t) => {
  const kit = await kitWith({ by: 'alice' });
  await pull(kit);
  await kit.setPolicy(`${aliceSigns}
  - repositories: ["reg/other"]
    require: { signedBy: bob }`);
  await pull(kit);
  t.equal(verifications(kit), 1, 'another rule was added');
  await kit.setPolicy(`
  - repositories: ["reg/**"]
    require: { signedBy: bob }`);
  await t.rejects(pull(kit), deniedFor('no-trusted-signer'));
  await t.rejects(kit.gate.admitBlob(app, layer, never()), { code: 'DENIED' });
});

t.test('a change of the trust store makes the verdict miss', async (t) => {
  const kit = await kitWith({ by: 'alice' });
  await pull(kit);
  kit.setTrust('two');
  await pull(kit);
  t.equal(verifications(kit), 2);
});

t.test(
  'a verdict is found by its id, and the one that it replaced is no longer kept',
  async (t) => {
    const kit = await kitWith({ by: 'alice' });
    const first = (await pull(kit)).admission.verdict;
    t.match(await kit.gate.verdictById(first?.id ?? ''), { kind: 'trusted' });
    t.match(await (await kit.restarted()).gate.verdictById(first?.id ?? ''), { kind: 'trusted' });
    kit.clock.advanceMs(24 * hourMs);
    const second = (await pull(kit)).admission.verdict;
    const { gate } = await kit.restarted();
    t.equal(await gate.verdictById(first?.id ?? ''), undefined);
    t.match(await gate.verdictById(second?.id ?? ''), { kind: 'trusted' });
  },
);

t.test('a denial is found by its id as well', async (t) => {
  const kit = await kitWith();
  const { verdict } = (await pull(kit).catch((error: unknown) => error)) as DeniedError;
  t.match(await kit.gate.verdictById(verdict?.id ?? ''), { kind: 'untrusted', reason: 'unsigned' });
});

t.test(
  'a shorter lifetime in the configuration ends verdicts that were to last longer',
  async (t) => {
    const kit = await kitWith({ by: 'alice' });
    await pull(kit);
    const { source, clock, store } = kit;
    const stricter = await makeGateKit(aliceSigns, { source, clock, store, trustedMs: hourMs });
    await pull(stricter);
    t.equal(verifications(kit), 2);
  },
);
