import t from 'tap';
import { ConfigError, invalidConfig } from '../../../src/config/config-error.ts';

t.test('the error has each problem as a message, and all of them in its own', async (t) => {
  const error = invalidConfig('a.yaml', [
    { at: { line: 2, column: 1 }, path: 'x', message: 'is wrong' },
    { at: { line: 1, column: 1 }, path: '', message: 'is missing' },
  ]);
  t.type(error, ConfigError);
  t.equal(error.code, 'CONFIG_INVALID');
  t.same(error.messages, ['a.yaml:1:1: is missing', 'a.yaml:2:1: x: is wrong']);
  t.equal(error.message, `the configuration can not be used:\n${error.messages.join('\n')}`);
});
