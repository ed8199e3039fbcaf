import t from 'tap';
import { usageNewsOf } from '../../../src/compose/host.ts';
import { makeHostNotifications } from '../../../src/compose/host-notifications.ts';
import { systemClock } from '../../../src/kernel/clock.ts';
import { openFsBlobStore } from '../../../src/storage/fs-blob-store.ts';
import { makeContent, store } from '../../contract/blob-store.ts';

/** Two processes of a host, as far as notifications go. */
function makePair() {
  const one = makeHostNotifications((channel, message) => other.deliver(channel, message));
  const other = makeHostNotifications((channel, message) => one.deliver(channel, message));
  return [{ notifications: one }, { notifications: other }] as const;
}

t.test(
  'each process counts what the other stored and removed, without looking at the disk',
  async (t) => {
    const path = t.testdir();
    const [one, other] = await Promise.all(
      makePair().map((host) =>
        openFsBlobStore({ path }, { clock: systemClock, news: usageNewsOf(host) }),
      ),
    );
    for (const each of [one, other]) t.same((await each!.usage()).blobs, { files: 0, bytes: 0 });
    const contents = [1, 2, 3].map((seed) => makeContent(2048, seed));
    for (const content of contents) await store(one!, content);
    const full = { files: 3, bytes: 3 * 2048 };
    t.same((await one!.usage()).blobs, full, 'what it did itself counts once');
    t.same((await other!.usage()).blobs, full);
    await other!.remove(contents[0]!.name.digest);
    const less = { files: 2, bytes: 2 * 2048 };
    t.same((await one!.usage()).blobs, less);
    t.same((await other!.usage()).blobs, less);
    t.same((await other!.usage('anew')).blobs, less, 'as it is on the disk');
    await Promise.all([one!.close(), other!.close()]);
  },
);
