import type { NotationRequirement } from '../../verdict/identity-requirement.ts';
import type { Finding } from '../signature-format.ts';
import { fail, pass } from '../finding.ts';

/**
 * A level under which the proof of authenticity may fail proves no signer, whatever was found:
 * audit, skip, or an override of authenticity.
 */
export function checkLevelVouches({ level, enforcement }: NotationRequirement): Finding {
  if (level === 'audit' || level === 'skip') {
    return fail('level-vouches-for-nothing', `the Notation level ${level} vouches for nothing`);
  }
  if (enforcement.authenticity !== 'enforce') {
    const because = 'the policy overrides authenticity, so that no signer is proven';
    return fail('level-vouches-for-nothing', because);
  }
  return pass({ level });
}
