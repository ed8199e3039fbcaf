import { buffer } from 'node:stream/consumers';
import t from 'tap';
import type { KeyValue } from '../../../src/storage/key-value.ts';
import { makeMemoryKeyValue } from '../../../src/storage/memory-key-value.ts';
import { followTrail } from '../../../src/storage/trail.ts';
import { buildImage, buildIndex } from '../../support/build-image.ts';
import { app, by, type GateKit, makeGateKit, never } from '../../support/gate-kit.ts';
import { makeMemorySource } from '../../support/memory-source.ts';
import { toySignature } from '../../support/toy-format.ts';

/** What one replica knows, another reads in as few turns as can be: reads at once are one turn. */

const index = buildIndex({ name: 'index' });
const alone = buildImage({ name: 'alone' });
const [child] = index.children;

/** A store that is asked over a network: what is asked while nothing is under way begins a turn. */
function countTurns(store: KeyValue) {
  let underWay = 0;
  let turns = 0;
  const ask = async <T>(work: () => Promise<T>): Promise<T> => {
    if (underWay === 0) turns += 1;
    underWay += 1;
    await new Promise(setImmediate);
    underWay -= 1;
    return work();
  };
  const remote: KeyValue = {
    ...store,
    get: (key) => ask(() => store.get(key)),
    keys: (prefix, limit) => ask(() => store.keys(prefix, limit)),
    entries: (prefix, limit) => ask(() => store.entries(prefix, limit)),
    follow: (trail) => ask(() => followTrail(trail, store)),
  };
  return { remote, turns: () => turns };
}

async function makeReplicas(): Promise<{ fresh: () => Promise<[GateKit, () => number]> }> {
  const source = makeMemorySource();
  source.put(index, 'index');
  source.put(toySignature(index.descriptor, { by: 'alice' }));
  source.put(alone, 'alone');
  source.put(toySignature(alone.descriptor, { by: 'alice' }));
  const store = makeMemoryKeyValue();
  const first = await makeGateKit(undefined, { source, store });
  for (const name of ['index', 'alone', child!.descriptor.digest]) {
    await first.gate.admitManifest(app, by(name), never());
  }
  const fresh = async (): Promise<[GateKit, () => number]> => {
    const { remote, turns } = countTurns(store);
    return [await makeGateKit(undefined, { source, store: remote }), turns];
  };
  return { fresh };
}

t.test('what was verified elsewhere costs one turn, by digest and by tag', async (t) => {
  const { fresh } = await makeReplicas();
  const [byDigest, digestTurns] = await fresh();
  await byDigest.gate.admitManifest(app, by(alone.descriptor.digest), never());
  t.equal(digestTurns(), 1);
  const [byTag, tagTurns] = await fresh();
  await byTag.gate.admitManifest(app, by('alone'), never());
  t.equal(tagTurns(), 1);
});

t.test('so does a child, and a layer of it', async (t) => {
  const { fresh } = await makeReplicas();
  const [ofChild, childTurns] = await fresh();
  await ofChild.gate.admitManifest(app, by(child!.descriptor.digest), never());
  t.equal(childTurns(), 1);
  const [ofLayer, layerTurns] = await fresh();
  const layer = child!.blobs[1]!.descriptor.digest;
  const admitted = await ofLayer.gate.admitBlob(app, layer, never());
  t.ok((await buffer(await admitted.open(never()))).length > 0);
  t.equal(layerTurns(), 1);
});

t.test('the second part of an image costs one turn, and what is in memory none', async (t) => {
  const { fresh } = await makeReplicas();
  const [kit, turns] = await fresh();
  const [config, layer] = child!.blobs;
  await kit.gate.admitBlob(app, config!.descriptor.digest, never());
  const before = turns();
  await kit.gate.admitBlob(app, layer!.descriptor.digest, never());
  t.equal(turns() - before, 1);
  t.ok(kit.gate.blobAtHand(app, layer!.descriptor.digest));
  t.equal(turns() - before, 1);
});
