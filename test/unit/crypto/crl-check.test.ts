import t from 'tap';
import {
  checkCrlSignature,
  checkCrlTimes,
  checkDelta,
  coverageOf,
} from '../../../src/crypto/crl-check.ts';
import { allReasons } from '../../../src/crypto/crl-extensions.ts';
import { readCrl } from '../../../src/crypto/crl.ts';
import { readCertificate } from '../../../src/crypto/certificate.ts';
import * as asn1 from '../../support/der-encoder.ts';
import { makeRevocationCase, makeStranger } from '../../support/revocation-kit.ts';
import { buildCrl, type CrlOptions, pointName } from '../../support/test-crl.ts';

const url = 'http://crl.example/list';
const { issuer, root, read } = makeRevocationCase({ crlUrls: [url] });
const [certificate, authority, rootRead] = read;
const make = (options: Partial<CrlOptions> = {}) => readCrl(buildCrl({ issuer, ...options }));
const unusable = (message: RegExp) => ({ name: 'EnvelopeError', message });

t.test('the issuer itself signs, with a key that may', async (t) => {
  await t.resolves(checkCrlSignature(make(), authority));
  const stranger = makeStranger();
  await t.rejects(checkCrlSignature(make({ signer: stranger }), authority), /not signed by its/);
  await t.rejects(checkCrlSignature(make(), readCertificate(stranger.der)), /not signed by its/);
  await t.rejects(checkCrlSignature(make(), rootRead), unusable(/another issuer/));
  await t.rejects(checkCrlSignature(make({ issuer: root }), authority), unusable(/another issuer/));
  const { read: weak, issuer: weakIssuer } = makeRevocationCase(
    {},
    { keyUsage: { bits: ['keyCertSign'] } },
  );
  await t.rejects(
    checkCrlSignature(make({ issuer: weakIssuer }), weak[1]),
    unusable(/must not sign lists/),
  );
  const bytes = Buffer.from(buildCrl({ issuer }));
  bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
  await t.rejects(checkCrlSignature(readCrl(bytes), authority), unusable(/not signed by its/));
});

t.test('it holds until nextUpdate, which it must have', (t) => {
  const now = new Date('2030-01-01T00:00:00Z');
  const check = (options: Partial<CrlOptions>) => checkCrlTimes(make(options), now);
  t.strictSame(check({}), new Date('2049-01-01T00:00:00Z'));
  t.strictSame(check({ thisUpdate: '2030-01-01T00:05:00Z' }), new Date('2049-01-01T00:00:00Z'));
  t.throws(() => check({ thisUpdate: '2030-01-01T00:05:01Z' }), unusable(/time to come/));
  t.throws(() => check({ nextUpdate: '2030-01-01T00:00:00Z' }), unusable(/ended at 2030/));
  t.throws(() => check({ nextUpdate: 'absent' }), unusable(/until when/));
  t.end();
});

const flag = (number: number): Uint8Array => asn1.implicit(number, Uint8Array.of(0xff));

t.test('a list tells of what it is about, and of nothing else', (t) => {
  const cover = (scope: readonly Uint8Array[]) => coverageOf(make({ scope }), certificate);
  t.equal(coverageOf(make(), certificate), allReasons);
  t.equal(cover([pointName(url)]), allReasons);
  t.equal(cover([flag(1)]), allReasons);
  t.equal(cover([asn1.implicit(3, Uint8Array.of(6, 0x40))]), 0b10);
  t.throws(() => cover([pointName('http://crl.example/other')]), unusable(/another distribution/));
  t.throws(() => cover([flag(2)]), unusable(/authorities alone/));
  t.throws(() => coverageOf(make({ scope: [flag(1)] }), authority), unusable(/users alone/));
  t.equal(coverageOf(make({ scope: [flag(2)] }), authority), allReasons);
  t.end();
});

t.test('a delta fits the list that it builds on, or a later one', (t) => {
  const base = make({ number: 10 });
  const check = (options: Partial<CrlOptions>, of = base) => checkDelta(make(options), of);
  t.doesNotThrow(() => check({ number: 11, baseNumber: 10 }));
  t.doesNotThrow(() => check({ number: 12, baseNumber: 5 }));
  t.doesNotThrow(() => check({ number: 10, baseNumber: 5 }), 'no news');
  t.throws(() => check({ number: 12, baseNumber: 11 }), unusable(/later list/));
  t.throws(() => check({ number: 9, baseNumber: 5 }), unusable(/older than/));
  t.throws(() => check({ number: 12 }), unusable(/no delta/));
  t.throws(() => check({ number: 'absent', baseNumber: 5 }), unusable(/no number/));
  const numberless = make({ number: 'absent' });
  t.throws(() => check({ number: 12, baseNumber: 5 }, numberless), unusable(/no number/));
  const scope = [pointName(url)];
  t.throws(() => check({ number: 11, baseNumber: 10, scope }), unusable(/another scope/));
  t.doesNotThrow(() => check({ number: 11, baseNumber: 10, scope }, make({ number: 10, scope })));
  t.end();
});

t.test('two distribution points are not one because neither has a URL', (t) => {
  const directory = asn1.explicit(0, asn1.explicit(0, asn1.explicit(4, issuer.name)));
  const points = asn1.sequence(asn1.sequence(pointName(url)), asn1.sequence(directory));
  const extensions = [{ oid: '2.5.29.31', value: points }];
  const [elsewhere] = makeRevocationCase({ extensions }).read;
  const list = make({ scope: [directory] });
  t.ok(elsewhere.crlUrls.length > 1);
  t.throws(() => coverageOf(list, elsewhere), unusable(/another distribution/));
  t.equal(coverageOf(make({ scope: [pointName(url)] }), elsewhere), allReasons);
  t.end();
});
