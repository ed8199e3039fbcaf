import t from 'tap';
import { buildImage } from '../support/build-image.ts';
import { isRunning, openWorkersKit } from '../support/workers-kit.ts';

t.setTimeout(120_000);

t.test('a worker that hangs is replaced, and whoever it left waiting is let go', async (t) => {
  const image = buildImage({ name: 'hangs' });
  const kit = await openWorkersKit(t, image);
  t.same(new Set(await kit.askAll('reg/app/manifests/v1')), new Set([200]));
  const [victim] = kit.workers();
  const after = kit.lines.length;
  process.kill(victim!, 'SIGSTOP');
  t.same(
    new Set(await kit.askAll('reg/app/manifests/v1')),
    new Set([200]),
    'connections that come now are the others',
  );
  const [line] = await kit.says('a worker does not answer any more, and is killed', 1, after);
  t.equal(line?.['pid'], victim);
  await kit.says('a worker listens', 1, after);
  t.notOk(isRunning(victim!));
  t.equal(await kit.counted('assay_worker_exits_total', 'because="hung"'), 1);
  t.match(await kit.metrics(), /^assay_workers\{state="listening"\} 2$/m);
  t.same(new Set(await kit.askAll('reg/app/manifests/v1')), new Set([200]));
});
