import { join } from 'node:path';
import t, { type Test } from 'tap';
import { signatureOf } from '../support/app-kit.ts';
import { buildImage } from '../support/build-image.ts';
import { type FullBundle, writeFullBundle } from '../support/bundle-kit.ts';
import { makeFullDisk } from '../support/full-disk.ts';
import { makeZone, type ZoneKit } from '../support/zone-kit.ts';

const app = buildImage({ name: 'app', layerSizes: [60_000, 3_000] });
const images = [
  { name: 'docker.io/library/app:1.0', artifact: app, evidence: [signatureOf(app.descriptor)] },
];
const trust = { 'policy.yaml': { kind: 'policy', bytes: Buffer.from('version: 1') } } as const;

async function prepare(t: Test): Promise<{ readonly zone: ZoneKit; readonly bundle: FullBundle }> {
  const zone = makeZone(t);
  const bundle = await writeFullBundle({ folder: join(zone.folder, 'in'), images, trust });
  return { zone, bundle };
}

/** What is sealed has the times of the import in it. */
const contentsOf = (zone: ZoneKit) =>
  Object.entries(zone.contents()).map(([name, hash]) =>
    /^(?:state-|published)/.test(name) ? name : `${name} ${hash}`,
  );

let undisturbed: readonly string[] = [];
let calls = 0;
/** The last of them take away what is old, which is no part of what an import promises. */
const collecting = 2;

t.test('an import that has room', async (t) => {
  const { zone, bundle } = await prepare(t);
  const files = makeFullDisk();
  t.match(await zone.import(bundle, { files }), { outcome: 'published' });
  undisturbed = contentsOf(zone);
  calls = files.count() - collecting;
  t.ok(calls > 60, `it needs room ${calls} times`);
});

// Some twenty of its stages, from the first call to the last.
const stages = 20;
for (let stage = 0; stage <= stages; stage += 1) {
  t.test(
    `a disk that is full at stage ${stage} of ${stages} publishes nothing wrong`,
    async (t) => {
      const first = 1 + Math.round((stage * (calls - 1)) / stages);
      const { zone, bundle } = await prepare(t);
      const files = makeFullDisk(first);
      await t.rejects(zone.import(bundle, { files }), { code: 'NO_SPACE' }, `call ${first}`);
      t.match((await zone.import(bundle)).outcome, /^published$|^held$/);
      t.strictSame(contentsOf(zone), undisturbed, 'the store is as it would be');
    },
  );
}

t.test('a disk that is full once all is published takes nothing back', async (t) => {
  for (const first of [calls + 1, calls + collecting]) {
    const { zone, bundle } = await prepare(t);
    const { outcome, freed } = await zone.import(bundle, { files: makeFullDisk(first) });
    t.equal(outcome, 'published', `call ${first}`);
    t.match(freed?.because, /ENOSPC/, 'and it is said why old content may still be there');
    t.strictSame(contentsOf(zone), undisturbed, 'the store is as it would be');
  }
});
