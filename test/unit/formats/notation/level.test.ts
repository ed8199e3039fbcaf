import t from 'tap';
import { checkLevelVouches } from '../../../../src/formats/notation/level.ts';
import type { NotationRequirement } from '../../../../src/verdict/identity-requirement.ts';
import { enforcementOf } from '../../../support/notation-case.ts';

const check = (
  level: NotationRequirement['level'],
  enforcement: NotationRequirement['enforcement'] = enforcementOf[level],
) => checkLevelVouches({ level, enforcement } as NotationRequirement);

t.test('strict and permissive vouch, audit and skip do not', async (t) => {
  t.match(check('strict'), { outcome: 'passed', evidence: { level: 'strict' } });
  t.match(check('permissive'), { outcome: 'passed' });
  for (const level of ['audit', 'skip'] as const) {
    t.match(check(level), { outcome: 'failed', reason: 'level-vouches-for-nothing' });
    t.match(check(level, enforcementOf.strict), { outcome: 'failed' });
  }
});

t.test('a level that does not enforce authenticity vouches for nothing', async (t) => {
  for (const authenticity of ['log', 'skip'] as const) {
    t.match(check('strict', { ...enforcementOf.strict, authenticity }), {
      outcome: 'failed',
      reason: 'level-vouches-for-nothing',
    });
  }
  const others = { authenticity: 'enforce', authenticTimestamp: 'log', expiry: 'log' } as const;
  t.match(check('strict', { ...others, revocation: 'skip' }), { outcome: 'passed' });
});
