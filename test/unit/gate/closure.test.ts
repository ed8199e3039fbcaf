import t from 'tap';
import { holdersOf, makeClosure } from '../../../src/gate/closure.ts';
import { makeSealedState } from '../../../src/gate/sealed.ts';
import { digestOf } from '../../../src/oci/digest.ts';
import { readManifest } from '../../../src/oci/manifest.ts';
import { makeMemoryKeyValue } from '../../../src/storage/memory-key-value.ts';
import { makeFakeClock } from '../../support/fake-clock.ts';
import { buildImage } from '../../support/build-image.ts';
import { makeCountingMetrics, makeKeptLog } from '../../support/silence.ts';

const image = buildImage();
const manifest = readManifest(image.bytes, undefined);
const [config, layer] = image.blobs;

function makeState() {
  const observed = { metrics: makeCountingMetrics(), log: makeKeptLog() };
  return makeSealedState(makeMemoryKeyValue(), [Buffer.alloc(32, 7)], observed);
}

t.test('a part is known in its own repository, and in none whose name it begins', async (t) => {
  const state = makeState();
  await makeClosure(state, makeFakeClock()).record(
    'reg/app/more',
    image.descriptor.digest,
    manifest,
  );
  // A new one reads from the state alone.
  for (const [scope, count] of [
    ['reg/app/more', 1],
    ['reg/app', 0],
    ['reg', 0],
    ['reg/app/more/still', 0],
  ] as const) {
    let found = 0;
    for await (const { digest } of makeClosure(state, makeFakeClock()).parentsOf(
      scope,
      layer!.descriptor.digest,
    )) {
      t.equal(digest, image.descriptor.digest);
      found += 1;
    }
    t.equal(found, count, scope);
  }
});

t.test('who holds a part is found over all repositories, as far as asked', async (t) => {
  const state = makeState();
  const scopes = ['reg/app', 'reg/app/more', 'other:5000/app'];
  for (const scope of scopes) {
    await makeClosure(state, makeFakeClock()).record(scope, image.descriptor.digest, manifest);
  }
  const holders = await holdersOf(state, config!.descriptor.digest, 10);
  t.strictSame(holders.map(({ scope }) => scope).toSorted(), scopes.toSorted());
  t.ok(holders.every(({ digest }) => digest === image.descriptor.digest));
  t.equal((await holdersOf(state, config!.descriptor.digest, 2)).length, 2);
  t.strictSame(await holdersOf(state, digestOf(Buffer.from('nothing')), 10), []);
});
