import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { signatureOf } from '../support/app-kit.ts';
import { buildImage } from '../support/build-image.ts';
import { writeFullBundle } from '../support/bundle-kit.ts';
import { runInProcess } from '../support/run-assay.ts';
import { makeZone } from '../support/zone-kit.ts';

t.test('commands know the names of what was imported', async (t) => {
  const zone = makeZone(t);
  const app = buildImage({ name: 'app' });
  const evidence = [signatureOf(app.descriptor)];
  const images = [{ name: 'docker.io/library/app:1.0', artifact: app, evidence }];
  await zone.import(await writeFullBundle({ folder: join(zone.folder, 'in'), images }));
  const list = join(zone.folder, 'images.yaml');
  writeFileSync(list, 'images: [docker.io/library/app:1.0]\n');
  const at = ['--config', zone.file];
  const warmed = await runInProcess(['cache', 'warm', '-f', list, ...at]);
  t.match(warmed.stdout, /docker\.io\/library\/app:1\.0 +\d+ blobs/, warmed.stderr);
  const verified = await runInProcess(['verify', '--refresh', 'docker.io/library/app:1.0', ...at]);
  t.equal(verified.code, 0, verified.stderr);
  const unknown = await runInProcess(['verify', '--refresh', 'quay.io/library/app:1.0', ...at]);
  t.equal(unknown.code, 64, 'and no others');
});
