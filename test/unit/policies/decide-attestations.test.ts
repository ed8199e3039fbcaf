import t from 'tap';
import { decide } from '../../../src/policies/decide.ts';
import type { Requirement } from '../../../src/policies/policy.ts';
import type { AttestationFound, ConditionFound, Report } from '../../../src/verdict/report.ts';
import { requirementOf, types } from '../../support/attestation-kit.ts';
import { failedReport, signatureDigest, trustedReport } from '../../support/policy-kit.ts';

const slsa = requirementOf([types.slsa], [], { signedBy: 'a', digest: 'slsa' });
const sbom = requirementOf([types.spdx], [], { signedBy: 'b', digest: 'sbom' });
const signed = (signedBy: string): Requirement => ({ signedBy });
const attested = (attestation: typeof slsa): Requirement => ({ attestation });

const given = (...reports: readonly Report[]) => ({ reports, incomplete: undefined });

function attestation(
  identity: string,
  meets: readonly string[],
  conditions: readonly ConditionFound[] = [],
  key = `key of ${identity}`,
): Report {
  const found: AttestationFound = { predicateType: types.slsa, meets, conditions };
  return {
    ...trustedReport(identity, key),
    signature: signatureDigest(`attestation ${identity} ${meets.join()} ${key}`),
    attestation: found,
  };
}

const found = (
  outcome: ConditionFound['outcome'],
  requirement = 'slsa',
  condition = 'slsa.builder',
): ConditionFound => ({ requirement, condition, outcome, because: 'builder is "evil"' });

t.test('an attestation that meets the requirement is what it asks for', async (t) => {
  const decision = decide(attested(slsa), given(attestation('a', ['slsa'])));
  t.equal(decision.kind, 'trusted');
});

t.test('an attestation never counts as a signature', async (t) => {
  const decision = decide(signed('a'), given(attestation('a', ['slsa'])));
  t.match(decision, {
    kind: 'untrusted',
    reason: 'unsigned',
    because: /only attestations were found/,
  });
});

t.test('a signature never counts as an attestation', async (t) => {
  const decision = decide(attested(slsa), given(trustedReport('a')));
  t.match(decision, { kind: 'untrusted', reason: 'attestation-missing' });
});

t.test('no attestation at all is a missing one (CVE-2022-35929)', async (t) => {
  t.match(decide(attested(slsa), given()), {
    kind: 'untrusted',
    reason: 'attestation-missing',
    because: /no attestation was found that the rule asks for: .*provenance\/v1 by a/,
  });
});

t.test('an attestation of another type does not count (CVE-2022-35930)', async (t) => {
  const other = attestation('a', [], [found('not-met', 'slsa', 'predicateTypes')]);
  t.match(decide(attested(slsa), given(other)), {
    kind: 'untrusted',
    reason: 'attestation-missing',
  });
});

t.test('a malformed attestation is a failed candidate (CVE-2026-39395)', async (t) => {
  const malformed = attestation('a', [], [found('not-met', 'slsa', 'statement')]);
  t.match(decide(attested(slsa), given(malformed)), {
    kind: 'untrusted',
    reason: 'attestation-condition',
  });
});

t.test('an attestation that fails a condition is told with what was seen', async (t) => {
  const failing = attestation('a', [], [found('met', 'slsa', 'predicateTypes'), found('not-met')]);
  t.match(decide(attested(slsa), given(failing)), {
    kind: 'untrusted',
    reason: 'attestation-condition',
    because: /does not meet slsa.builder: builder is "evil"/,
  });
});

t.test('of two attestations no parts are put together', async (t) => {
  const one = attestation('a', [], [found('met'), found('not-met', 'slsa', 'where')]);
  const other = attestation('a', [], [found('not-met'), found('met', 'slsa', 'where')], 'k2');
  t.equal(decide(attested(slsa), given(one, other)).kind, 'untrusted');
});

t.test('an attestation that meets another requirement does not meet this one', async (t) => {
  t.equal(decide(attested(slsa), given(attestation('a', ['sbom']))).kind, 'untrusted');
});

t.test('an attestation by somebody else does not count', async (t) => {
  t.equal(decide(attested(slsa), given(attestation('b', ['slsa']))).kind, 'untrusted');
});

t.test('an attestation whose checks failed does not count, whatever it meets', async (t) => {
  const failed: Report = { ...attestation('a', ['slsa']), outcome: 'untrusted' };
  t.equal(decide(attested(slsa), given(failed)).kind, 'untrusted');
  const { signer: _, ...unproven } = attestation('a', ['slsa']);
  t.equal(decide(attested(slsa), given(unproven)).kind, 'untrusted');
});

t.test('a condition that could not be worked out leaves the question open', async (t) => {
  const open = attestation('a', [], [found('met'), found('inconclusive', 'slsa', 'where')]);
  t.match(decide(attested(slsa), given(open)), {
    kind: 'inconclusive',
    reason: 'limit-exceeded',
    because: /whether an attestation is as wanted could not be found out/,
  });
  const refuted = attestation('a', [], [found('not-met'), found('inconclusive', 'slsa', 'where')]);
  t.equal(decide(attested(slsa), given(refuted)).kind, 'untrusted');
  t.equal(decide(signed('a'), given(open)).kind, 'untrusted', 'and is no signature');
  t.equal(decide(attested(slsa), given(open, attestation('a', ['slsa']))).kind, 'trusted');
});

t.test('what could not be fetched may be an attestation', async (t) => {
  t.equal(decide(attested(slsa), given(failedReport('a', 'inconclusive'))).kind, 'inconclusive');
  t.equal(decide(attested(slsa), given(failedReport('b', 'inconclusive'))).kind, 'untrusted');
  t.equal(decide(attested(slsa), { reports: [], incomplete: 'offline' }).kind, 'inconclusive');
});

t.test('what is known to be an attestation is no open signature', async (t) => {
  const open: Report = { ...attestation('a', []), outcome: 'inconclusive' };
  t.equal(decide(signed('a'), given(open)).kind, 'untrusted');
  t.equal(decide(attested(slsa), given(open)).kind, 'inconclusive');
});

t.test('signatures and attestations compose', async (t) => {
  const all: Requirement = { allOf: [signed('a'), attested(slsa), attested(sbom)] };
  const whole = [trustedReport('a'), attestation('a', ['slsa']), attestation('b', ['sbom'])];
  t.equal(decide(all, given(...whole)).kind, 'trusted');
  t.match(decide(all, given(...whole.slice(1))), { reason: 'not-enough-signers' });
  t.match(decide(all, given(...whole.slice(0, 2))), {
    reason: 'attestation-missing',
    because: /Document by b/,
  });
  const either: Requirement = { anyOf: [signed('c'), attested(sbom)] };
  t.equal(decide(either, given(attestation('b', ['sbom']))).kind, 'trusted');
});

t.test('atLeast counts an identity once, be it by a signature or by an attestation', async (t) => {
  const two: Requirement = {
    atLeast: { count: 2, of: [signed('a'), attested(slsa), attested(sbom)] },
  };
  const own = [trustedReport('a', 'k1'), attestation('a', ['slsa'], [], 'k2')];
  t.equal(decide(two, given(...own)).kind, 'untrusted');
  t.equal(decide(two, given(...own, attestation('b', ['sbom'], [], 'k3'))).kind, 'trusted');
  t.equal(decide(two, given(...own, attestation('b', ['sbom'], [], 'k1'))).kind, 'trusted');
  const oneKey = [trustedReport('a', 'k1'), attestation('b', ['sbom'], [], 'k1')];
  t.equal(decide(two, given(...oneKey)).kind, 'untrusted');
});

t.test('composed members of atLeast count attestations by the same rule', async (t) => {
  const nested: Requirement = {
    atLeast: {
      count: 2,
      of: [{ allOf: [signed('a'), attested(slsa)] }, { anyOf: [attested(sbom)] }],
    },
  };
  const reports = [trustedReport('a', 'k1'), attestation('a', ['slsa'], [], 'k1')];
  t.equal(decide(nested, given(...reports)).kind, 'untrusted');
  t.equal(decide(nested, given(...reports, attestation('b', ['sbom'], [], 'k2'))).kind, 'trusted');
  t.equal(
    decide(nested, given(...reports, attestation('b', ['sbom'], [], 'k1'))).kind,
    'untrusted',
  );
});

t.test('one workload counts once, whatever key each of its certificates has', async (t) => {
  const two: Requirement = { atLeast: { count: 2, of: [signed('a'), signed('b')] } };
  const workload = (identity: string, key: string, subject: string): Report => ({
    ...trustedReport(identity, key),
    signer: {
      kind: 'certificate',
      subject,
      issuer: 'https://token.actions.githubusercontent.com',
      certificateFingerprint: key,
      keyFingerprint: key,
    },
  });
  const same = [workload('a', 'k1', 'w'), workload('b', 'k2', 'w')];
  t.equal(decide(two, given(...same)).kind, 'untrusted');
  t.equal(decide(two, given(workload('a', 'k1', 'w'), workload('b', 'k2', 'v'))).kind, 'trusted');
});

t.test('several open signatures in one manifest are several', async (t) => {
  const two: Requirement = { atLeast: { count: 2, of: [signed('a'), signed('b')] } };
  const open = (identity: string, index: number) =>
    failedReport(identity, 'inconclusive', {
      signature: signatureDigest('one manifest'),
      envelope: { digest: signatureDigest(`layer ${index}`), index },
    });
  t.equal(decide(two, given(open('a', 0), open('b', 1))).kind, 'inconclusive');
  t.equal(decide(two, given(open('a', 0), open('b', 0))).kind, 'untrusted');
});
