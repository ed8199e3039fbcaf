import t from 'tap';
import { makeHostNotifications } from '../../../src/compose/host-notifications.ts';

t.test('what is published is heard here, and told to the others', async (t) => {
  const told: string[] = [];
  const notifications = makeHostNotifications((channel, message) =>
    told.push(`${channel}: ${message}`),
  );
  const heard: string[] = [];
  notifications.subscribe('deny', (message) => heard.push(message));
  await notifications.publish('deny', '5');
  t.same(told, ['deny: 5']);
  t.same(heard, ['5']);
});

t.test('what others tell is heard here, and goes no further', async (t) => {
  const told: string[] = [];
  const notifications = makeHostNotifications((_channel, message) => told.push(message));
  const heard = new Promise((resolve) => notifications.subscribe('deny', resolve));
  notifications.subscribe('other', () => t.fail('another channel'));
  notifications.deliver('deny', '6');
  t.equal(await heard, '6');
  t.same(told, []);
});
