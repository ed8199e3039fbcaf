import t from 'tap';
import {
  explainInconclusive,
  explainTrusted,
  explainUntrusted,
  describeRequirement,
} from '../../../src/policies/explain.ts';
import type { Requirement } from '../../../src/policies/policy.ts';
import { type Reason, reasons } from '../../../src/verdict/reason.ts';
import { failedReport, signatureDigest, trustedReport } from '../../support/policy-kit.ts';

const by = (signedBy: string): Requirement => ({ signedBy });
const byKeyOf = (...names: readonly string[]) =>
  new Map(names.map((name) => [name, new Set([`key of ${name}`])]));
const two: Requirement = { atLeast: { count: 2, of: [by('a'), by('b'), by('c')] } };

const failed = (identity: string, reason: Reason, because = 'it is so') =>
  failedReport(identity, 'untrusted', {
    signature: signatureDigest(`${identity} ${reason}`),
    reason,
    checks: [
      { id: 'first', outcome: 'passed', enforcement: 'enforce', rule: 'x' },
      { id: 'logged', outcome: 'failed', enforcement: 'log', rule: 'x', because: 'only logged' },
      { id: 'stopper', outcome: 'failed', enforcement: 'enforce', rule: 'x', because },
      { id: 'later', outcome: 'not-run', enforcement: 'enforce', rule: 'x', because: 'stopped' },
    ],
  });

t.test('no signature at all is unsigned, and says who should have signed', async (t) => {
  t.same(explainUntrusted(two, [], byKeyOf()), {
    reason: 'unsigned',
    because: 'no signature was found; the rule asks for at least 2 of a, b, c',
  });
});

t.test('one failure gives its reason and the check that stopped it', async (t) => {
  const explanation = explainUntrusted(
    by('a'),
    [failed('a', 'signature-expired', 'ended 2029')],
    byKeyOf(),
  );
  t.equal(explanation.reason, 'signature-expired');
  t.match(explanation.because, /does not count for a \(stopper: ended 2029\)$/);
  t.match(explanation.because, signatureDigest('a signature-expired').slice(0, 19));
});

const order: readonly (readonly [Reason, Reason])[] = [
  ['certificate-revoked', 'signature-expired'],
  ['signature-expired', 'certificate-expired'],
  ['certificate-expired', 'level-vouches-for-nothing'],
  ['level-vouches-for-nothing', 'no-trusted-signer'],
  ['no-trusted-signer', 'signature-invalid'],
  ['signature-invalid', 'limit-exceeded'],
];

for (const [telling, other] of order) {
  t.test(`${telling} says more than ${other}`, async (t) => {
    const found = [failed('a', other), failed('a', telling)];
    t.equal(explainUntrusted(by('a'), found, byKeyOf()).reason, telling);
    t.match(explainUntrusted(by('a'), found, byKeyOf()).because, /and 1 more signatures/);
  });
}

t.test('a failure that gives no reason is a signer whom nobody named', async (t) => {
  const explanation = explainUntrusted(by('a'), [failedReport('a', 'untrusted')], byKeyOf());
  t.equal(explanation.reason, 'no-trusted-signer');
  t.match(explanation.because, /it proves no signer/);
});

t.test('too few signers are told with those that are missing', async (t) => {
  const explanation = explainUntrusted(
    two,
    [trustedReport('b'), failed('a', 'signature-invalid')],
    byKeyOf('b'),
  );
  t.same(explanation, {
    reason: 'not-enough-signers',
    because: 'signed by b, but the rule asks for at least 2 of a, b, c; missing: a, c',
  });
});

t.test('nobody missing, but too few keys, is told so', async (t) => {
  const explanation = explainUntrusted(two, [], byKeyOf('a', 'b', 'c'));
  t.match(explanation, {
    reason: 'not-enough-signers',
    because: /one key counts for one identity/,
  });
});

t.test('an inconclusive report gives its own reason', async (t) => {
  const open = failedReport('a', 'inconclusive', {
    reason: 'revocation-unknown',
    checks: [
      {
        id: 'revocation',
        outcome: 'inconclusive',
        enforcement: 'enforce',
        rule: 'x',
        because: 'no OCSP',
      },
    ],
  });
  t.match(explainInconclusive([trustedReport('b'), open], 'also unlisted'), {
    reason: 'revocation-unknown',
    because: /could not be found out: .*revocation: no OCSP/,
  });
  t.match(explainInconclusive([failedReport('a', 'inconclusive')], undefined), {
    reason: 'upstream-unavailable',
  });
  t.match(explainInconclusive([], undefined).because, /cause is unknown/);
});

t.test('trust names each identity once with its signer', async (t) => {
  const text = explainTrusted([
    trustedReport('a', 'k1'),
    trustedReport('a', 'k2'),
    trustedReport('b', 'k3'),
  ]);
  t.equal(text, 'signed by a: CN=k1 (key k1), b: CN=k3 (key k3)');
});

t.test('a requirement reads as a sentence, nested parts in brackets', async (t) => {
  const nested: Requirement = { anyOf: [{ allOf: [by('a'), by('b')] }, two] };
  t.equal(describeRequirement(nested), '(a and b) or (at least 2 of a, b, c)');
});

t.test('no text grows with the number or length of names', async (t) => {
  const names = Array.from({ length: 60 }, (_, index) => `identity-${index}-${'x'.repeat(50)}`);
  const all = { allOf: names.map(by) } as unknown as Requirement;
  const texts = [
    explainUntrusted(all, [], byKeyOf()).because,
    explainUntrusted(all, [], byKeyOf(...names.slice(0, 30))).because,
    explainTrusted(names.map((name) => trustedReport(name))),
    explainInconclusive([], 'x'.repeat(5000)).because,
  ];
  for (const text of texts) t.ok(text.length <= 400, `${text.length} characters`);
});

t.test('every reason given is one that is documented', async (t) => {
  const found = explainUntrusted(by('a'), [failed('a', 'signature-invalid')], byKeyOf());
  t.ok(Object.hasOwn(reasons, found.reason));
});
