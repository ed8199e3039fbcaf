import t from 'tap';
import { decide } from '../../../src/policies/decide.ts';
import type { RequireRule } from '../../../src/policies/policy.ts';
import { makeStatementJudge } from '../../../src/policies/statement-judge.ts';
import type { LoadedTrustPolicy } from '../../../src/policies/trust-policy.ts';
import type { Report } from '../../../src/verdict/report.ts';
import { now, scope, statementOf, subject, types } from '../../support/attestation-kit.ts';
import { loadPolicy, problemsIn, trustedReport } from '../../support/policy-kit.ts';

const issuer = 'https://token.actions.githubusercontent.com';
const policyOf = (identity: string, requirement: string): string => `version: 1
identities:
  ci: { sigstore: { issuer: "${issuer}", ${identity} } }
rules:
  - repositories: ["ghcr.io/acme/**"]
    require: ${requirement}
`;
const exact = 'subject: release@acme.example';
const demand = (type: string, more = '') =>
  `{ attestation: { predicateTypes: ["${type}"], signedBy: ci${more} } }`;

function ruleOf(policy: LoadedTrustPolicy): RequireRule {
  const rule = policy.ruleFor(scope, subject, now);
  if (rule?.kind !== 'require') throw new TypeError('no such rule');
  return rule;
}

/** The verdict on statements that `identity` has been proven to have signed. */
async function decideOn(
  policy: LoadedTrustPolicy,
  statements: readonly { readonly predicateType: string; readonly payload: Uint8Array }[],
  identity = 'ci',
) {
  const rule = ruleOf(policy);
  const judge = makeStatementJudge(async () => Promise.reject(new Error('no threads here')));
  const reports: Report[] = [];
  for (const statement of statements) {
    const question = { rule, identity, statement, scope, subject, now };
    const attestation = await judge(question, new AbortController().signal);
    reports.push({ ...trustedReport(identity), attestation });
  }
  return decide(rule.requirement, { reports, incomplete: undefined });
}

const vuln = { predicateType: types.cosignVuln, payload: statementOf(types.cosignVuln, {}) };
const spdx = {
  predicateType: types.spdx,
  payload: statementOf(types.spdx, { spdxVersion: 'SPDX-2.3', packages: [{ name: 'a' }] }),
};

t.test('CVE-2022-35929, CVE-2022-35930: a scan is no SBOM', async (t) => {
  const policy = await loadPolicy(policyOf(exact, demand(types.spdx)));
  t.match(await decideOn(policy, [vuln]), { kind: 'untrusted', reason: 'attestation-missing' });
  t.match(await decideOn(policy, [vuln, spdx]), { kind: 'trusted' });
});

t.test(
  'CVE-2026-39395: what is no JSON, or of another type than it was verified as, fails',
  async (t) => {
    const policy = await loadPolicy(policyOf(exact, demand(types.spdx)));
    const notJson = { predicateType: types.spdx, payload: Buffer.from('not JSON') };
    const disguised = { predicateType: types.spdx, payload: vuln.payload };
    const because = /can not be read|its predicateType is not/;
    for (const one of [notJson, disguised]) {
      t.match(await decideOn(policy, [one]), {
        kind: 'untrusted',
        reason: 'attestation-condition',
        because,
      });
      t.match(await decideOn(policy, [one, spdx]), { kind: 'trusted' }, 'and stops nothing else');
    }
  },
);

t.test('CVE-2025-29778: a pattern is demanded as much as a text', async (t) => {
  const pattern = 'subjectPattern: "https://github\\\\.com/acme/.*"';
  const policy = await loadPolicy(policyOf(pattern, '{ signedBy: ci }'));
  const identity = policy.requirementOf('ci', scope);
  if (identity?.family !== 'sigstore' || identity.sigstore.signer.kind !== 'certificate') {
    throw new TypeError('another identity');
  }
  const { signer } = identity.sigstore;
  t.ok(signer.subject.matches('https://github.com/acme/app'));
  t.notOk(signer.subject.matches('https://github.com/evil/app'));
  t.notOk(signer.issuer.matches('https://accounts.google.com'));
  for (const key of ['subjectRegExp', 'subjectRegex', 'issuerRegExp', 'identityRegexp']) {
    const unknown = policyOf(`${exact}, ${key}: a`, '{ signedBy: ci }');
    t.match(await problemsIn(unknown), [new RegExp(`${key}: is not a known key`)]);
  }
});

t.test('CVE-2022-36056: an identity without subject or issuer is no identity', async (t) => {
  t.match(await problemsIn(policyOf('claims: { trigger: push }', '{ signedBy: ci }')), [
    /subject or subjectPattern is missing/,
  ]);
});

t.test(
  'a builder is worth what its signer is: the same provenance by another does not count',
  async (t) => {
    const more = ', conditions: { slsa.builder: "https://builder.example" }';
    const policy = await loadPolicy(policyOf(exact, demand(types.slsa, more)));
    const predicate = { runDetails: { builder: { id: 'https://builder.example' } } };
    const provenance = { predicateType: types.slsa, payload: statementOf(types.slsa, predicate) };
    t.equal((await decideOn(policy, [provenance])).kind, 'trusted');
    t.equal((await decideOn(policy, [provenance], 'somebody')).kind, 'untrusted');
  },
);

t.test('an old clean scan does not do, though it was signed today', async (t) => {
  const more = ', maxAge: 7d, conditions: { vuln.maxSeverity: medium }';
  const policy = await loadPolicy(policyOf(exact, demand(types.cosignVuln, more)));
  const scannedAt = (scanFinishedOn: string) => ({
    predicateType: types.cosignVuln,
    payload: statementOf(types.cosignVuln, {
      scanner: { result: { matches: [] } },
      metadata: { scanFinishedOn },
    }),
    signedBy: now,
  });
  t.equal((await decideOn(policy, [scannedAt('2029-12-31T00:00:00Z')])).kind, 'trusted');
  t.match(await decideOn(policy, [scannedAt('2029-12-01T00:00:00Z')]), {
    kind: 'untrusted',
    because: /maxAge: it was made at 2029-12-01T00:00:00.000Z, too long ago/,
  });
});

t.test("an SBOM without a signature is nobody's, and never gets here", async (t) => {
  const policy = await loadPolicy(policyOf(exact, demand(types.spdx)));
  const rule = ruleOf(policy);
  const { signer: _, ...unsigned } = trustedReport('ci');
  const attestation = {
    predicateType: types.spdx,
    meets: [rule.attestations[0]?.digest ?? ''],
    conditions: [],
  };
  const decision = decide(rule.requirement, {
    reports: [{ ...unsigned, attestation }],
    incomplete: undefined,
  });
  t.match(decision, { kind: 'untrusted', reason: 'attestation-missing' });
});
