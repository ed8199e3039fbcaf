import fc from 'fast-check';
import t from 'tap';
import { EnvelopeError } from '../../../src/crypto/envelope-error.ts';
import type { CheckStep, Finding } from '../../../src/formats/signature-format.ts';
import { TrustError } from '../../../src/trust/trust-error.ts';
import type { Enforcement } from '../../../src/verdict/check.ts';
import { runChecks } from '../../../src/verifier/run-checks.ts';

const passed: Finding = { outcome: 'passed' };
const failed: Finding = { outcome: 'failed', because: 'wrong', reason: 'signature-expired' };
const unclear: Finding = { outcome: 'inconclusive', because: '?', reason: 'revocation-unknown' };

const step = (
  id: string,
  finding: Finding | Error,
  enforcement: Enforcement = 'enforce',
): CheckStep => ({
  id,
  rule: `rule of ${id}`,
  enforcement: () => enforcement,
  run: () => {
    if (finding instanceof Error) throw finding;
    return finding;
  },
});

const outcomes = async (...steps: CheckStep[]): Promise<string[]> => {
  const { outcome, checks } = await runChecks(steps);
  return [outcome, ...checks.map((check) => `${check.id} ${check.outcome}`)];
};

t.test('when every check passes it is trusted', async (t) => {
  t.same(await outcomes(step('a', passed), step('b', passed)), ['trusted', 'a passed', 'b passed']);
});

t.test('no check at all is no ground for trust', async (t) => {
  t.same(await outcomes(), ['untrusted']);
});

t.test('after an enforced failure nothing runs, and each says what kept it', async (t) => {
  const run = await runChecks([step('a', failed), step('b', passed), step('c', passed)]);
  t.equal(run.outcome, 'untrusted');
  t.equal(run.reason, 'signature-expired');
  t.match(run.checks, [
    { id: 'a', outcome: 'failed', because: 'wrong', rule: 'rule of a' },
    { id: 'b', outcome: 'not-run', because: 'a failed' },
    { id: 'c', outcome: 'not-run', because: 'a failed' },
  ]);
});

t.test('what could not be found out is neither passed nor failed', async (t) => {
  t.same(await outcomes(step('a', unclear), step('b', passed)), [
    'inconclusive',
    'a inconclusive',
    'b not-run',
  ]);
});

t.test('a logged failure is shown and counted, and the rest runs', async (t) => {
  const run = await runChecks([
    step('a', failed, 'log'),
    step('b', passed),
    step('c', unclear, 'log'),
  ]);
  t.equal(run.outcome, 'trusted');
  t.equal(run.loggedFailures, 2);
  t.same(
    run.checks.map(({ outcome }) => outcome),
    ['failed', 'passed', 'inconclusive'],
  );
});

t.test('a check that the level skips is not run and says so', async (t) => {
  t.same(await outcomes(step('a', new Error('ran'), 'skip'), step('b', passed)), [
    'trusted',
    'a skipped',
    'b passed',
  ]);
});

t.test('unreadable bytes fail; any other error is inconclusive, never passed', async (t) => {
  const unreadable = await runChecks([step('a', new EnvelopeError('JWS_MALFORMED', 'no dots'))]);
  t.match(unreadable, { outcome: 'untrusted', reason: 'signature-invalid' });
  t.match(unreadable.checks, [{ outcome: 'failed', because: 'no dots' }]);
  const posing = Object.assign(new TypeError('not ours'), { name: 'EnvelopeError' });
  const others = [new TypeError('our bug'), new TrustError('TRUST_STORE_UNREADABLE', 'x'), posing];
  for (const error of others) {
    const run = await runChecks([step('a', error), step('b', passed)]);
    t.match(run, { outcome: 'inconclusive', reason: 'not-verifiable' }, error.message);
    t.match(run.checks, [
      { outcome: 'inconclusive', because: error.message },
      { outcome: 'not-run', enforcement: 'enforce', because: 'a is inconclusive' },
    ]);
  }
});

t.test('one more failed check never makes it more trusted', async (t) => {
  const rank = { untrusted: 0, inconclusive: 1, trusted: 2 } as const;
  const findings = fc.constantFrom(passed, failed, unclear);
  const enforcements = fc.constantFrom<Enforcement>('enforce', 'log', 'skip');
  const steps = fc.array(
    fc.tuple(findings, enforcements).map(([finding, way]) => step('s', finding, way)),
    { maxLength: 6 },
  );
  await fc.assert(
    fc.asyncProperty(steps, fc.nat(6), async (list, at) => {
      const before = await runChecks(list);
      const after = await runChecks(list.toSpliced(at, 0, step('new', failed)));
      t.ok(rank[after.outcome] <= rank[before.outcome]);
      t.not(after.outcome, 'trusted');
      t.equal(after.checks.length, list.length + 1, 'each check is reported');
    }),
    { numRuns: 100 },
  );
});

t.test('words of strangers are cut: a verdict with a hundred of them is kept', async (t) => {
  const long = 'x'.repeat(100_000);
  const { checks } = await runChecks([
    step('a', { outcome: 'passed', evidence: { signer: long, root: 'short' } }),
    step('b', { outcome: 'failed', because: long, reason: 'signature-invalid' }),
  ]);
  const [first, second] = checks;
  t.equal(first?.evidence?.['signer']?.length, 1001);
  t.equal(first?.evidence?.['root'], 'short');
  t.equal(second?.because?.length, 2001);
  t.ok(second?.because?.endsWith('…'));
});
