import { once } from 'node:events';
import t, { type Test } from 'tap';
import { makeRotationKit } from '../support/rotation-kit.ts';
import { type ServeProcess, startServe } from '../support/serve-process.ts';
import { get } from '../support/start-starter.ts';
import { makeChain } from '../support/test-ca.ts';

const first = makeChain({ authority: 'first' });
const second = makeChain({ authority: 'second' });

const reloaded = 'policy and trust material reloaded';

/** Resolves with the next line that says so; the test's own time is the bound. */
async function nextLine({ child, lines }: ServeProcess, message: string, after: number) {
  for (;;) {
    const found = lines.slice(after).find((line) => line['message'] === message);
    if (found !== undefined) return found;
    await once(child.stdout!, 'data');
    // The reader of lines is behind the stream by a turn.
    await new Promise((resolve) => setImmediate(resolve));
  }
}

async function hangUp(served: ServeProcess, message = reloaded) {
  const after = served.lines.length;
  served.child.kill('SIGHUP');
  return nextLine(served, message, after);
}

async function start(t: Test) {
  const kit = makeRotationKit(t, { 'one:old': first, 'one:new': second });
  kit.trust('one', first);
  kit.trust('two', first);
  const served = await startServe(t, kit.file);
  const status = async (tag: string) =>
    (await get(`${served.oci}/v2/reg/one/manifests/${tag}`)).status;
  return { ...kit, served, status };
}

t.test('SIGHUP loads policy and trust material anew in the running process', async (t) => {
  const { served, status, trust, distrust } = await start(t);
  t.ok(await hangUp(served), 'without a change too, which no watch would see');
  t.same([await status('old'), await status('new')], [200, 403]);
  trust('one', second);
  await hangUp(served);
  t.same([await status('old'), await status('new')], [200, 200]);
  distrust('one', first);
  await hangUp(served);
  t.same([await status('old'), await status('new')], [403, 200]);
  t.equal(served.child.exitCode, null);
});

t.test('SIGHUP over what does not load leaves the last good state', async (t) => {
  const { served, status, writePolicy } = await start(t);
  writePolicy({ one: 'nonsense' });
  const told = await hangUp(served, 'a change does not load; the last good one stays in force');
  t.match(told, { level: 'error', what: 'policy' });
  t.equal(await status('old'), 200);
});

t.test('many at once are no harm, and SIGTERM still ends it', async (t) => {
  const { served, status } = await start(t);
  for (let count = 0; count < 20; count += 1) served.child.kill('SIGHUP');
  await hangUp(served);
  t.equal(await status('old'), 200);
  served.child.kill('SIGTERM');
  t.equal(await served.exited, 0);
});
