import t from 'tap';
import { readCrl } from '../../../src/crypto/crl.ts';
import { type Obtain, statusByLists } from '../../../src/trust/crl-status.ts';
import type { RevocationStatus } from '../../../src/trust/revocation-source.ts';
import { defaultRevocationLimits } from '../../../src/trust/revocation-limits.ts';
import { makeRevocationCase, type RevocationCase } from '../../support/revocation-kit.ts';
import type { CertificateOverrides } from '../../support/test-ca.ts';
import { buildCrl, type CrlOptions, encodePoints } from '../../support/test-crl.ts';

const crl = 'http://crl.example/list';
const delta = 'http://crl.example/delta';

interface Held {
  readonly list: Partial<CrlOptions>;
  readonly until: string;
}

/** By lists that are held already, from when another certificate asked: none is looked at anew. */
async function statusByHeld(
  held: (of: RevocationCase) => readonly Held[],
  leaf: CertificateOverrides = {},
  limits = defaultRevocationLimits,
): Promise<RevocationStatus> {
  const of = makeRevocationCase({ crlUrls: [crl], ...leaf });
  const answers = held(of).map(({ list, until }) => ({
    value: readCrl(buildCrl({ issuer: of.issuer, ...list })),
    madeAt: new Date('2026-01-01T00:00:00Z'),
    validUntil: new Date(until),
    keep: 'until-its-end',
  }));
  const obtain = (async () => {
    const next = answers.shift();
    if (next === undefined) throw new Error('no other one is held');
    return next;
  }) as Obtain;
  return statusByLists(of.read[0], of.read[1], obtain, limits);
}

const soon = '2030-01-02T00:00:00.000Z';
const late = '2030-01-05T00:00:00.000Z';
const base = { list: { number: 5, freshestUrls: [delta] }, until: late };

t.test('a held list is good for whoever is not in it', async (t) => {
  const status = await statusByHeld(() => [{ list: {}, until: late }]);
  t.match(status, { kind: 'good', validUntil: new Date(late) });
});

t.test('a held list is no answer for a certificate that names changes to it', async (t) => {
  const leaf = { extensions: [{ oid: '2.5.29.46', value: encodePoints([delta]) }] };
  const status = await statusByHeld(() => [{ list: {}, until: late }], leaf);
  t.match(status, { kind: 'unknown', because: /the list names none/ });
  const [named, changes] = [base, { list: { number: 6, baseNumber: 5 }, until: late }];
  t.match(await statusByHeld(() => [named, changes], leaf), { kind: 'good' });
});

t.test('held changes are no answer where they build on another list', async (t) => {
  const later = { list: { number: 7, baseNumber: 6 }, until: late };
  const status = await statusByHeld(() => [base, later]);
  t.match(status, { kind: 'unknown', because: /builds on a later list/ });
});

t.test('a list and its changes hold until the first of them ends', async (t) => {
  const changes = { number: 6, baseNumber: 5 };
  const ends = [
    [soon, late],
    [late, soon],
  ] as const;
  for (const [of, ofChanges] of ends) {
    const held = [
      { ...base, until: of },
      { list: changes, until: ofChanges },
    ];
    t.match(await statusByHeld(() => held), { kind: 'good', validUntil: new Date(soon) });
  }
});

t.test('as many lists as may be are asked for, and of changes no more', async (t) => {
  const limits = { ...defaultRevocationLimits, maxCrlUrls: 1 };
  t.match(await statusByHeld(() => [{ list: {}, until: late }], {}, limits), { kind: 'good' });
  const two = { ...base, list: { number: 5, freshestUrls: [delta, `${delta}/2`] } };
  const wrong = { list: { number: 7, baseNumber: 6 }, until: late };
  const right = { list: { number: 6, baseNumber: 5 }, until: late };
  t.match(await statusByHeld(() => [two, wrong, right]), { kind: 'good' });
  t.match(await statusByHeld(() => [two, wrong, right], {}, limits), { kind: 'unknown' });
});
