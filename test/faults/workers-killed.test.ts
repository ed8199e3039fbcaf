import { join } from 'node:path';
import t from 'tap';
import { systemCodeOf } from '../../src/kernel/tagged-error.ts';
import { buildImage } from '../support/build-image.ts';
import { checkStore } from '../support/check-store.ts';
import { eventually, mebibyte } from '../support/content-kit.ts';
import { openSeed } from '../support/seeded-random.ts';
import { openWorkersKit, type WorkersKit } from '../support/workers-kit.ts';

t.setTimeout(120_000);

const rounds = 3;
const clients = 6;

/** Pulls on and on until told; resolves with how each of them ended. */
async function pullOn(kit: WorkersKit, image: ReturnType<typeof buildImage>, go: () => boolean) {
  const outcomes = [];
  while (go()) {
    for (const blob of image.blobs.slice(1)) outcomes.push(await kit.open(blob).ended);
  }
  return outcomes;
}

t.test('workers are killed under load, and nobody gets a wrong byte', async (t) => {
  const random = openSeed(t);
  const image = buildImage({
    name: `killed ${random.seed}`,
    layerSizes: [5 * mebibyte, mebibyte, 70_000],
  });
  const kit = await openWorkersKit(t, image);
  t.equal((await kit.ask('reg/app/manifests/v1')).status, 200);
  let isOn = true;
  let received = 0;
  const pulls = Array.from({ length: clients }, () => pullOn(kit, image, () => isOn));
  void Promise.all(pulls);
  for (let round = 0; round < rounds; round += 1) {
    const workers = kit.workers();
    t.equal(workers.length, 2);
    const before = await kit.counted('assay_requests_total');
    const reader = kit.open(image.blobs[1]!, { onReceived: (bytes) => (received = bytes) });
    await reader.reaches(random.between(1, 3 * mebibyte)).catch(() => undefined);
    const after = kit.lines.length;
    process.kill(workers[random.between(0, 1)]!, 'SIGKILL');
    const [line] = await kit.says('a worker ended unasked', 1, after);
    t.match(line, { level: 'error', because: 'SIGKILL' });
    t.match(await kit.ask('reg/app/manifests/v1'), { status: 200 }, 'the other one serves');
    t.ok((await kit.counted('assay_requests_total')) > before, 'nothing that was counted is lost');
    await kit.says('a worker listens', 1, after);
    const outcome = await reader.ended;
    t.ok(outcome.isRightSoFar && (outcome.isComplete || outcome.bytes === received));
  }
  isOn = false;
  const outcomes = (await Promise.all(pulls)).flat();
  t.ok(
    outcomes.every(({ isRightSoFar }) => isRightSoFar),
    'not one wrong byte',
  );
  t.ok(
    outcomes.every(({ status }) => status === 200 || status === 0),
    'and no wrong answer',
  );
  const cut = outcomes.filter(({ isComplete }) => !isComplete).length;
  t.ok(cut <= rounds * clients, `only what a killed one was sending broke off: ${cut}`);
  t.comment(`${outcomes.length} pulls, ${cut} of them cut`);
  t.equal(await kit.counted('assay_worker_exits_total', 'because="SIGKILL"'), rounds);
  for (const blob of image.blobs) {
    t.match(await kit.open(blob).ended, { status: 200, isComplete: true, isRightSoFar: true });
  }
  t.same((await checkStore(join(t.testdirName, 'data'))).complaints, [], 'the store is right');
});

/** It may have ended since it was seen. */
function killIfThere(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if (systemCodeOf(error) !== 'ESRCH') throw error;
  }
}

t.test('workers that crash again and again end all of it, with a reason', async (t) => {
  const kit = await openWorkersKit(t, buildImage({ name: 'loop' }));
  let isOver = false;
  void kit.exited.then(() => (isOver = true));
  await eventually(() => {
    if (isOver) return true;
    kit.workers().forEach(killIfThere);
    return false;
  });
  t.equal(await kit.exited, 70);
  const reason = 'workers ended unasked 8 times within 60 seconds, the last one by SIGKILL';
  t.match(kit.output(), `assay: ${reason}`);
  t.equal(kit.output().split('assay: ').length, 2, 'once');
});
