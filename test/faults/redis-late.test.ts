import t from 'tap';
import { type Fault, goesOnAlone } from '../support/redis-away.ts';

/** Redis is there, and nothing comes through in time: each replica goes on by itself. */

const faults: Readonly<Record<string, Fault>> = {
  'Redis answers half a second late': {
    begin: (_, proxy) => proxy.delayMs(500),
    end: (_, proxy) => proxy.delayMs(0),
  },
  'the network swallows everything': {
    begin: (_, proxy) => proxy.swallow(true),
    end: (_, proxy) => proxy.swallow(false),
  },
};

for (const [what, fault] of Object.entries(faults)) {
  t.test(`${what}: replicas go on by themselves, and together again afterwards`, (t) =>
    goesOnAlone(t, what, fault),
  );
}
