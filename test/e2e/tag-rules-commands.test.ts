import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import {
  reasonOf,
  type Reply,
  signatureOf,
  startAt,
  writeConfiguration,
} from '../support/app-kit.ts';
import { type Artifact, buildImage } from '../support/build-image.ts';
import { makeFakeClock } from '../support/fake-clock.ts';
import { runAssay } from '../support/run-assay.ts';
import { openScriptedRegistry } from '../support/scripted-registry.ts';

const older = buildImage({ name: 'older' });
const newer = buildImage({ name: 'newer' });
const path = 'reg/app/manifests/v1';

t.test('verify and explain judge a tag as a pull would, beside the server', async (t) => {
  const registry = await openScriptedRegistry(t);
  const newest = buildImage({ name: 'newest' });
  for (const image of [older, newer, newest]) {
    registry.put('app', image, 'v1');
    registry.put('app', signatureOf(image.descriptor));
  }
  const file = writeConfiguration(t, {
    upstreams: { reg: registry.origin },
    rules: [
      { repositories: ['reg/**'], require: { signedBy: 'acme' }, tags: { rollback: 'deny' } },
    ],
  });
  const clock = makeFakeClock('2026-01-01T00:00:00Z');
  const kit = await startAt(t, file, clock);
  const pull = async (to: Artifact): Promise<Reply> => {
    registry.put('app', to, 'v1');
    clock.advanceMs(60_000);
    return kit.ask(path);
  };
  const assay = (...words: string[]) => runAssay([...words, '--config', file]);

  registry.put('app', older, 'v1');
  const first = await assay('verify', 'reg/app:v1');
  t.equal(first.code, 0, first.stderr);
  t.match(first.stdout, /^trusted [^]*warning +nothing is remembered of this tag/);
  t.equal((await pull(older)).status, 200);
  t.equal((await pull(newer)).status, 200);

  t.equal(reasonOf(await pull(older)), 'rolled-back');
  for (const command of ['verify', 'explain']) {
    const { code, stdout, stderr } = await assay(command, 'reg/app:v1');
    t.equal(code, 1, stderr);
    t.match(stdout, new RegExp(`rolled-back: [^]*what to do +.*tags\\.allowedRollbacks`), command);
    t.match(stdout, `tag v1 went back from ${newer.descriptor.digest}`);
  }

  registry.put('app', newest, 'v1');
  const ahead = await assay('verify', 'reg/app:v1', '--json');
  t.match(JSON.parse(ahead.stdout), { verdict: { kind: 'trusted' }, warnings: [] });
  t.equal((await pull(newer)).status, 200, 'who only looks moves nothing');

  writeFileSync(join(file, '..', 'data', 'state.key'), `${'0'.repeat(64)}\n`);
  const { code, stdout } = await assay('verify', 'reg/app:v1');
  t.equal(code, 2);
  t.match(stdout, /^inconclusive [^]*tag v1 was served with before could not be read: /);
});
