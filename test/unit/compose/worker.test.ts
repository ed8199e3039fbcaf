import { writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import t, { type Test } from 'tap';
import { type PrimaryLink, runWorker } from '../../../src/compose/worker.ts';
import type { FromWorker, ToWorker } from '../../../src/compose/worker-messages.ts';
import { handOver } from '../../../src/config/hand-over.ts';
import { loadConfig } from '../../../src/config/load.ts';
import { writeConfiguration } from '../../support/app-kit.ts';
import { eventually } from '../../support/content-kit.ts';

/** A worker in this process, and what it says. */
async function startKit(t: Test, onSaid: (message: FromWorker) => void = () => undefined) {
  // Nothing is looked at again and again: what happens is what the worker was told to do.
  t.intercept(globalThis, 'setInterval', { value: () => ({ unref() {} }) });
  const file = writeConfiguration(t, { upstreams: { reg: 'http://127.0.0.1:1' } });
  const config = handOver(await loadConfig(file));
  const said: FromWorker[] = [];
  let tell = (_message: ToWorker): void => undefined;
  const link: PrimaryLink = {
    async send(message) {
      said.push(message);
      onSaid(message);
    },
    hear(listener) {
      tell = listener;
    },
  };
  const ended = runWorker(link);
  const admin = { host: '127.0.0.1', port: 1 };
  const start: ToWorker = { kind: 'start', worker: 1, replica: 'one', config, admin };
  const hasSaid = (kind: FromWorker['kind']) => said.some((message) => message.kind === kind);
  return { policyFile: join(dirname(file), 'policy.yaml'), said, hasSaid, tell, start, ended };
}

t.test('says that it is alive from before it serves until it has ended', async (t) => {
  const { tell, start, said, hasSaid, ended } = await startKit(t);
  tell(start);
  tell({ kind: 'are-you-alive' });
  t.same(
    said.map(({ kind }) => kind),
    ['hello', 'alive'],
  );
  await eventually(() => hasSaid('listening'));
  tell({ kind: 'close' });
  tell({ kind: 'are-you-alive' });
  t.equal(said.filter(({ kind }) => kind === 'alive').length, 2);
  t.equal(await ended, 0);
});

t.test('a reload that it is told of while it starts is made up for', async (t) => {
  let policyFile = '';
  const kit = await startKit(t, ({ kind }) => {
    if (kind === 'listening') writeFileSync(policyFile, 'nonsense');
  });
  ({ policyFile } = kit);
  const { tell, start, said, hasSaid, ended } = kit;
  tell(start);
  tell({ kind: 'reload' });
  await eventually(() => hasSaid('listening'));
  const failures = async (): Promise<unknown> => {
    const before = said.length;
    tell({ kind: 'question', id: before, question: 'metrics' });
    await eventually(() => said.length > before);
    const found = said.at(-1);
    const metrics = found?.kind === 'answer' && 'map' in found.answer ? found.answer : [];
    return metrics.find(({ name }) => name === 'assay_reload_failures_total')?.values;
  };
  await eventually(async () => JSON.stringify(await failures()).includes('"value":1'));
  t.match(await failures(), [{ labels: { what: 'policy' }, value: 1 }]);
  tell({ kind: 'close' });
  t.equal(await ended, 0);
});
