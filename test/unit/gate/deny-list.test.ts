import t from 'tap';
import { mergeDenials } from '../../../src/gate/denial-set.ts';
import { makeDenyList } from '../../../src/gate/deny-list.ts';
import { UnavailableError } from '../../../src/gate/gate-error.ts';
import type { Digest } from '../../../src/oci/digest.ts';
import type { DeniedIdentity, DenyTarget } from '../../../src/verdict/denial.ts';
import type { CertificateIdentity } from '../../../src/verdict/identity.ts';
import { denialOf } from '../../support/deny-kit.ts';
import { makeFakeClock } from '../../support/fake-clock.ts';

const digest = `sha256:${'1'.repeat(64)}` as Digest;
const other = `sha256:${'2'.repeat(64)}` as Digest;

function listOf(...targets: readonly DenyTarget[]) {
  const clock = makeFakeClock();
  const list = makeDenyList(clock);
  const denials = targets.map((target) => denialOf(target));
  list.replace(mergeDenials(denials), 1);
  return { list, denials, clock };
}

const signer: CertificateIdentity = {
  kind: 'certificate',
  subject: 'CN=ci',
  issuer: 'CN=acme',
  certificateFingerprint: 'c'.repeat(64),
  keyFingerprint: 'a'.repeat(64),
  authorityFingerprints: ['d'.repeat(64), 'e'.repeat(64)],
};

t.test('a digest is denied under its own name alone', (t) => {
  const { list, denials } = listOf({ kind: 'digest', digest });
  t.equal(list.onDigest(digest), denials[0]);
  t.equal(list.onDigest(other), undefined);
  t.equal(list.onRepository(digest), undefined);
  t.end();
});

t.test('a repository is denied by its whole name', (t) => {
  const { list } = listOf({ kind: 'repository', repository: 'reg/app' });
  t.ok(list.onRepository('reg/app'));
  t.equal(list.onRepository('reg/app/sub'), undefined);
  t.equal(list.onRepository('reg/ap'), undefined);
  t.end();
});

const report = (changes: Partial<CertificateIdentity> = {}) => ({
  signature: other,
  signer: { ...signer, ...changes },
});

t.test('a signer is denied by key, by certificate, and by a CA or its key', (t) => {
  for (const letter of ['a', 'c', 'd', 'e']) {
    const { list } = listOf({ kind: 'key', fingerprint: letter.repeat(64) });
    t.ok(list.onReport(report()), letter);
  }
  t.equal(listOf({ kind: 'key', fingerprint: 'f'.repeat(64) }).list.onReport(report()), undefined);
  t.end();
});

t.test('a key without a certificate is denied by its fingerprint, and by no name', (t) => {
  const key = { kind: 'key' as const, subject: 'CN=ci', keyFingerprint: 'a'.repeat(64) };
  const byKey = listOf({ kind: 'key', fingerprint: 'a'.repeat(64) }).list;
  t.ok(byKey.onReport({ signature: other, signer: key }));
  const byName = listOf({ kind: 'identity', identity: { subject: 'CN=ci' } }).list;
  t.equal(byName.onReport({ signature: other, signer: key }), undefined);
  t.end();
});

t.test('an identity is compared exactly, subject and issuer as far as they are given', (t) => {
  const denied = (identity: DeniedIdentity) =>
    listOf({ kind: 'identity', identity }).list.onReport(report()) !== undefined;
  t.equal(denied({ subject: 'CN=ci' }), true);
  t.equal(denied({ issuer: 'CN=acme' }), true);
  t.equal(denied({ subject: 'CN=ci', issuer: 'CN=acme' }), true);
  t.equal(denied({ subject: 'CN=ci', issuer: 'CN=other' }), false);
  t.equal(denied({ subject: 'CN=CI' }), false);
  t.equal(denied({ issuer: 'CN=ci' }), false);
  t.end();
});

t.test('a signature is denied by its digest, and by that of its envelope', (t) => {
  const { list } = listOf({ kind: 'digest', digest });
  t.ok(list.onReport({ signature: digest }));
  t.ok(list.onReport({ signature: other, envelope: { digest, index: 0 } }));
  t.equal(list.onReport({ signature: other }), undefined);
  t.end();
});

t.test('an entry ends by itself, and another of the same thing goes on', (t) => {
  const { list, clock } = listOf();
  const target: DenyTarget = { kind: 'digest', digest };
  const ending = denialOf(target, { until: new Date('2030-01-01T00:00:01Z') });
  const lasting = denialOf({ kind: 'repository', repository: 'reg/app' });
  list.replace(mergeDenials([ending, lasting]), 1);
  t.equal(list.onDigest(digest), ending);
  clock.advanceMs(1000);
  t.equal(list.onDigest(digest), undefined);
  t.same(list.entries(), [lasting]);
  const again = denialOf(target);
  list.replace(mergeDenials([ending, lasting, again]), 2);
  t.equal(list.onDigest(digest), again);
  t.end();
});

t.test('an unknown list lets nothing be decided until it was read, even if it is empty', (t) => {
  const list = makeDenyList(makeFakeClock(), 'unknown');
  t.throws(() => list.assertKnown(), UnavailableError);
  t.equal(list.replace(mergeDenials([]), 0), true);
  t.doesNotThrow(() => list.assertKnown());
  t.end();
});

t.test('a change makes another generation and is told; the same list again is none', (t) => {
  const { list, denials } = listOf({ kind: 'digest', digest });
  const before = list.generation();
  let told = 0;
  const leave = list.onChange(() => (told += 1));
  t.equal(list.replace(mergeDenials(denials), 1), false);
  t.equal(list.generation(), before);
  t.equal(list.replace(mergeDenials([]), 1), true);
  t.not(list.generation(), before);
  t.equal(told, 1);
  leave();
  list.replace(mergeDenials(denials), 1);
  t.equal(told, 1);
  t.end();
});

t.test('the epoch never goes back', (t) => {
  const { list } = listOf({ kind: 'digest', digest });
  list.replace(mergeDenials([denialOf({ kind: 'digest', digest }, { epoch: 9 })]), 4);
  t.equal(list.epoch(), 9);
  list.replace(mergeDenials([]), 3);
  t.equal(list.epoch(), 9);
  t.end();
});
