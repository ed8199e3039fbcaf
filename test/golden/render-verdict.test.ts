import t from 'tap';
import { renderExplanation } from '../../src/cli/render-explanation.ts';
import { renderVerdict } from '../../src/cli/render-verdict.ts';
import { colourPaint, plainPaint } from '../../src/cli/terminal.ts';
import type { Examined } from '../../src/compose/verification.ts';
import type { Verdict } from '../../src/verdict/verdict.ts';
import { matchesGolden } from '../support/golden.ts';
import * as verdicts from './verdicts.ts';

function examined(verdict: Verdict): Examined {
  return { reference: `${verdict.scope}:1.4`, verdict, warnings: [] };
}

const files: Readonly<Record<string, Verdict>> = {
  trusted: verdicts.trusted,
  permissive: verdicts.permissive,
  unsigned: verdicts.unsigned,
  tampered: verdicts.tampered,
  inconclusive: verdicts.inconclusive,
  'no-rule': verdicts.withoutRule,
  exempted: verdicts.exempted,
  audit: verdicts.audited,
  platforms: verdicts.platforms,
  cosign: verdicts.cosign,
  hostile: verdicts.hostile,
};

for (const [name, verdict] of Object.entries(files)) {
  t.test(`a verdict (${name}) reads as its golden file`, async (t) => {
    const text = [
      '$ assay verify',
      renderVerdict(examined(verdict), plainPaint),
      '',
      '$ assay explain',
      renderExplanation(examined(verdict), plainPaint),
    ].join('\n');
    matchesGolden(t, `test/golden/${name}.txt`, text);
  });
}

t.test('nothing that a stranger wrote reaches the terminal as a control sequence', async (t) => {
  const text = renderExplanation(examined(verdicts.hostile), plainPaint);
  t.notMatch(text, /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/);
  t.notMatch(text, /^verdict: trusted/m);
});

t.test('colours change no word', async (t) => {
  const plain = renderExplanation(examined(verdicts.platforms), plainPaint);
  const coloured = renderExplanation(examined(verdicts.platforms), colourPaint);
  t.not(coloured, plain);
  t.equal(coloured.replace(/\u001b\[\d+m/g, ''), plain);
});
