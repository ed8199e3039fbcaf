import t, { type Test } from 'tap';
import { datesAsText } from '../../support/dates-as-text.ts';
import * as asn1 from '../../support/der-encoder.ts';
import { type Answer, makeRevocationWorld } from '../../support/revocation-answers.ts';
import {
  makeRevocationCase,
  makeStranger,
  type RevocationCase,
} from '../../support/revocation-kit.ts';
import type { CertificateOverrides } from '../../support/test-ca.ts';
import { buildCrl, type CrlOptions, encodePoints, pointName } from '../../support/test-crl.ts';
import { buildOcsp, buildOcspRefusal, type OcspAnswerOptions } from '../../support/test-ocsp.ts';

const { signal } = new AbortController();
const ocsp = 'http://ocsp.example';
const crl = 'http://crl.example/list';

/** Answers as the certificate's own issuer makes them. */
interface Hosts {
  readonly ocsp: (answer?: Partial<OcspAnswerOptions>) => Answer;
  readonly crl: (list?: Partial<CrlOptions>) => Answer;
}

interface Scenario {
  readonly leaf: CertificateOverrides;
  readonly hosts: (make: Hosts, of: RevocationCase) => Readonly<Record<string, Answer>>;
  readonly expect: object;
  readonly asked: readonly string[];
}

async function play({ leaf, hosts, expect, asked }: Scenario, t: Test): Promise<void> {
  const of = makeRevocationCase(leaf);
  const world = makeRevocationWorld();
  for (const [url, answer] of Object.entries(hosts(hostsOf(of), of)))
    world.answers.set(url, answer);
  const status = await world.statusOf(of.read[0], of.read[1], signal);
  t.match(datesAsText(status), datesAsText(expect));
  t.strictSame(world.asked, asked);
}

function hostsOf({ leaf, issuer }: RevocationCase): Hosts {
  return {
    ocsp: (answer) => () => buildOcsp({ issuer, answers: [{ certificate: leaf, ...answer }] }),
    crl:
      (list = {}) =>
      () =>
        buildCrl({ issuer, nextUpdate: '2030-01-05T00:00:00Z', ...list }),
  };
}

const both = { ocspUrls: [ocsp], crlUrls: [crl] };
const second = 'http://second.example';
const delta = 'http://crl.example/delta';
const goodByLists = { kind: 'good', source: JSON.stringify(crl) };
const away: Answer = () => new Error('connect refused');
const flag = (number: number): Uint8Array => asn1.implicit(number, Uint8Array.of(0xff));
const reasons = (...bytes: number[]): Uint8Array => asn1.implicit(3, Uint8Array.from(bytes));

const scenarios: Readonly<Record<string, Scenario>> = {
  'OCSP says good, and lists are not asked': {
    leaf: both,
    hosts: (make) => ({ [ocsp]: make.ocsp(), [crl]: make.crl() }),
    expect: { kind: 'good', source: 'OCSP', validUntil: new Date('2030-01-08T00:00:00Z') },
    asked: [ocsp],
  },
  'OCSP says revoked, and why': {
    leaf: both,
    hosts: (make) => ({
      [ocsp]: make.ocsp({ status: { revokedAt: '2029-05-05T00:00:00Z', reason: 1 } }),
    }),
    expect: {
      kind: 'revoked',
      revokedAt: new Date('2029-05-05T00:00:00Z'),
      reason: 'keyCompromise',
    },
    asked: [ocsp],
  },
  'the second responder answers where the first is away': {
    leaf: { ocspUrls: [ocsp, second] },
    hosts: (make) => ({ [ocsp]: away, [second]: make.ocsp() }),
    expect: { kind: 'good' },
    asked: [ocsp, second],
  },
  'OCSP does not know it: no other responder is asked, its list is': {
    leaf: { ocspUrls: [ocsp, second], crlUrls: [crl] },
    hosts: (make) => ({ [ocsp]: make.ocsp({ status: 'unknown' }), [crl]: make.crl() }),
    expect: goodByLists,
    asked: [ocsp, crl],
  },
  'OCSP is away: the list tells': {
    leaf: both,
    hosts: (make, { leaf }) => ({ [ocsp]: away, [crl]: make.crl({ revoked: [leaf] }) }),
    expect: { kind: 'revoked', source: JSON.stringify(crl) },
    asked: [ocsp, crl],
  },
  'OCSP refuses: the list tells': {
    leaf: both,
    hosts: (make) => ({ [ocsp]: () => buildOcspRefusal(3), [crl]: make.crl() }),
    expect: goodByLists,
    asked: [ocsp, crl],
  },
  'both are away: unknown, with both causes': {
    leaf: both,
    hosts: () => ({ [ocsp]: away, [crl]: away }),
    expect: { kind: 'unknown', because: /acme release.*OCSP: connect refused; .*list.*refused/ },
    asked: [ocsp, crl],
  },
  'a responder by a stranger proves nothing': {
    leaf: { ocspUrls: [ocsp] },
    hosts: (_, { leaf, issuer }) => ({
      [ocsp]: () => buildOcsp({ issuer, signer: makeStranger(), answers: [{ certificate: leaf }] }),
    }),
    expect: { kind: 'unknown', because: /not signed by the responder/ },
    asked: [ocsp],
  },
  'an answer about another number proves nothing': {
    leaf: { ocspUrls: [ocsp] },
    hosts: (make, { root }) => ({ [ocsp]: make.ocsp({ certificate: root }) }),
    expect: { kind: 'unknown', because: /another certificate/ },
    asked: [ocsp],
  },
  'an answer that is no DER proves nothing': {
    leaf: { ocspUrls: [ocsp] },
    hosts: () => ({ [ocsp]: () => Buffer.from('<html>') }),
    expect: { kind: 'unknown' },
    asked: [ocsp],
  },
  'an old list proves nothing': {
    leaf: { crlUrls: [crl] },
    hosts: (make) => ({ [crl]: make.crl({ nextUpdate: '2029-12-31T00:00:00Z' }) }),
    expect: { kind: 'unknown', because: /ended at 2029-12-31/ },
    asked: [crl],
  },
  'a list without nextUpdate proves nothing': {
    leaf: { crlUrls: [crl] },
    hosts: (make) => ({ [crl]: make.crl({ nextUpdate: 'absent' }) }),
    expect: { kind: 'unknown', because: /until when/ },
    asked: [crl],
  },
  'a list by a stranger proves nothing': {
    leaf: { crlUrls: [crl] },
    hosts: (make) => ({ [crl]: make.crl({ signer: makeStranger() }) }),
    expect: { kind: 'unknown', because: /not signed by its issuer/ },
    asked: [crl],
  },
  'a list for another distribution point proves nothing': {
    leaf: { crlUrls: [crl] },
    hosts: (make) => ({ [crl]: make.crl({ scope: [pointName(second)] }) }),
    expect: { kind: 'unknown', because: /another distribution point/ },
    asked: [crl],
  },
  'a list with an unknown critical extension on any entry proves nothing': {
    leaf: { crlUrls: [crl] },
    hosts: (make, { root }) => ({
      [crl]: make.crl({
        revoked: [
          {
            certificate: root,
            extensions: [{ oid: '1.2.3', critical: true, value: asn1.nothing() }],
          },
        ],
      }),
    }),
    expect: { kind: 'unknown', because: /critical extension 1\.2\.3/ },
    asked: [crl],
  },
  'every list is read: revoked by the second': {
    leaf: { crlUrls: [crl, second] },
    hosts: (make, { leaf }) => ({ [crl]: make.crl(), [second]: make.crl({ revoked: [leaf] }) }),
    expect: { kind: 'revoked', source: JSON.stringify(second) },
    asked: [crl, second],
  },
  'revoked by one list, whatever became of the other': {
    leaf: { crlUrls: [crl, second] },
    hosts: (make, { leaf }) => ({ [crl]: away, [second]: make.crl({ revoked: [leaf] }) }),
    expect: { kind: 'revoked' },
    asked: [crl, second],
  },
  'unknown where one of the lists is away': {
    leaf: { crlUrls: [crl, second] },
    hosts: (make) => ({ [crl]: make.crl(), [second]: away }),
    expect: { kind: 'unknown', because: /second\.example.*refused/ },
    asked: [crl, second],
  },
  'good until the first of the lists ends': {
    leaf: { crlUrls: [crl, second] },
    hosts: (make) => ({
      [crl]: make.crl(),
      [second]: make.crl({ nextUpdate: '2030-01-02T00:00:00Z' }),
    }),
    expect: { kind: 'good', validUntil: new Date('2030-01-02T00:00:00Z') },
    asked: [crl, second],
  },
  'a list for some reasons alone does not say good': {
    leaf: { crlUrls: [crl] },
    hosts: (make) => ({ [crl]: make.crl({ scope: [pointName(crl), reasons(6, 0x40)] }) }),
    expect: { kind: 'unknown', because: /every reason/ },
    asked: [crl],
  },
  'lists for all reasons together do': {
    leaf: { crlUrls: [crl, second] },
    hosts: (make) => ({
      [crl]: make.crl({ scope: [pointName(crl), reasons(6, 0x40)] }),
      [second]: make.crl({ scope: [pointName(second), reasons(7, 0x3f, 0x80)] }),
    }),
    expect: { kind: 'good' },
    asked: [crl, second],
  },
  'a list of authorities alone does not speak of a signer': {
    leaf: { crlUrls: [crl] },
    hosts: (make) => ({ [crl]: make.crl({ scope: [flag(2)] }) }),
    expect: { kind: 'unknown', because: /authorities alone/ },
    asked: [crl],
  },
  'a hold is a revocation': {
    leaf: { crlUrls: [crl] },
    hosts: (make, { leaf }) => ({
      [crl]: make.crl({ revoked: [{ certificate: leaf, reason: 6 }] }),
    }),
    expect: { kind: 'revoked', reason: 'certificateHold' },
    asked: [crl],
  },
  'a delta revokes': {
    leaf: { crlUrls: [crl] },
    hosts: (make, { leaf }) => ({
      [crl]: make.crl({ number: 5, freshestUrls: [delta] }),
      [delta]: make.crl({ number: 6, baseNumber: 5, revoked: [leaf] }),
    }),
    expect: { kind: 'revoked' },
    asked: [crl, delta],
  },
  'a delta lifts a hold': {
    leaf: { crlUrls: [crl] },
    hosts: (make, { leaf }) => ({
      [crl]: make.crl({
        number: 5,
        freshestUrls: [delta],
        revoked: [{ certificate: leaf, reason: 6 }],
      }),
      [delta]: make.crl({
        number: 6,
        baseNumber: 5,
        nextUpdate: '2030-01-02T00:00:00Z',
        revoked: [{ certificate: leaf, reason: 8 }],
      }),
    }),
    expect: { kind: 'good', validUntil: new Date('2030-01-02T00:00:00Z') },
    asked: [crl, delta],
  },
  'a delta lifts nothing but a hold': {
    leaf: { crlUrls: [crl] },
    hosts: (make, { leaf }) => ({
      [crl]: make.crl({ number: 5, freshestUrls: [delta], revoked: [leaf] }),
      [delta]: make.crl({ number: 6, baseNumber: 5, revoked: [{ certificate: leaf, reason: 8 }] }),
    }),
    expect: { kind: 'revoked' },
    asked: [crl, delta],
  },
  'without its delta a list proves nothing': {
    leaf: { crlUrls: [crl] },
    hosts: (make) => ({ [crl]: make.crl({ number: 5, freshestUrls: [delta] }), [delta]: away }),
    expect: { kind: 'unknown', because: /its changes can not be had.*refused/ },
    asked: [crl, delta],
  },
  'a delta to a later list proves nothing': {
    leaf: { crlUrls: [crl] },
    hosts: (make) => ({
      [crl]: make.crl({ number: 5, freshestUrls: [delta] }),
      [delta]: make.crl({ number: 7, baseNumber: 6 }),
    }),
    expect: { kind: 'unknown', because: /builds on a later list/ },
    asked: [crl, delta],
  },
  'a delta in place of a list proves nothing': {
    leaf: { crlUrls: [crl] },
    hosts: (make) => ({ [crl]: make.crl({ number: 7, baseNumber: 6 }) }),
    expect: { kind: 'unknown', because: /changes alone/ },
    asked: [crl],
  },
  'a delta that the certificate alone names is not supported': {
    leaf: { crlUrls: [crl], extensions: [{ oid: '2.5.29.46', value: encodePoints([delta]) }] },
    hosts: (make) => ({ [crl]: make.crl() }),
    expect: { kind: 'unknown', because: /the list names none/ },
    asked: [crl],
  },
  'no more responders are asked than may be': {
    leaf: { ocspUrls: Array.from({ length: 6 }, (_, index) => `http://${index}.example`) },
    hosts: () => ({}),
    expect: { kind: 'unknown' },
    asked: Array.from({ length: 4 }, (_, index) => `http://${index}.example`),
  },
  'more lists than may be are unknown before any is asked for': {
    leaf: { crlUrls: Array.from({ length: 9 }, (_, index) => `http://${index}.example/`) },
    hosts: () => ({}),
    expect: { kind: 'unknown', because: /more than 8/ },
    asked: [],
  },
};

for (const [title, scenario] of Object.entries(scenarios)) {
  t.test(title, async (t) => play(scenario, t));
}

t.test('who names nobody can not be revoked, and whom a signal has left is told so', async (t) => {
  const { read } = makeRevocationCase();
  const world = makeRevocationWorld();
  t.strictSame(await world.statusOf(read[0], read[1], signal), { kind: 'not-revocable' });
  const named = makeRevocationCase({ ocspUrls: [ocsp] });
  world.answers.set(ocsp, () => Promise.withResolvers<Uint8Array>().promise);
  const gone = AbortSignal.abort(new Error('the client is gone'));
  await t.rejects(world.statusOf(named.read[0], named.read[1], gone), /the client is gone/);
});
