import t from 'tap';
import { exactly, parseArguments } from '../../../src/cli/arguments.ts';
import { UsageError } from '../../../src/cli/usage-error.ts';

const nothing = { operands: [], config: undefined, json: false, help: false, version: false };

t.test('options may stand anywhere', async (t) => {
  const expected = { ...nothing, operands: ['verify', 'a/b:1'], config: 'x.yaml', json: true };
  t.same(parseArguments(['verify', '--json', 'a/b:1', '--config', 'x.yaml']), expected);
  t.same(parseArguments(['--config=x.yaml', 'verify', 'a/b:1', '--json']), expected);
});

t.test('no words are no operands', async (t) => {
  t.same(parseArguments([]), nothing);
});

t.test('help has a short form', async (t) => {
  t.same(parseArguments(['-h']), { ...nothing, help: true });
});

t.test('an unknown option is refused in one sentence that names it', async (t) => {
  t.throws(() => parseArguments(['verify', '--force']), new UsageError("unknown option '--force'"));
});

t.test('an option without its value is refused', async (t) => {
  t.throws(() => parseArguments(['--config']), { name: 'UsageError', message: /--config/ });
});

t.test('a flag with a value is refused', async (t) => {
  t.throws(() => parseArguments(['--json=yes']), { name: 'UsageError', message: /--json/ });
});

t.test('exactly the named operands are taken', async (t) => {
  t.same(exactly(['a'], 'REF'), ['a']);
  t.throws(() => exactly([], 'REF'), new UsageError('REF is missing'));
  t.throws(() => exactly(['a', 'b'], 'REF'), new UsageError("there is one argument too many: 'b'"));
});
