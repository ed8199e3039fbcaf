import t from 'tap';
import {
  enforcementOf,
  notationLevels,
  parseOverride,
  vouches,
} from '../../../src/policies/notation-level.ts';
import type { Enforcement } from '../../../src/verdict/check.ts';
import type { NotationCheckType } from '../../../src/verdict/identity-requirement.ts';

const none = new Map<NotationCheckType, Enforcement>();

t.test('the levels enforce and log what the specification says', async (t) => {
  const all = (enforcement: Enforcement) => ({
    authenticity: enforcement,
    authenticTimestamp: enforcement,
    expiry: enforcement,
    revocation: enforcement,
  });
  t.same(enforcementOf('strict', none), all('enforce'));
  t.same(enforcementOf('permissive', none), { ...all('log'), authenticity: 'enforce' });
  t.same(enforcementOf('audit', none), all('log'));
  t.same(enforcementOf('skip', none), all('skip'));
});

t.test('an override changes its own check and no other', async (t) => {
  t.same(enforcementOf('strict', new Map([['revocation', 'skip']])), {
    ...enforcementOf('strict', none),
    revocation: 'skip',
  });
});

t.test('what may be overridden, and how', async (t) => {
  t.same(parseOverride('expiry', 'log'), ['expiry', 'log']);
  t.same(parseOverride('authenticity', 'enforce'), ['authenticity', 'enforce']);
  t.same(parseOverride('revocation', 'skip'), ['revocation', 'skip']);
  t.match(parseOverride('integrity', 'log'), { problem: /integrity/ });
  t.match(parseOverride('expiry', 'skip'), { problem: /only revocation/ });
  t.match(parseOverride('expiry', 'ignore'), { problem: /must be enforce or log/ });
  t.match(parseOverride('Expiry', 'log'), { problem: /can not be overridden/ });
  t.match(parseOverride('toString', 'log'), { problem: /can not be overridden/ });
});

t.test('audit, skip and an override of authenticity vouch for nobody', async (t) => {
  const common = {
    verifyTimestamp: 'always',
    revocationTime: 'now',
    trustStores: [],
    trustedIdentities: '*',
  } as const;
  const answers = notationLevels.map((level) =>
    vouches({ ...common, level, enforcement: enforcementOf(level, none) }),
  );
  t.same(answers, [true, true, false, false]);
  const loosened = enforcementOf('strict', new Map([['authenticity', 'log']]));
  t.equal(vouches({ ...common, level: 'strict', enforcement: loosened }), false);
});
