import t from 'tap';
import { writeConfiguration } from '../support/app-kit.ts';
import { runInProcess } from '../support/run-assay.ts';

const commands: readonly (readonly string[])[] = [
  ['verify', 'reg/app:1'],
  ['explain', 'reg/app:1'],
  ['deny', 'list'],
  ['deny', 'add', '--digest', `sha256:${'0'.repeat(64)}`, '--reason', 'x', '--owner', 'y'],
];

for (const words of commands) {
  const name = words.slice(0, 2).join(' ');
  t.test(
    `while Redis is away ${name} could not find out, which is no mistake in the configuration`,
    async (t) => {
      const config = {
        redis: { url: 'redis://127.0.0.1:1' },
        state: { keys: ['0123456789abcdef0123456789abcdef'] },
      };
      const file = writeConfiguration(t, { upstreams: { reg: 'http://127.0.0.1:1' }, config });
      const { code, stderr } = await runInProcess([...words, '--config', file]);
      t.equal(code, 2);
      t.match(stderr, /^assay: the shared deny list can not be read: redis /);
    },
  );
}
