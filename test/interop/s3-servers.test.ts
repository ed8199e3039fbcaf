import { spawn } from 'node:child_process';
import { once } from 'node:events';
import t, { type Test } from 'tap';
import { openS3Client, type S3Address } from '../../src/storage/s3-client.ts';
import { addressOf } from '../support/fake-s3.ts';
import { untilTrue } from '../support/redis-server.ts';
import { requireTool } from '../support/require-tool.ts';
import {
  largeContent as large,
  never,
  opening,
  openS3Kit,
  openUpkeepKit,
  readShared,
  smallContent as small,
  smallParts,
} from '../support/s3-kit.ts';
import { startS3 } from '../support/s3-server.ts';
import { freePort } from './support/process.ts';

/** Moto's server, a model of AWS that others wrote. */
async function startMoto(t: Test): Promise<S3Address | undefined> {
  const tool = requireTool(t, 'moto_server');
  if (tool === undefined) return undefined;
  const port = await freePort();
  const server = spawn(tool, ['-H', '127.0.0.1', '-p', String(port)], { stdio: 'ignore' });
  const kill = (): boolean => server.kill('SIGKILL');
  process.once('exit', kill);
  t.teardown(async () => {
    kill();
    if (server.exitCode === null && server.signalCode === null) await once(server, 'exit');
    process.off('exit', kill);
  });
  const address = addressOf(`http://127.0.0.1:${port}`);
  const bucket = `${address.endpoint}/${address.bucket}`;
  await untilTrue(async () => (await fetch(bucket, { method: 'PUT' })).ok, 60_000);
  return address;
}

/** What an operator does with a bucket that has two blobs, a manifest, and one put aside. */
async function lookAfter(t: Test, address: S3Address): Promise<void> {
  const upkeep = openUpkeepKit(t, address);
  const kit = openS3Kit(t, address);
  const pace = async (): Promise<void> => undefined;
  t.match(await upkeep.usage(never), {
    blobs: { files: 2, bytes: small.name.size + large.name.size },
    kept: { files: 1 },
    quarantined: { files: 1 },
  });
  t.match(await upkeep.scrub({}, pace, never), { files: 3, bad: 0, unread: 0, isComplete: true });
  const s3 = openS3Client(address);
  t.teardown(() => s3.close());
  const words = { digest: small.name.digest };
  await s3.put(kit.keys.blob(small.name.digest), Buffer.from('wrong'), words, never);
  t.match(await upkeep.scrub({}, pace, never), { files: 3, bad: 1, isComplete: true });
  t.match(await upkeep.usage(never), { blobs: { files: 1 }, quarantined: { files: 2 } });
  const all = { blobs: { files: 1 }, kept: { files: 1 }, stopped: undefined };
  t.match(await upkeep.purge(new Set([large.name.digest, small.name.digest]), never), all);
  t.match(await upkeep.usage(never), { blobs: { files: 0 }, kept: { files: 0 } });
}

const servers: Readonly<Record<string, (t: Test) => Promise<S3Address | undefined>>> = {
  versitygw: async (t) => (await startS3(t))?.address,
  moto: startMoto,
};

for (const [server, start] of Object.entries(servers)) {
  t.test(`${server} does what is asked of S3`, async (t) => {
    const address = await start(t);
    if (address === undefined) return;
    // Small enough that the copy goes in parts too.
    const limits = { ...smallParts, copyBytes: 6 * 1024 * 1024, keepStagingMs: 0 };
    const one = openS3Kit(t, address, { limits, handsOut: true });
    const other = openS3Kit(t, address, { limits });
    for (const content of [small, large]) {
      t.equal(await readShared(other, content), undefined);
      await one.shared.share(content.name, opening(content));
      t.ok((await readShared(other, content))?.equals(content.bytes));
    }
    t.ok((await readShared(other, large, 7_000_001))?.equals(large.bytes.subarray(7_000_001)));
    const url = await one.shared.urlFor(large.name, opening(large), never);
    const given = Buffer.from(await (await fetch(url!)).arrayBuffer());
    t.ok(given.equals(large.bytes), 'a URL for anybody');

    const kept = { kind: 'manifest', place: 'reg/app', digest: small.name.digest } as const;
    await one.shared.putKept(kept, { bytes: small.bytes, contentType: 'text/plain' });
    t.match(await other.shared.getKept(kept, never), { contentType: 'text/plain' });

    const flipped = Buffer.from(large.bytes);
    flipped[large.name.size - 1]! ^= 1;
    await other.shared.putAside(large.name);
    t.equal(await readShared(other, large), undefined, 'put aside');
    await other.shared.share(large.name, opening({ ...large, bytes: flipped }));
    t.equal(await readShared(one, large), undefined, 'wrong bytes are not to be seen');
    await other.shared.share(large.name, opening(large));
    t.ok((await readShared(one, large))?.equals(large.bytes));
    t.strictSame(await one.shared.sweep(never), { files: 0, bytes: 0 }, 'nothing was left behind');
    await lookAfter(t, address);
    const problems = [one, other].map(({ metrics }) => metrics.counted('assay_s3_errors_total'));
    t.strictSame(problems, [0, 0]);
  });
}
