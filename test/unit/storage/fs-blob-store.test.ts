import t from 'tap';
import { systemClock } from '../../../src/kernel/clock.ts';
import { openFsBlobStore } from '../../../src/storage/fs-blob-store.ts';
import { blobStoreContract } from '../../contract/blob-store.ts';

t.test('contract', async (t) => {
  blobStoreContract(t, async (t) => {
    const path = t.testdir();
    const open = async () => {
      const store = await openFsBlobStore({ path }, { clock: systemClock });
      t.teardown(() => store.close());
      return store;
    };
    return { store: await open(), other: open };
  });
});
