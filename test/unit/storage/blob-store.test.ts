import t from 'tap';
import { blobStoreContract } from '../../contract/blob-store.ts';
import { makeFakeClock } from '../../support/fake-clock.ts';
import { makeMemoryBlobStore, makeMemoryDisk } from '../../support/memory-blob-store.ts';

t.test('the store in memory that tests use keeps to the contract', async (t) => {
  blobStoreContract(t, async () => {
    const disk = makeMemoryDisk();
    const open = async () => makeMemoryBlobStore({ clock: makeFakeClock(), disk });
    return { store: await open(), other: open };
  });
});
