import t from 'tap';
import {
  makeFaultKit,
  refusesUnsigned,
  servesAll,
  signed,
  unsigned,
} from '../support/redis-fault-kit.ts';
import { hasRedis, type RedisServer, startRedis } from '../support/redis-server.ts';
import { metricOf, redisAt } from '../support/replicas-kit.ts';

/** Somebody else can write into Redis, and does. */

const verdictKey = (digest: string, scope = 'reg/app'): string =>
  `assay:1:kverdict/${scope}@${digest}`;
const partKey = (part: string, parent: string): string =>
  `assay:1:g{/part/${part}@}reg/app@${parent}`;
const partIndex = (part: string): string => `assay:1:i{/part/${part}@}`;

const rejected = /^assay_sealed_entries_rejected_total/;
const [unsignedChild] = unsigned.children;
const [signedChild] = signed.children;
const unsignedDigest = unsigned.descriptor.digest;
const signedDigest = signed.descriptor.digest;

interface Attack {
  readonly attack: (redis: RedisServer) => Promise<unknown>;
  /** Whether a replica that reads it sees that it is none of ours. */
  readonly isSeen: boolean;
}

const attacks: Readonly<Record<string, Attack>> = {
  'the verdict on a signed image, copied to an unsigned one': {
    attack: (redis) => redis.cli('COPY', verdictKey(signedDigest), verdictKey(unsignedDigest)),
    isSeen: true,
  },
  'a part of a signed index, copied to an unsigned child': {
    async attack(redis) {
      const from = partKey(signedChild!.descriptor.digest, signedDigest);
      const child = unsignedChild!.descriptor.digest;
      await redis.cli('COPY', from, partKey(child, signedDigest));
      await redis.cli('ZADD', partIndex(child), '0', `reg/app@${signedDigest}`);
    },
    isSeen: true,
  },
  'an index of parts that names a signed parent, without an entry': {
    attack: (redis) =>
      redis.cli(
        'ZADD',
        partIndex(unsignedChild!.descriptor.digest),
        '0',
        `reg/app@${signedDigest}`,
      ),
    isSeen: false,
  },
  'words that were never sealed': {
    attack: (redis) => redis.cli('SET', verdictKey(unsignedDigest), '\x01{"kind":"trusted"}'),
    isSeen: true,
  },
  'an entry of another kind': {
    attack: (redis) => redis.cli('HSET', verdictKey(unsignedDigest), 'kind', 'trusted'),
    isSeen: false,
  },
  'far more than any entry has': {
    attack: (redis) => redis.cli('SETRANGE', verdictKey(unsignedDigest), '50000000', 'x'),
    isSeen: false,
  },
};

for (const [what, { attack, isSeen }] of Object.entries(attacks)) {
  t.test(`${what}: nothing unsigned is served, and it is counted`, async (t) => {
    if (!hasRedis(t)) return;
    const redis = await startRedis(t);
    const kit = await makeFaultKit(t, redisAt(redis), 1);
    await servesAll(t, kit.all[0]!, 'signed', signed, 'before');
    await attack(redis);
    const fresh = await kit.add();
    await refusesUnsigned(t, [fresh], what);
    t.equal((await metricOf(fresh, rejected)) > 0, isSeen, 'it is counted where it can be');
    await servesAll(t, fresh, 'signed', signed, 'what is signed is served all the same');
  });
}
