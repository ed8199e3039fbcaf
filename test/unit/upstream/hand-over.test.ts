import t from 'tap';
import { parseRepositoryPath, type RepositoryPath } from '../../../src/oci/repository.ts';
import type { SharedContent } from '../../../src/storage/shared-content.ts';
import { type HandoverOptions, makeHandover } from '../../../src/upstream/hand-over.ts';
import { makeContent, store } from '../../contract/blob-store.ts';
import { openFillKit } from '../../support/fill-kit.ts';
import { makeCountingMetrics } from '../../support/silence.ts';

const path = parseRepositoryPath('app') as RepositoryPath;
const { signal } = new AbortController();
const large = makeContent(200_000);
const small = makeContent(1_000, 2);
const url = 'https://s3.example/x';

async function open(
  t: Parameters<typeof openFillKit>[0],
  options: HandoverOptions,
  given?: string,
) {
  const kit = await openFillKit(t, { content: large });
  const metrics = makeCountingMetrics();
  const shared = { content: { urlFor: async () => given } as unknown as SharedContent };
  const dependencies = {
    open: (content: typeof large.name) => kit.store.open(content),
    openToShare: () => async () => undefined,
    shared,
    metrics,
  };
  const handOver = makeHandover(dependencies, options);
  const ask = (content = large, proxyLocation: string | undefined = '/stored/') =>
    handOver(path, content.name, { proxyLocation }, signal);
  return { kit, metrics, handOver, ask };
}

t.test('nginx gets the place of what is whole in the store, and of nothing else', async (t) => {
  const { kit, metrics, ask } = await open(t, { accelLocation: '/stored/', redirects: true }, url);
  t.equal(await ask(), undefined, 'it is not there');
  const growing = await kit.store.begin(large.name);
  if (typeof growing === 'string') throw new Error(growing);
  await growing.append([large.bytes.subarray(0, 100_000)]);
  t.equal(await ask(), undefined, 'it is growing');
  await growing.append([large.bytes.subarray(100_000)]);
  t.ok(growing.matches());
  await growing.commit();
  await growing.release();
  const { digest } = large.name;
  t.strictSame(await ask(), { to: 'nginx', path: `/stored/sha256/${digest.slice(7)}` });
  t.equal((await kit.store.stat(digest))?.isOpen, false);
  await store(kit.store, small);
  t.equal(await ask(small), undefined, 'small ones are sent at once');
  t.equal(metrics.counted('assay_blob_handovers_total', { to: 'nginx' }), 1);
});

t.test('clients are sent to S3 by a URL for what is stored here too', async (t) => {
  const { kit, metrics, ask } = await open(t, { redirects: true }, url);
  t.equal(await ask(), undefined);
  await store(kit.store, large);
  t.strictSame(await ask(), { to: 's3', url });
  t.equal(metrics.counted('assay_blob_handovers_total', { to: 's3' }), 1);
});

t.test('where there is no URL, or no wish for one, nobody is sent anywhere', async (t) => {
  const none = await open(t, { redirects: true });
  await store(none.kit.store, large);
  t.equal(await none.ask(), undefined);
  const unwished = await open(t, { redirects: false }, url);
  await store(unwished.kit.store, large);
  t.equal(await unwished.ask(), undefined);
});

t.test('nobody but the nginx that has the folder gets a place in it', async (t) => {
  const { kit, handOver, ask } = await open(t, { accelLocation: '/stored/', redirects: false });
  await store(kit.store, large);
  t.match(await ask(), { to: 'nginx' });
  t.equal(await ask(large, '/elsewhere/'), undefined);
  t.equal(await handOver(path, large.name, { proxyLocation: undefined }, signal), undefined);
  const both = await open(t, { accelLocation: '/stored/', redirects: true }, url);
  await store(both.kit.store, large);
  t.strictSame(await both.ask(large, '/elsewhere/'), { to: 's3', url }, 'others go to S3');
});
