import { setImmediate as turn } from 'node:timers/promises';
import t from 'tap';
import { makeLocalNotifications } from '../../../src/storage/local-notifications.ts';

t.test('a message reaches every listener of its channel, and no other', async (t) => {
  const notifications = makeLocalNotifications();
  const heard: string[] = [];
  notifications.subscribe('deny', (message) => heard.push(`one ${message}`));
  notifications.subscribe('deny', (message) => heard.push(`two ${message}`));
  notifications.subscribe('other', (message) => heard.push(`other ${message}`));
  await notifications.publish('deny', '7');
  await turn();
  t.same(heard, ['one 7', 'two 7']);
});

t.test('who has left hears nothing, not even what is under way', async (t) => {
  const notifications = makeLocalNotifications();
  const heard: string[] = [];
  const leave = notifications.subscribe('deny', (message) => heard.push(message));
  const published = notifications.publish('deny', '7');
  leave();
  await published;
  await turn();
  t.same(heard, []);
});

t.test('nobody hears anything after the end', async (t) => {
  const notifications = makeLocalNotifications();
  const heard: string[] = [];
  notifications.subscribe('deny', (message) => heard.push(message));
  await notifications.close();
  await notifications.publish('deny', '7');
  await turn();
  t.same(heard, []);
});
