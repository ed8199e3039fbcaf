import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { importAirgapLayout } from '../../src/compose/airgap-import-layout.ts';
import { loadConfig } from '../../src/config/load.ts';
import { readJson } from '../../src/kernel/json.ts';
import { signatureOf } from '../support/app-kit.ts';
import { buildImage } from '../support/build-image.ts';
import { writeFullBundle } from '../support/bundle-kit.ts';
import { writeLayout } from '../support/write-layout.ts';
import { makeZone, type ZoneKit } from '../support/zone-kit.ts';

const app = buildImage({ name: 'app', layerSizes: [50_000] });
const signature = signatureOf(app.descriptor);

const auditOf = (zone: ZoneKit): readonly unknown[] =>
  readFileSync(join(zone.store, 'audit.log'), 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => readJson(line));

const blobsOf = (zone: ZoneKit): readonly string[] =>
  readdirSync(join(zone.store, 'blobs', 'sha256'));

const bundleIn = (zone: ZoneKit, name: string, evidence = [signature]) =>
  writeFullBundle({
    folder: join(zone.folder, name),
    images: [{ artifact: app, name: 'docker.io/library/app:1.0', evidence }],
  });

const breakages: Readonly<Record<string, (zone: ZoneKit) => void>> = {
  TRUST_STORE_UNUSABLE: ({ folder }) => rmSync(join(folder, 'trust'), { recursive: true }),
  POLICY_UNUSABLE: ({ folder }) => writeFileSync(join(folder, 'policy.yaml'), 'rules: nonsense'),
};

for (const [code, breakIt] of Object.entries(breakages)) {
  t.test(`${code} stops an import before content is read, and is noted`, async (t) => {
    const zone = makeZone(t);
    const bundle = await bundleIn(zone, '1');
    breakIt(zone);
    await t.rejects(zone.import(bundle), { code });
    t.strictSame(blobsOf(zone), []);
    t.match(auditOf(zone), [{ event: 'failed', code }]);
    // Metadata come first: a bundle that is not to be believed is named as such.
    rmSync(join(bundle.folder, 'metadata', 'timestamp.json'));
    await t.rejects(zone.import(bundle), { code: 'METADATA_MISSING' });
  });

  t.test(`${code} stops the import of a layout in the same way`, async (t) => {
    const zone = makeZone(t);
    const path = join(zone.folder, 'layout');
    writeLayout(path, [
      { artifact: app, tag: 'docker.io/library/app:1.0' },
      { artifact: signature },
    ]);
    breakIt(zone);
    const config = await loadConfig(zone.file);
    const wish = {
      path,
      mode: 'import',
      untrusted: 'refuse-all',
      repository: undefined,
      onProgress: (bytes: number) => t.equal(bytes, 0, 'nothing is read'),
    } as const;
    const { signal } = new AbortController();
    await t.rejects(importAirgapLayout(config, wish, signal, { clock: zone.clock }), { code });
    t.strictSame(blobsOf(zone), []);
    t.match(auditOf(zone), [{ event: 'failed', code }]);
  });
}

t.test('an import that is refused leaves a line too', async (t) => {
  const zone = makeZone(t);
  const bundle = await bundleIn(zone, '1', []);
  t.match(await zone.import(bundle), { outcome: 'refused' });
  t.match(auditOf(zone), [
    {
      event: 'refused',
      sequence: 1,
      leftOut: 1,
      because: /docker\.io\/library\/app:1\.0: unsigned/,
    },
  ]);
});
