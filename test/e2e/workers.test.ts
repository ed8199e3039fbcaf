import { writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import t from 'tap';
import { buildImage } from '../support/build-image.ts';
import { openWorkersKit } from '../support/workers-kit.ts';

t.setTimeout(120_000);

const image = buildImage({ name: 'workers', layerSizes: [200_000, 3_000_000] });
const unsigned = buildImage({ name: 'unsigned' });

t.test('requests go to all workers, and one page counts all of them', async (t) => {
  const kit = await openWorkersKit(t, image);
  kit.registry.put('app', unsigned, 'unsigned');
  t.same(new Set(await kit.askAll('reg/app/manifests/v1', 20)), new Set([200]));
  t.same(new Set(await kit.askAll('reg/app/manifests/unsigned', 11)), new Set([403]));
  t.equal(await kit.counted('assay_requests_total', 'status="200"'), 20);
  t.equal(await kit.counted('assay_requests_total', 'status="403"'), 11);
  t.equal(await kit.counted('assay_request_seconds_count'), 31);
  t.equal(await kit.counted('assay_denials_total', 'reason="unsigned"'), 11);
  const denials = kit.lines.filter((line) => line['level'] === 'info' && 'reason' in line);
  t.same(new Set(denials.map((line) => line['worker'])), new Set([1, 2]), 'both denied some');
  const text = await kit.metrics();
  t.match(text, /^assay_workers\{state="listening"\} 2$/m);
  t.match(text, /^assay_store_writable 1$/m, 'of the process that has it');
  t.notMatch(text, /^assay_redis_up /m, 'what none has is no 0');
  const ready = await fetch(`${kit.admin}/readyz`);
  t.equal(ready.status, 200);
  const { checks } = (await ready.json()) as { checks: readonly { name: string; says: string }[] };
  t.equal(checks.find(({ name }) => name === 'workers')?.says, '2 of 2 are ready');
});

t.test(
  'a cold pull by many through all workers fetches and verifies everything once',
  async (t) => {
    const kit = await openWorkersKit(t, image);
    const clients = Array.from({ length: 20 });
    const manifests = await Promise.all(clients.map(() => kit.ask('reg/app/manifests/v1')));
    t.ok(manifests.every(({ status, body }) => status === 200 && body.equals(image.bytes)));
    const pulls = clients.flatMap(() => image.blobs.map((blob) => kit.open(blob).ended));
    const outcomes = await Promise.all(pulls);
    t.ok(outcomes.every((each) => each.status === 200 && each.isComplete && each.isRightSoFar));
    for (const { descriptor } of image.blobs) {
      const seen = kit.registry.seen(`/v2/app/blobs/${descriptor.digest}`);
      t.equal(seen.filter(({ method }) => method === 'GET').length, 1, 'fetched once');
    }
    t.equal(await kit.counted('assay_verdicts_total'), 1, 'verified once');
  },
);

t.test('what serves is what was loaded at the start, whatever the file says since', async (t) => {
  const kit = await openWorkersKit(t, image);
  writeFileSync(kit.file, 'nonsense: true');
  const [victim] = kit.workers();
  const after = kit.lines.length;
  process.kill(victim!, 'SIGKILL');
  await kit.says('a worker listens', 1, after);
  t.same(new Set(await kit.askAll('reg/app/manifests/v1')), new Set([200]));
});

t.test('auto is as many as there are processors', async (t) => {
  const kit = await openWorkersKit(t, image, { workers: 'auto' });
  const count = availableParallelism();
  t.equal(kit.workers().length, count === 1 ? 0 : count);
});

t.test('one worker is no more than one process', async (t) => {
  const kit = await openWorkersKit(t, image, { workers: 1 });
  t.same(kit.workers(), []);
  t.same(new Set(await kit.askAll('reg/app/manifests/v1')), new Set([200]));
  t.notMatch(await kit.metrics(), /^assay_workers\{/m);
  t.notOk(kit.lines.some((line) => 'worker' in line));
});
