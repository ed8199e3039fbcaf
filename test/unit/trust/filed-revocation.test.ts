import t from 'tap';
import { readCrl } from '../../../src/crypto/crl.ts';
import { readOcspResponse } from '../../../src/crypto/ocsp-response.ts';
import { type FiledRevocation, statusByFiles } from '../../../src/trust/filed-revocation.ts';
import { makeRevocationWorld } from '../../support/revocation-answers.ts';
import { makeRevocationCase, makeStranger } from '../../support/revocation-kit.ts';
import { buildCrl, type CrlOptions, pointName } from '../../support/test-crl.ts';
import { buildOcsp, type OcspAnswerOptions, type OcspOptions } from '../../support/test-ocsp.ts';
import { datesAsText } from '../../support/dates-as-text.ts';

const crlUrl = 'http://crl.example/list';
const { leaf, issuer, root, read } = makeRevocationCase({ crlUrls: [crlUrl] });
const [certificate, authority] = read;
const now = new Date('2030-01-01T00:00:00Z');

type Lists = Readonly<Record<string, Partial<CrlOptions>>>;
type Responses = Readonly<
  Record<string, Partial<OcspOptions> & { readonly answer?: Partial<OcspAnswerOptions> }>
>;

function filesOf(lists: Lists, responses: Responses = {}): FiledRevocation {
  return {
    digest: 'digest',
    lists: Object.entries(lists).map(([file, changes]) => ({
      file,
      value: readCrl(buildCrl({ issuer, ...changes })),
    })),
    responses: Object.entries(responses).map(([file, { answer, ...changes }]) => ({
      file,
      value: readOcspResponse(
        buildOcsp({ issuer, answers: [{ certificate: leaf, ...answer }], ...changes }),
      ),
    })),
  };
}

const ask = (lists: Lists, responses?: Responses) =>
  statusByFiles(certificate, authority, filesOf(lists, responses), now);

t.test('a file tells, and is named', async (t) => {
  t.match(await ask({ 'a.crl': {} }), { kind: 'good', by: 'crl', status: { source: 'a.crl' } });
  t.match(await ask({ 'a.crl': { revoked: [leaf] } }), { kind: 'revoked', by: 'crl' });
  t.match(
    datesAsText(await ask({}, { 'a.ocsp': {} })),
    datesAsText({
      kind: 'good',
      by: 'ocsp',
      ageSeconds: 86_400,
      status: { source: 'a.ocsp', validUntil: new Date('2030-01-08T00:00:00Z') },
    }),
  );
  t.match(await ask({ 'a.crl': {} }, { 'a.ocsp': {} }), { by: 'ocsp' });
});

t.test('among responses one that revokes weighs more, one that proves nothing less', async (t) => {
  t.match(await ask({}, { 'a.ocsp': {}, 'b.ocsp': { answer: { status: {} } } }), {
    kind: 'revoked',
    status: { source: 'b.ocsp' },
  });
  const useless: Responses = {
    'over.ocsp': { answer: { nextUpdate: '2029-12-31T12:00:00Z' } },
    'unknown.ocsp': { answer: { status: 'unknown' } },
    'strange.ocsp': { signer: makeStranger() },
    'other.ocsp': { answer: { certificate: root } },
  };
  t.equal(await ask({}, useless), undefined);
  t.match(await ask({}, { ...useless, 'good.ocsp': {} }), { status: { source: 'good.ocsp' } });
});

t.test('of lists for one scope the newest tells', async (t) => {
  const hold = { revoked: [{ certificate: leaf, reason: 6 }] };
  const lifted = await ask({ 'new.crl': { number: 8 }, 'old.crl': { number: 7, ...hold } });
  t.match(lifted, { kind: 'good', status: { source: 'new.crl' } });
  const held = await ask({ 'old.crl': { number: 7 }, 'new.crl': { number: 8, ...hold } });
  t.match(held, { kind: 'revoked' });
  const later = { thisUpdate: '2026-02-01T00:00:00Z', ...hold };
  t.match(await ask({ 'a.crl': later, 'b.crl': {} }), { kind: 'revoked' }, 'of one number');
  t.match(await ask({ 'b.crl': {}, 'a.crl': later }), { kind: 'revoked' }, 'in either order');
});

t.test('a file about others keeps none from telling', async (t) => {
  const elsewhere = { scope: [pointName('http://elsewhere/')] };
  t.match(await ask({ 'a.crl': elsewhere }), { kind: 'unknown', because: /another distribution/ });
  const both = await ask({ 'a.crl': elsewhere, 'b.crl': { scope: [pointName(crlUrl)] } });
  t.match(both, { kind: 'good', status: { source: 'b.crl' } });
  t.equal(await ask({ 'a.crl': { issuer: root } }), undefined);
});

t.test('a list that proves nothing says why', async (t) => {
  t.match(await ask({ 'a.crl': { nextUpdate: '2029-01-01T00:00:00Z' } }), {
    kind: 'unknown',
    because: /a\.crl: .*ended at 2029/,
  });
  t.match(await ask({ 'a.crl': { signer: makeStranger() } }), { because: /not signed by its/ });
});

t.test('a list with deltas needs one that fits', async (t) => {
  const base = { number: 5, freshestUrls: ['http://crl.example/delta'] };
  t.match(await ask({ 'a.crl': base }), { kind: 'unknown', because: /no file has the changes/ });
  const delta = { number: 6, baseNumber: 5, nextUpdate: '2030-01-02T00:00:00Z' };
  t.match(
    datesAsText(await ask({ 'a.crl': base, 'd.crl': delta })),
    datesAsText({
      kind: 'good',
      status: { source: 'a.crl, d.crl', validUntil: new Date('2030-01-02T00:00:00Z') },
    }),
  );
  t.match(await ask({ 'a.crl': base, 'd.crl': { ...delta, revoked: [leaf] } }), {
    kind: 'revoked',
  });
  const forged = { ...delta, signer: makeStranger() };
  t.match(await ask({ 'a.crl': base, 'd.crl': forged }), { kind: 'unknown' });
});

t.test('files come before hosts, which are asked where files do not tell', async (t) => {
  const { signal } = new AbortController();
  const good = makeRevocationWorld({ filed: filesOf({ 'a.crl': {} }) });
  t.match(await good.statusOf(certificate, authority, signal), { kind: 'good', source: 'a.crl' });
  t.strictSame(good.asked, []);
  t.strictSame(good.events, ['reused crl file']);
  const old = filesOf({ 'a.crl': { nextUpdate: '2029-01-01T00:00:00Z' } });
  const asking = makeRevocationWorld({ filed: old });
  asking.answers.set(crlUrl, () => buildCrl({ issuer }));
  t.match(await asking.statusOf(certificate, authority, signal), { source: /crl\.example/ });
  const offline = makeRevocationWorld({ filed: old, offline: true });
  t.match(await offline.statusOf(certificate, authority, signal), {
    kind: 'unknown',
    because: /files do not tell: a\.crl: .*ended.*and offline nobody is asked/,
  });
});

t.test('what names no source is revoked by a file, and not made to need one', async (t) => {
  const { signal } = new AbortController();
  const silent = makeRevocationCase();
  const ask = (lists: Lists) =>
    makeRevocationWorld({ filed: filesOf(lists) }).statusOf(silent.read[0], silent.read[1], signal);
  t.match(await ask({ 'a.crl': { revoked: [silent.leaf] } }), { kind: 'revoked' });
  t.strictSame(await ask({ 'a.crl': {} }), { kind: 'not-revocable' });
});

t.test('a file that revokes weighs more than any that does not', async (t) => {
  const revoking = { revoked: [leaf] };
  t.match(await ask({ 'a.crl': revoking }, { 'a.ocsp': {} }), { kind: 'revoked', by: 'crl' });
  const list = await ask({ 'a.crl': {} }, { 'a.ocsp': { answer: { status: {} } } });
  t.match(list, { kind: 'revoked', by: 'ocsp' });
});

t.test('of the changes to a list the newest tell', async (t) => {
  const base = { number: 5, freshestUrls: ['http://crl.example/delta'] };
  const old = { number: 6, baseNumber: 5 };
  const newest = { number: 7, baseNumber: 5, revoked: [leaf] };
  const lists = { 'a.crl': base, 'b.crl': old, 'c.crl': newest };
  t.match(await ask(lists), { kind: 'revoked', status: { source: 'a.crl, c.crl' } });
  const ended = { ...newest, nextUpdate: '2029-12-31T00:00:00Z' };
  t.match(await ask({ ...lists, 'c.crl': ended }), {
    kind: 'good',
    status: { source: 'a.crl, b.crl' },
  });
});

t.test('a list by another key of the same name hides none of the issuer', async (t) => {
  const former = { number: 9, signer: makeStranger() };
  t.match(await ask({ 'a.crl': {}, 'former.crl': former }), {
    kind: 'good',
    status: { source: 'a.crl' },
  });
});
