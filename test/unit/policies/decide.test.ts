import * as fc from 'fast-check';
import t from 'tap';
import type { NonEmpty } from '../../../src/kernel/non-empty.ts';
import { decide } from '../../../src/policies/decide.ts';
import type { Requirement } from '../../../src/policies/policy.ts';
import type { Report } from '../../../src/verdict/report.ts';
import { holds } from '../../support/holds.ts';
import {
  certificateIdentity,
  failedReport,
  signatureDigest,
  trustedReport,
} from '../../support/policy-kit.ts';

const by = (signedBy: string): Requirement => ({ signedBy });
const two: Requirement = { atLeast: { count: 2, of: [by('a'), by('b'), by('c')] } };
const both: Requirement = { allOf: [by('a'), by('b')] };
const either: Requirement = { anyOf: [by('a'), by('b')] };

const given = (...reports: readonly Report[]) => ({ reports, incomplete: undefined });
const bad = (identity: string) => failedReport(identity, 'untrusted');
const open = (identity: string, signature = `open ${identity}`) =>
  failedReport(identity, 'inconclusive', { signature: signatureDigest(signature) });

t.test('an identity: any trusted, else any inconclusive, else untrusted', async (t) => {
  const kind = (...reports: readonly Report[]) => decide(by('a'), given(...reports)).kind;
  t.equal(kind(bad('a'), open('a'), trustedReport('a')), 'trusted');
  t.equal(kind(bad('a'), open('a')), 'inconclusive');
  t.equal(kind(bad('a')), 'untrusted');
  t.equal(kind(), 'untrusted');
});

t.test('a signature held against another identity does not count', async (t) => {
  t.equal(decide(by('a'), given(trustedReport('b'))).kind, 'untrusted');
});

t.test('a trusted report that proves no signer does not count', async (t) => {
  const { signer: _, ...unproven } = trustedReport('a');
  t.equal(decide(by('a'), given(unproven)).kind, 'untrusted');
});

t.test('allOf and anyOf follow the logic of three values', async (t) => {
  const good = { a: trustedReport('a'), b: trustedReport('b') };
  t.equal(decide(both, given(good.a, good.b)).kind, 'trusted');
  t.equal(decide(both, given(good.a, open('b'))).kind, 'inconclusive');
  t.equal(decide(both, given(bad('a'), open('b'))).kind, 'untrusted');
  t.equal(decide(either, given(good.a, open('b'))).kind, 'trusted');
  t.equal(decide(either, given(bad('a'), open('b'))).kind, 'inconclusive');
  t.equal(decide(either, given(bad('a'), bad('b'))).kind, 'untrusted');
});

t.test('atLeast counts an open question as one that may turn out well', async (t) => {
  t.equal(decide(two, given(trustedReport('a'), trustedReport('b'))).kind, 'trusted');
  t.equal(decide(two, given(trustedReport('a'), open('b'))).kind, 'inconclusive');
  t.equal(decide(two, given(open('a'), open('b'))).kind, 'inconclusive');
  t.equal(decide(two, given(bad('a'), open('b'))).kind, 'untrusted');
});

t.test('atLeast counts a workload once, whatever its issuer calls itself', async (t) => {
  // Google's tokens may say it without a scheme (OpenID Connect Core, section 15.6.2).
  for (const issuer of ['https://accounts.google.com', 'accounts.google.com', 'urn:acme:sts']) {
    const signed = (identity: string, key: string, subject: string): Report => {
      const signer = { ...certificateIdentity(key), issuer, subject };
      return { ...trustedReport(identity, key), signer };
    };
    const [first, again] = [signed('a', 'k1', 'dev@acme'), signed('b', 'k2', 'dev@acme')];
    t.equal(decide(two, given(first, again)).kind, 'untrusted', issuer);
    t.equal(decide(two, given(first, signed('b', 'k2', 'ops@acme'))).kind, 'trusted');
  }
  const named = (identity: string, key: string): Report => {
    const signer = { ...certificateIdentity(key), issuer: '0.9.2342=#0c02,CN=ca', subject: 'CN=x' };
    return { ...trustedReport(identity, key), signer };
  };
  t.equal(decide(two, given(named('a', 'k1'), named('b', 'k2'))).kind, 'trusted', 'keys of a CA');
});

t.test('atLeast counts one key once, whatever it fits', async (t) => {
  t.equal(decide(two, given(trustedReport('a', 'k'), trustedReport('b', 'k'))).kind, 'untrusted');
  const twice = decide(two, given(trustedReport('a', 'k'), trustedReport('a', 'l')));
  t.equal(twice.kind, 'untrusted');
});

t.test('one open signature held against two identities is one key at most', async (t) => {
  t.equal(decide(two, given(open('a', 's'), open('b', 's'))).kind, 'untrusted');
  t.equal(decide(two, given(open('a', 's'), open('b', 'other'))).kind, 'inconclusive');
});

t.test('an open signature of a key that is known already brings nothing', async (t) => {
  const known = failedReport('b', 'inconclusive', { signer: certificateIdentity('k') });
  t.equal(decide(two, given(trustedReport('a', 'k'), known)).kind, 'untrusted');
});

t.test('an identity trusted by a used key may still have another one', async (t) => {
  const reports = [trustedReport('a', 'k'), trustedReport('b', 'k'), open('b')];
  t.equal(decide(two, given(...reports)).kind, 'inconclusive');
});

t.test('signatures that nobody could list may be those that are wanted', async (t) => {
  const incomplete = 'the registry answered 500';
  for (const requirement of [by('a'), two, both, either]) {
    const decision = decide(requirement, { reports: [bad('a')], incomplete });
    t.match(decision, { kind: 'inconclusive', reason: 'upstream-unavailable' });
    t.match(decision.because, /could not be listed: the registry answered 500/);
  }
});

t.test('what is trusted already needs no list', async (t) => {
  const evidence = { reports: [trustedReport('a')], incomplete: 'the registry answered 500' };
  t.equal(decide(by('a'), evidence).kind, 'trusted');
});

t.test('a rule that can not be decided within bounds is inconclusive', async (t) => {
  const names = Array.from({ length: 24 }, (_, index) => `n${index}`);
  const of = names.map((name) => ({
    allOf: [by(name), by(name)],
  })) as unknown as NonEmpty<Requirement>;
  const reports = names.flatMap((name) =>
    Array.from({ length: 11 }, (_, key) => trustedReport(name, `key ${key}`)),
  );
  t.match(decide({ atLeast: { count: 12, of } }, given(...reports)), {
    kind: 'inconclusive',
    reason: 'limit-exceeded',
  });
});

const identity = fc.constantFrom('a', 'b', 'c');
const someReport = fc
  .tuple(
    identity,
    fc.constantFrom('k', 'l', 'm'),
    fc.constantFrom('trusted', 'untrusted', 'inconclusive'),
  )
  .map(([name, key, outcome]) =>
    outcome === 'trusted'
      ? trustedReport(name, key)
      : failedReport(name, outcome, { signature: signatureDigest(key) }),
  );
const reports = fc.array(someReport, { maxLength: 6 });
const requirement = fc.constantFrom<Requirement>(by('a'), two, both, either, {
  atLeast: { count: 2, of: [both, by('c'), either] },
});
const incomplete = fc.constantFrom(undefined, 'unlisted');

t.test('a failed signature more never changes the decision', async (t) => {
  await holds(
    t,
    'untrusted evidence is no evidence',
    fc.property(requirement, reports, incomplete, identity, (rule, all, unlisted, name) => {
      const before = decide(rule, { reports: all, incomplete: unlisted }).kind;
      const more = [...all, failedReport(name, 'untrusted')];
      return decide(rule, { reports: more, incomplete: unlisted }).kind === before;
    }),
  );
});

t.test('evidence taken away never makes anything trusted', async (t) => {
  await holds(
    t,
    'removal',
    fc.property(requirement, reports, fc.nat(), (rule, all, at) => {
      const fewer = all.filter((_, index) => index !== at % Math.max(all.length, 1));
      return (
        decide(rule, given(...fewer)).kind !== 'trusted' ||
        decide(rule, given(...all)).kind === 'trusted'
      );
    }),
  );
});

t.test('an open question answered never turns untrusted into trusted', async (t) => {
  await holds(
    t,
    'resolution',
    fc.property(requirement, reports, (rule, all) => {
      const { kind } = decide(rule, given(...all));
      const worst = all.filter((report) => report.outcome !== 'inconclusive');
      const best = all.map((report) =>
        report.outcome === 'inconclusive'
          ? trustedReport(report.identity, report.signature)
          : report,
      );
      if (kind === 'trusted') return decide(rule, given(...worst)).kind === 'trusted';
      if (kind === 'untrusted') return decide(rule, given(...best)).kind === 'untrusted';
      return (
        decide(rule, given(...worst)).kind === 'untrusted' &&
        decide(rule, given(...best)).kind === 'trusted'
      );
    }),
  );
});

t.test('the order of the reports means nothing for the decision', async (t) => {
  await holds(
    t,
    'order',
    fc.property(requirement, reports, (rule, all) => {
      return decide(rule, given(...all)).kind === decide(rule, given(...all.toReversed())).kind;
    }),
  );
});
