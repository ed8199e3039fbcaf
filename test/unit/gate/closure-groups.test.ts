import t from 'tap';
import { makeClosure } from '../../../src/gate/closure.ts';
import { makeClosureGroups } from '../../../src/gate/closure-groups.ts';
import { makeSealedState } from '../../../src/gate/sealed.ts';
import { type Digest, digestOf } from '../../../src/oci/digest.ts';
import { readManifest } from '../../../src/oci/manifest.ts';
import { makeManifestStore } from '../../../src/storage/manifest-store.ts';
import { makeMemoryKeyValue } from '../../../src/storage/memory-key-value.ts';
import { makeFakeClock } from '../../support/fake-clock.ts';
import { makeCountingMetrics, makeKeptLog } from '../../support/silence.ts';

const digestOfName = (name: string): Digest => digestOf(Buffer.from(name));

function makeKit() {
  const state = makeSealedState(makeMemoryKeyValue(), [Buffer.alloc(32, 7)], {
    metrics: makeCountingMetrics(),
    log: makeKeptLog(),
  });
  const closure = makeClosure(state, makeFakeClock());
  const kept = makeManifestStore(makeMemoryKeyValue());
  const names = new Map<Digest, string>();
  const groupOf = makeClosureGroups({ state, kept });
  const describe = (name: string) => {
    names.set(digestOfName(name), name);
    return { mediaType: 'application/x', digest: digestOfName(name), size: 1 };
  };
  return {
    /** An image of these parts is admitted; not always is its manifest kept. */
    async admit(scope: string, parts: readonly string[], isKept = true): Promise<void> {
      const [config = '', ...layers] = parts;
      const document = {
        schemaVersion: 2,
        mediaType: 'application/vnd.oci.image.manifest.v1+json',
        config: describe(config),
        layers: layers.map(describe),
      };
      const bytes = Buffer.from(JSON.stringify(document));
      const digest = digestOf(bytes);
      await closure.record(scope, digest, readManifest(bytes, undefined));
      if (!isKept) return;
      await kept.put({ kind: 'manifest', place: scope, digest }, { bytes, contentType: undefined });
    },
    async groupOf(name: string): Promise<readonly string[]> {
      return (await groupOf(digestOfName(name))).map((digest) => String(names.get(digest)));
    },
  };
}

t.test('the parts of an image leave together', async (t) => {
  const kit = makeKit();
  await kit.admit('reg/app', ['config', 'one', 'two']);
  t.strictSame(await kit.groupOf('one'), ['config', 'two']);
  t.strictSame(await kit.groupOf('config'), ['one', 'two']);
});

t.test('what another image has stays when one leaves', async (t) => {
  const kit = makeKit();
  await kit.admit('reg/app', ['config 1', 'base', 'one']);
  await kit.admit('reg/app', ['config 2', 'base', 'two']);
  t.strictSame(await kit.groupOf('one'), ['config 1']);
  t.strictSame((await kit.groupOf('base')).toSorted(), ['config 1', 'config 2', 'one', 'two']);
});

t.test('the same image in another repository is another one that admits', async (t) => {
  const kit = makeKit();
  await kit.admit('reg/app', ['config', 'base', 'one']);
  await kit.admit('reg/app/more', ['config', 'base', 'one']);
  await kit.admit('other/app', ['other config', 'one']);
  t.strictSame(await kit.groupOf('base'), ['config']);
  t.strictSame((await kit.groupOf('one')).toSorted(), ['base', 'config', 'other config']);
});

t.test('of what nobody knows nothing is taken along', async (t) => {
  t.strictSame(await makeKit().groupOf('one'), []);
});

t.test('an image whose manifest is no longer kept still holds what it has', async (t) => {
  const kit = makeKit();
  await kit.admit('reg/app', ['config 1', 'base', 'one'], false);
  await kit.admit('reg/app', ['config 2', 'base', 'two']);
  t.strictSame(await kit.groupOf('one'), []);
  t.strictSame(await kit.groupOf('two'), ['config 2']);
});

t.test('a layer of very many images takes nothing along, and is not taken', async (t) => {
  const kit = makeKit();
  for (let index = 0; index < 33; index += 1) {
    await kit.admit('reg/app', [`config ${index}`, 'base', `layer ${index}`]);
  }
  t.strictSame(await kit.groupOf('base'), []);
  t.strictSame(await kit.groupOf('layer 5'), ['config 5']);
});

t.test('an image of more parts than are looked at is no group', async (t) => {
  const kit = makeKit();
  const layers = Array.from({ length: 1_000 }, (_, index) => `layer ${index}`);
  await kit.admit('reg/app', ['config', ...layers]);
  t.strictSame(await kit.groupOf('config'), []);
});
