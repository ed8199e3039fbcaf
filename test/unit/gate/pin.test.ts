import t from 'tap';
import { UpstreamError } from '../../../src/upstream/upstream-error.ts';
import { buildImage } from '../../support/build-image.ts';
import { app, by, deniedFor, type GateKit, makeGateKit, never } from '../../support/gate-kit.ts';
import { makeMemorySource, type MemorySource } from '../../support/memory-source.ts';
import { toySignature } from '../../support/toy-format.ts';

const first = buildImage({ name: 'first' });
const second = buildImage({ name: 'second' });

async function kitWithTag(): Promise<GateKit> {
  const kit = await makeGateKit();
  kit.source.put(first, 'v1');
  for (const { descriptor } of [first, second]) {
    kit.source.put(toySignature(descriptor, { by: 'alice' }));
  }
  return kit;
}

const pulled = async ({ gate }: GateKit): Promise<string> =>
  (await gate.admitManifest(app, by('v1'), never())).descriptor.digest;

t.test('a tag is asked for again when its minute is over', async (t) => {
  const kit = await kitWithTag();
  t.equal(await pulled(kit), first.descriptor.digest);
  kit.source.put(second, 'v1');
  t.equal(await pulled(kit), first.descriptor.digest);
  kit.clock.advanceMs(60_000);
  t.equal(await pulled(kit), second.descriptor.digest);
});

t.test('a tag that moves to something unsigned is denied from then on', async (t) => {
  const kit = await kitWithTag();
  await pulled(kit);
  kit.source.put(buildImage({ name: 'unsigned' }), 'v1');
  kit.clock.advanceMs(60_000);
  await t.rejects(pulled(kit), deniedFor('unsigned'));
});

t.test(
  'while the upstream is down the last answer serves for an hour, with a warning',
  async (t) => {
    const kit = await kitWithTag();
    await pulled(kit);
    kit.clock.advanceMs(60_000);
    kit.source.fail('resolveTag', new UpstreamError('UPSTREAM_UNREACHABLE', 'down'));
    const again = await (await kit.restarted()).gate.admitManifest(app, by('v1'), never());
    t.equal(again.descriptor.digest, first.descriptor.digest);
    t.match(again.admission.warnings, [/may have moved/]);
    kit.clock.advanceMs(3_600_000);
    await t.rejects(pulled(kit), { code: 'UNAVAILABLE' });
  },
);

t.test('an upstream that says nothing is as one that is down', async (t) => {
  const alive = setInterval(() => undefined, 1000);
  t.teardown(() => clearInterval(alive));
  const source = makeMemorySource();
  source.put(first, 'v1');
  source.put(toySignature(first.descriptor, { by: 'alice' }));
  let isSilent = false;
  const silent: MemorySource = {
    ...source,
    resolveTag: (path, tag, signal) =>
      isSilent
        ? new Promise((_, reject) => {
            signal.addEventListener('abort', () => reject(signal.reason as Error));
          })
        : source.resolveTag(path, tag, signal),
  };
  const kit = await makeGateKit(undefined, { source: silent, flightDeadlineMs: 200 });
  await pulled(kit);
  kit.clock.advanceMs(60_000);
  isSilent = true;
  const again = await kit.gate.admitManifest(app, by('v1'), never());
  t.match(again.admission.warnings, [/may have moved/]);
  await t.rejects(kit.gate.admitManifest(app, by('v2'), never()), { code: 'UNAVAILABLE' });
});

t.test('a tag that upstream removed is not served from memory', async (t) => {
  const kit = await kitWithTag();
  await pulled(kit);
  kit.source.removeTag('v1');
  kit.clock.advanceMs(60_000);
  await t.rejects(pulled(kit), { code: 'MANIFEST_UNKNOWN' });
});

t.test('a tag that appears is seen after ten seconds', async (t) => {
  const kit = await kitWithTag();
  const asked = () => kit.gate.admitManifest(app, by('v2'), never());
  await t.rejects(asked(), { code: 'MANIFEST_UNKNOWN' });
  kit.source.put(second, 'v2');
  kit.clock.advanceMs(10_000);
  t.equal((await asked()).descriptor.digest, second.descriptor.digest);
});

t.test('a digest pull needs no tag and asks for none', async (t) => {
  const kit = await kitWithTag();
  await kit.gate.admitManifest(app, by(first.descriptor.digest), never());
  t.notOk(kit.source.calls.some((call) => call.startsWith('resolveTag')));
});

t.test(
  'a tag that upstream removed does not come back with a restart while it is down',
  async (t) => {
    const kit = await kitWithTag();
    await pulled(kit);
    kit.source.removeTag('v1');
    kit.clock.advanceMs(60_000);
    await t.rejects(pulled(kit), { code: 'MANIFEST_UNKNOWN' });
    kit.source.fail('resolveTag', new UpstreamError('UPSTREAM_FAILED', 'down'));
    const restarted = await kit.restarted();
    await t.rejects(pulled(restarted), { code: 'UNAVAILABLE' });
  },
);
