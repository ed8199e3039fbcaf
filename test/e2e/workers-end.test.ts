import t, { type Test } from 'tap';
import { buildImage } from '../support/build-image.ts';
import { eventually, mebibyte } from '../support/content-kit.ts';
import { isRunning, openWorkersKit } from '../support/workers-kit.ts';

t.setTimeout(120_000);

const image = buildImage({ name: 'workers-end', layerSizes: [16 * mebibyte] });
const layer = image.blobs[1]!;

/** Clients on both workers that have begun to read the layer and then stopped. */
async function startWithReaders(t: Test) {
  const kit = await openWorkersKit(t, image);
  t.equal((await kit.ask('reg/app/manifests/v1')).status, 200);
  const readers = [1, 2, 3, 4].map(() => kit.open(layer, { stallAfter: mebibyte }));
  await Promise.all(readers.map((reader) => reader.reaches(mebibyte)));
  return { kit, readers };
}

t.test('SIGTERM finishes answers under way on all workers, and takes no new ones', async (t) => {
  const { kit, readers } = await startWithReaders(t);
  const workers = kit.workers();
  kit.child.kill('SIGTERM');
  await eventually(async () => (await fetch(`${kit.admin}/readyz`)).status === 503);
  t.equal((await kit.ask('reg/app/manifests/v1')).status, 200, 'until load balancers know');
  await eventually(() =>
    kit.ask('reg/app/manifests/v1').then(
      () => false,
      () => true,
    ),
  );
  t.equal((await fetch(`${kit.admin}/livez`)).status, 200, 'the admin listener stays to the last');
  for (const reader of readers) reader.resume();
  for (const { ended } of readers) t.match(await ended, { isComplete: true, isRightSoFar: true });
  t.equal(await kit.exited, 0);
  t.notOk(workers.some(isRunning));
  t.notOk(kit.lines.some((line) => line['message'] === 'a worker ended unasked'));
});

t.test('Ctrl-C reaches all processes, and they end in order; a second one cuts', async (t) => {
  const { kit, readers } = await startWithReaders(t);
  const workers = kit.workers();
  const interrupt = (): void => {
    for (const pid of [kit.pid, ...workers]) process.kill(pid, 'SIGINT');
  };
  interrupt();
  await kit.says('shutting down');
  await eventually(() =>
    kit.ask('reg/app/manifests/v1').then(
      () => false,
      () => true,
    ),
  );
  t.ok(workers.every(isRunning), 'who has answers under way stays');
  interrupt();
  t.equal(await kit.exited, 0);
  for (const reader of readers) reader.resume();
  const outcomes = await Promise.all(readers.map(({ ended }) => ended));
  t.ok(outcomes.every(({ isComplete, isRightSoFar }) => !isComplete && isRightSoFar));
  t.notOk(workers.some(isRunning));
});

t.test('a worker that hangs when it is to be cut is killed', async (t) => {
  const { kit } = await startWithReaders(t);
  const [hanging] = kit.workers();
  process.kill(hanging!, 'SIGSTOP');
  kit.child.kill('SIGINT');
  await kit.says('shutting down');
  kit.child.kill('SIGINT');
  t.equal(await kit.exited, 0);
  t.notOk(isRunning(hanging!));
});

t.test('when the primary is killed its workers end, and another can start at once', async (t) => {
  const { kit, readers } = await startWithReaders(t);
  const workers = kit.workers();
  await kit.kill();
  await eventually(() => !workers.some(isRunning));
  for (const reader of readers) reader.resume();
  const outcomes = await Promise.all(readers.map(({ ended }) => ended));
  t.ok(outcomes.every(({ isRightSoFar }) => isRightSoFar));
  t.ok(outcomes.every(({ isComplete }) => !isComplete));
});
