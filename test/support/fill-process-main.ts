import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { systemClock } from '../../src/kernel/clock.ts';
import { parseDigest } from '../../src/oci/digest.ts';
import type { FillSource } from '../../src/storage/fill.ts';
import { makeFills } from '../../src/storage/fill-registry.ts';
import { openFsBlobStore } from '../../src/storage/fs-blob-store.ts';
import type { FillMessage } from './fill-process.ts';

// Reads one blob through a store and fills of its own, and says what it got.

const [path = '', url = '', text = '', size = ''] = process.argv.slice(2);
const content = { digest: parseDigest(text)!, size: Number(size) };
const tell = (message: FillMessage): void => void process.send?.(message);

const source: FillSource = {
  name: 'up',
  async open({ start }, signal) {
    const headers: Record<string, string> = start === 0 ? {} : { range: `bytes=${start}-` };
    const { body } = await fetch(url, { headers, signal });
    const stream = Readable.fromWeb(body as never);
    return { size: content.size, start, validator: undefined, stream };
  },
  onMismatch: () => undefined,
};

const store = await openFsBlobStore({ path }, { clock: systemClock });
const fills = makeFills(store, { limits: { followPollMs: 2 } });
try {
  const opened = await fills.open(content, undefined, source, new AbortController().signal);
  if (typeof opened !== 'object') throw new Error(`no stream but ${opened}`);
  const hash = createHash('sha256');
  let bytes = 0;
  for await (const chunk of opened.stream as AsyncIterable<Buffer>) {
    if (bytes === 0) tell('begun');
    bytes += chunk.length;
    hash.update(chunk);
  }
  tell({ ended: `sha256:${hash.digest('hex')}` });
} catch (error) {
  tell({ ended: String(error) });
}
await fills.close();
await store.close();
process.disconnect();
