import t from 'tap';
import { type Fault, goesOnAlone } from '../support/redis-away.ts';

/** Redis is not there, or as good as not there: each replica goes on by itself. */

const faults: Readonly<Record<string, Fault>> = {
  'Redis is killed, and comes back empty': {
    begin: (redis) => redis.kill(),
    end: (redis) => redis.start(),
  },
  'Redis hangs': {
    begin: (redis) => redis.signal('SIGSTOP'),
    end: (redis) => redis.signal('SIGCONT'),
  },
};

for (const [what, fault] of Object.entries(faults)) {
  t.test(`${what}: replicas go on by themselves, and together again afterwards`, (t) =>
    goesOnAlone(t, what, fault),
  );
}
