import t from 'tap';
import { makeOriginQueue } from '../../../src/upstream/origin-queue.ts';

t.test('each origin has its own places, and who leaves makes room', (t) => {
  const queue = makeOriginQueue(2);
  const leave = queue.enter('https://a');
  queue.enter('https://a');
  t.throws(() => queue.enter('https://a'), {
    code: 'UPSTREAM_UNREACHABLE',
    because: 'queue',
    retryAfterSeconds: 1,
    message: '2 requests to it have no answer yet',
  });
  queue.enter('https://b');
  leave();
  t.doesNotThrow(() => queue.enter('https://a'));
  t.throws(() => queue.enter('https://a'));
  t.end();
});
