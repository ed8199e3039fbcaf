import t from 'tap';
import { makeTerminal, printable } from '../../../src/cli/terminal.ts';

function makeStream(isTTY?: boolean) {
  const written: string[] = [];
  const write = (text: string) => written.push(text);
  return { write, written, ...(isTTY !== undefined && { isTTY }) };
}

t.test('results go to standard output and complaints to standard error, a line each', async (t) => {
  const [stdout, stderr] = [makeStream(), makeStream()];
  const terminal = makeTerminal(stdout, stderr, {});
  terminal.out('result');
  terminal.err('complaint');
  t.same(stdout.written, ['result\n']);
  t.same(stderr.written, ['complaint\n']);
});

const paintings = [
  { name: 'a terminal', isTTY: true, environment: {}, coloured: true },
  {
    name: 'a terminal with an empty NO_COLOR',
    isTTY: true,
    environment: { NO_COLOR: '' },
    coloured: true,
  },
  {
    name: 'a terminal under NO_COLOR',
    isTTY: true,
    environment: { NO_COLOR: '1' },
    coloured: false,
  },
  { name: 'a dumb terminal', isTTY: true, environment: { TERM: 'dumb' }, coloured: false },
  { name: 'a pipe', isTTY: undefined, environment: {}, coloured: false },
];

for (const { name, isTTY, environment, coloured } of paintings) {
  t.test(`${name} ${coloured ? 'gets' : 'gets no'} colours`, async (t) => {
    const { paint } = makeTerminal(makeStream(isTTY), makeStream(true), environment);
    t.equal(paint('red', 'x'), coloured ? '\u001b[31mx\u001b[39m' : 'x');
  });
}

t.test('a person watches where standard error is a terminal', async (t) => {
  t.equal(makeTerminal(makeStream(), makeStream(true), {}).interactive, true);
  t.equal(makeTerminal(makeStream(true), makeStream(), {}).interactive, false);
});

t.test('a line is put in the place of the one before, for a person only', async (t) => {
  const watched = { ...makeStream(true), columns: 10 };
  const terminal = makeTerminal(makeStream(), watched, {});
  terminal.rewrite('first');
  terminal.rewrite('longer than the terminal is wide');
  terminal.rewrite('');
  const erase = '\r\u001b[2K';
  t.same(watched.written, [`${erase}first`, `${erase}longer th`, erase]);
  for (const [stderr, environment] of [
    [makeStream(), {}],
    [makeStream(true), { TERM: 'dumb' }],
  ] as const) {
    makeTerminal(makeStream(true), stderr, environment).rewrite('first');
    t.same(stderr.written, []);
  }
});

t.test(
  'control, format and line separating characters become escapes, the rest stays',
  async (t) => {
    t.equal(printable('Zoë: CN=Müller, 日本'), 'Zoë: CN=Müller, 日本');
    t.equal(printable('a\u001b[2Kb\n\r\u0085'), 'a\\u{1b}[2Kb\\u{a}\\u{d}\\u{85}');
    t.equal(printable('\u202e\u2028\u{e0001}\ud800'), '\\u{202e}\\u{2028}\\u{e0001}\\u{d800}');
  },
);
