import t from 'tap';
import { exitCodeOf } from '../../../src/cli/render-verdict.ts';
import * as verdicts from '../../golden/verdicts.ts';

const codes = [
  { name: 'trusted', verdict: verdicts.trusted, code: 0 },
  { name: 'trusted with logged failures', verdict: verdicts.permissive, code: 0 },
  { name: 'admitted by an exemption', verdict: verdicts.exempted, code: 0 },
  { name: 'untrusted', verdict: verdicts.unsigned, code: 1 },
  { name: 'untrusted, though audit mode would serve it', verdict: verdicts.audited, code: 1 },
  { name: 'without a rule', verdict: verdicts.withoutRule, code: 1 },
  { name: 'inconclusive', verdict: verdicts.inconclusive, code: 2 },
] as const;

for (const { name, verdict, code } of codes) {
  t.test(`what is ${name} ends with ${code}`, async (t) => {
    t.equal(exitCodeOf(verdict), code);
  });
}
