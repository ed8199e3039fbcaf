import type { Enforcement } from '../verdict/check.ts';
import type {
  NotationCheckType,
  NotationLevel,
  NotationRequirement,
} from '../verdict/identity-requirement.ts';

type Enforcements = NotationRequirement['enforcement'];

export const notationLevels = ['strict', 'permissive', 'audit', 'skip'] as const;

/** Trust Store and Trust Policy specification, Signature Verification details. */
const byLevel: Readonly<Record<NotationLevel, Enforcements>> = {
  strict: {
    authenticity: 'enforce',
    authenticTimestamp: 'enforce',
    expiry: 'enforce',
    revocation: 'enforce',
  },
  permissive: {
    authenticity: 'enforce',
    authenticTimestamp: 'log',
    expiry: 'log',
    revocation: 'log',
  },
  audit: { authenticity: 'log', authenticTimestamp: 'log', expiry: 'log', revocation: 'log' },
  skip: { authenticity: 'skip', authenticTimestamp: 'skip', expiry: 'skip', revocation: 'skip' },
};

export type NotationOverrides = ReadonlyMap<NotationCheckType, Enforcement>;

export function enforcementOf(level: NotationLevel, overrides: NotationOverrides): Enforcements {
  return { ...byLevel[level], ...Object.fromEntries(overrides) };
}

const overridable: readonly string[] = Object.keys(byLevel.strict);

/** Custom Verification Level: integrity is never overridden, and only revocation can be skipped. */
export function parseOverride(
  check: string,
  action: string,
): readonly [NotationCheckType, Enforcement] | { readonly problem: string } {
  if (check === 'integrity') return { problem: 'integrity can not be overridden' };
  if (!overridable.includes(check)) {
    return { problem: `can not be overridden; what can is ${overridable.join(', ')}` };
  }
  if (action === 'skip' && check !== 'revocation')
    return { problem: 'only revocation can be skip' };
  if (action !== 'enforce' && action !== 'log' && action !== 'skip') {
    return { problem: 'must be enforce or log (or skip, for revocation)' };
  }
  return [check as NotationCheckType, action];
}

/**
 * Whether a signature can prove its signer under this statement. Levels audit and skip do not,
 * and neither does an override that lets the proof of authenticity fail.
 */
export function vouches({ level, enforcement }: NotationRequirement): boolean {
  return level !== 'audit' && level !== 'skip' && enforcement.authenticity === 'enforce';
}
