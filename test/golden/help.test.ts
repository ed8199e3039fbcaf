import t from 'tap';
import { commands } from '../../src/cli/commands.ts';
import { makeHelp } from '../../src/cli/help.ts';
import { renderCommandHelp, renderHelp } from '../../src/cli/render-help.ts';
import { matchesGolden } from '../support/golden.ts';

t.test('the help of every command reads as its golden file', async (t) => {
  const all = [...commands, makeHelp(commands)];
  const texts = [renderHelp(all), ...all.map(renderCommandHelp)];
  matchesGolden(t, 'test/golden/help.txt', texts.join('\n\n---\n\n'));
});
