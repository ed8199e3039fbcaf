import t from 'tap';
import { assertTakes, exactly, parseArguments } from '../../../src/cli/arguments.ts';
import type { Command } from '../../../src/cli/command.ts';
import { UsageError } from '../../../src/cli/usage-error.ts';

const nothing = {
  operands: [],
  config: undefined,
  json: false,
  help: false,
  version: false,
  options: {},
};

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

const more = [
  { name: 'all', does: 'everything' },
  { name: 'rate', value: 'RATE', does: 'slowly' },
];

t.test("a command's own options are given by name, with the text behind them", async (t) => {
  const parsed = parseArguments(['x', '--all', '--rate', '5 MiB'], more);
  t.same(parsed, { ...nothing, operands: ['x'], options: { all: true, rate: '5 MiB' } });
  t.same(parseArguments(['x', '--rate=1'], more).options, { rate: '1' });
  t.same(parseArguments(['x'], more).options, {});
});

t.test('an own option without its value, and a flag with one, are refused', async (t) => {
  t.throws(() => parseArguments(['--rate'], more), { name: 'UsageError', message: /--rate/ });
  t.throws(() => parseArguments(['--all=x'], more), { name: 'UsageError', message: /--all/ });
});

t.test('an option of another command is refused by name', async (t) => {
  const command = { name: 'x y', options: [more[0]] } as unknown as Command;
  t.doesNotThrow(() => assertTakes(command, { all: true }));
  t.throws(
    () => assertTakes(command, { rate: '1' }),
    new UsageError("'assay x y' takes no --rate"),
  );
});
