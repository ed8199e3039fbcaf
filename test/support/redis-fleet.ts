import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Test } from 'tap';
import { freePort, type RedisServer, startRedis, untilTrue } from './redis-server.ts';
import { findTool } from './require-tool.ts';

const run = promisify(execFile);

/** A Redis Cluster of masters without replicas, ended with the test. */
export interface RedisCluster {
  readonly nodes: readonly RedisServer[];
  readonly addresses: readonly string[];
  /** Moves a slot with all that is in it; `meanwhile` runs when a part of it was moved. */
  moveSlotOf(key: string, meanwhile: () => Promise<void>): Promise<void>;
  untilOk(): Promise<void>;
}

export async function clusterOf(t: Test, count: number): Promise<RedisCluster> {
  const nodes: RedisServer[] = [];
  for (let index = 0; index < count; index += 1) nodes.push(await startNode(t));
  const addresses = nodes.map(({ port }) => `127.0.0.1:${port}`);
  const manage = (...words: readonly string[]) =>
    run(findTool('redis-cli')!, ['--cluster', ...words], { maxBuffer: 64 * 1024 * 1024 });
  const untilOk = async (): Promise<void> => {
    for (const node of nodes) {
      await untilTrue(async () => /cluster_state:ok/.test(await node.cli('CLUSTER', 'INFO')));
    }
  };
  await manage('create', ...addresses, '--cluster-yes');
  await untilOk();
  return {
    nodes,
    addresses,
    async moveSlotOf(key, meanwhile) {
      const slot = await nodes[0]!.cli('CLUSTER', 'KEYSLOT', key);
      const counts = await Promise.all(
        nodes.map((node) => node.cli('CLUSTER', 'COUNTKEYSINSLOT', slot)),
      );
      const at = counts.findIndex((count) => Number(count) > 0);
      const [from, to] = [nodes[at]!, nodes[(at + 1) % nodes.length]!];
      const ids = await Promise.all([from, to].map((node) => node.cli('CLUSTER', 'MYID')));
      await to.cli('CLUSTER', 'SETSLOT', slot, 'IMPORTING', ids[0]!);
      await from.cli('CLUSTER', 'SETSLOT', slot, 'MIGRATING', ids[1]!);
      const keys = (await from.cli('CLUSTER', 'GETKEYSINSLOT', slot, '1000')).split('\n');
      const move = (moved: readonly string[]): Promise<string> =>
        from.cli('MIGRATE', '127.0.0.1', String(to.port), '', '0', '5000', 'KEYS', ...moved);
      await move(keys.slice(0, 1));
      await meanwhile();
      if (keys.length > 1) await move(keys.slice(1));
      for (const node of [to, from]) await node.cli('CLUSTER', 'SETSLOT', slot, 'NODE', ids[1]!);
    },
    untilOk,
  };
}

/** The cluster's own port is 10,000 above, and must be one. */
async function startNode(t: Test): Promise<RedisServer> {
  const bus = String(await freePort());
  const cluster = ['--cluster-enabled', 'yes', '--cluster-port', bus];
  return startRedis(t, [...cluster, '--cluster-node-timeout', '1000', '--appendonly', 'yes']);
}

export interface RedisSentinel {
  readonly master: RedisServer;
  readonly replica: RedisServer;
  readonly sentinelAddress: string;
}

/** A master called `assay`, its replica, and one sentinel that needs nobody's consent. */
export async function sentinelOf(t: Test): Promise<RedisSentinel> {
  const master = await startRedis(t);
  const following = ['--replicaof', '127.0.0.1', String(master.port)];
  const replica = await startRedis(t, [...following, '--repl-diskless-sync-delay', '0']);
  const port = await freePort();
  const file = join(master.folder, 'sentinel.conf');
  writeFileSync(
    file,
    [
      `port ${port}`,
      `dir ${master.folder}`,
      `sentinel monitor assay 127.0.0.1 ${master.port} 1`,
      'sentinel down-after-milliseconds assay 500',
      'sentinel failover-timeout assay 3000',
      '',
    ].join('\n'),
  );
  const child = spawn(findTool('redis-server')!, [file, '--sentinel'], { stdio: 'ignore' });
  t.teardown(async () => {
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
  });
  const ask = async (...words: readonly string[]): Promise<string> =>
    (await run(findTool('redis-cli')!, ['-p', String(port), ...words])).stdout;
  // It learns of the replica from the master, every ten seconds.
  await untilTrue(
    async () => (await ask('SENTINEL', 'REPLICAS', 'assay')).includes('flags'),
    20_000,
  );
  await untilTrue(async () =>
    /master_link_status:up/.test(await replica.cli('INFO', 'replication')),
  );
  return { master, replica, sentinelAddress: `127.0.0.1:${port}` };
}
