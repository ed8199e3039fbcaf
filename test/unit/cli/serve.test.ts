import { writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import t from 'tap';
import { serve } from '../../../src/cli/serve.ts';
import { plainPaint } from '../../../src/cli/terminal.ts';
import { writeConfiguration } from '../../support/app-kit.ts';
import { eventually } from '../../support/content-kit.ts';

const silent = { out() {}, rewrite() {}, paint: plainPaint };
const heard = (): number => process.listenerCount('SIGHUP');

t.test('a hang-up does not end it from the first moment on, until it has ended', async (t) => {
  const before = heard();
  const terminal = { ...silent, interactive: false, err() {} };
  const config = join(t.testdir(), 'absent.yaml');
  const run = serve.run({ operands: [], config, json: false, options: {}, terminal });
  t.equal(heard(), before + 1);
  await t.rejects(run);
  t.equal(heard(), before);
});

t.test('a reload that is asked for while it starts is made up for', async (t) => {
  // No rounds: what is loaded anew is what the signal asked for.
  t.intercept(globalThis, 'setInterval', { value: () => ({ unref() {} }) });
  const config = writeConfiguration(t, { upstreams: { reg: 'http://127.0.0.1:1' } });
  let admin = '';
  const err = (line: string): void => {
    // Before the reload has read anything, which began a moment ago.
    writeFileSync(join(dirname(config), 'policy.yaml'), 'nonsense');
    admin = /verdicts are on (\S+)\. Stop/.exec(line)?.[1] ?? '';
  };
  const terminal = { ...silent, interactive: true, err };
  const run = serve.run({ operands: [], config, json: false, options: {}, terminal });
  process.emit('SIGHUP', 'SIGHUP');
  await eventually(() => admin !== '');
  const failures = async (): Promise<boolean> =>
    (await (await fetch(`${admin}/metrics`)).text()).includes(
      'assay_reload_failures_total{what="policy"} 1',
    );
  await eventually(failures);
  t.ok(await failures());
  process.emit('SIGINT', 'SIGINT');
  t.equal(await run, 0);
});
