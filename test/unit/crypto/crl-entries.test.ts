import t from 'tap';
import { type CrlEntry, findEntries } from '../../../src/crypto/crl-entries.ts';
import { readCrl } from '../../../src/crypto/crl.ts';
import * as asn1 from '../../support/der-encoder.ts';
import { makeRevocationCase } from '../../support/revocation-kit.ts';
import { buildCrl, type CrlEntryOptions, serialOf } from '../../support/test-crl.ts';

const { leaf, issuer } = makeRevocationCase();
const another = makeRevocationCase({ subject: 'C=US, O=acme, CN=another' }).leaf;

function findIn(entries: Uint8Array): readonly CrlEntry[] {
  const steps = findEntries(entries, serialOf(leaf));
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
  }
}

const find = (revoked: readonly CrlEntryOptions[]): readonly CrlEntry[] =>
  findIn(readCrl(buildCrl({ issuer, revoked })).entries);

t.test('the entries of one certificate are found among others', (t) => {
  const revokedAt = '2029-06-01T00:00:00Z';
  t.strictSame(find([]), []);
  t.strictSame(find([{ certificate: another, reason: 1 }]), []);
  t.strictSame(find([{ certificate: another }, { certificate: leaf, revokedAt }]), [
    { revokedAt: new Date(revokedAt) },
  ]);
  const full = { revokedAt, reason: 4, invalidityDate: '2029-05-01T00:00:00Z' };
  t.strictSame(find([{ certificate: leaf, ...full }, { certificate: another }]), [
    {
      revokedAt: new Date(revokedAt),
      reason: 'superseded',
      invalidityDate: new Date('2029-05-01T00:00:00Z'),
    },
  ]);
  t.equal(find([{ certificate: leaf }, { certificate: leaf, reason: 8 }]).length, 2);
  t.end();
});

t.test('reasons have their names', (t) => {
  const names = [
    'unspecified keyCompromise cACompromise affiliationChanged superseded cessationOfOperation',
    'certificateHold - removeFromCRL privilegeWithdrawn aACompromise',
  ];
  for (const [reason, name] of names.join(' ').split(' ').entries()) {
    const entry = { certificate: leaf, reason };
    if (name === '-') t.throws(() => find([entry]), { name: 'EnvelopeError' });
    else t.equal(find([entry])[0]?.reason, name);
  }
  t.end();
});

const unknown = { extensions: [{ oid: '1.2.3', value: asn1.nothing() }] };
const critical = { extensions: [{ oid: '1.2.3', critical: true, value: asn1.nothing() }] };
/** Whose certificate the entry is about, in a list of several issuers. */
const foreign = {
  extensions: [{ oid: '2.5.29.29', critical: true, value: asn1.sequence(asn1.nothing()) }],
};

t.test('a critical extension of any entry that is not known spoils the list', (t) => {
  t.equal(find([{ certificate: leaf, ...unknown }]).length, 1);
  t.equal(find([{ certificate: another, ...unknown }]).length, 0);
  for (const certificate of [leaf, another]) {
    for (const spoilt of [critical, foreign]) {
      const list = [{ certificate: another }, { certificate, ...spoilt }, { certificate: leaf }];
      t.throws(() => find(list), { name: 'EnvelopeError', message: /critical extension/ });
    }
  }
  t.end();
});

t.test('an entry that is malformed spoils the list', (t) => {
  const date = asn1.time('2029-06-01T00:00:00Z');
  const number = asn1.integer(5);
  const entries: Readonly<Record<string, Uint8Array>> = {
    'no sequence': asn1.set(number, date),
    'no number': asn1.sequence(date),
    'no date': asn1.sequence(number),
    nothing: asn1.sequence(),
    'a length past the end': Uint8Array.of(0x30, 5, 2, 1),
    'a length in more bytes than needed': Uint8Array.of(0x30, 0x81, 3, 2, 1, 5),
    'an indefinite length': Uint8Array.of(0x30, 0x80, 0, 0),
    'something behind its extensions': asn1.sequence(
      number,
      date,
      asn1.sequence(asn1.sequence(asn1.oid('1.2.3'), asn1.octets(asn1.nothing()))),
      asn1.nothing(),
    ),
    'one byte': Uint8Array.of(0x30),
  };
  for (const [title, entry] of Object.entries(entries)) {
    t.throws(() => findIn(entry), { name: 'EnvelopeError' }, title);
  }
  const twice = Array.from({ length: 9 }, () => ({ certificate: leaf }));
  t.throws(() => find(twice), { name: 'EnvelopeError' });
  t.end();
});

t.test('a list of a million entries is gone through in small steps', (t) => {
  const entry = asn1.sequence(
    asn1.integer(Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8)),
    asn1.time('2029-06-01T00:00:00Z'),
  );
  const last = asn1.sequence(asn1.integer(serialOf(leaf)), asn1.time('2029-06-01T00:00:00Z'));
  const entries = Buffer.concat([Buffer.alloc(entry.length * 1_000_000, entry), last]);
  const steps = findEntries(entries, serialOf(leaf));
  let yields = 0;
  let step = steps.next();
  for (; step.done !== true; step = steps.next()) yields += 1;
  t.equal(yields, Math.floor(1_000_001 / 4096));
  t.equal(step.value.length, 1);
  t.end();
});

t.test('a serial number has one encoding: another would hide what it names', (t) => {
  const entry = (serial: string): Uint8Array =>
    asn1.sequence(Buffer.from(serial, 'hex'), asn1.time('2029-06-01T00:00:00Z'));
  t.doesNotThrow(() => findIn(entry('02020080')));
  for (const padded of ['02020001', '0202ff80', '0200']) {
    t.throws(() => findIn(entry(padded)), { code: 'CRL_MALFORMED' }, padded);
  }
  t.end();
});
