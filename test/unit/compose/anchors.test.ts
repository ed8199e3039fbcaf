import t from 'tap';
import { anchorsInUse, anchorState, daysLeft, distinct } from '../../../src/compose/anchors.ts';
import type { Rule } from '../../../src/policies/policy.ts';
import { makeTrust } from '../../support/notation-case.ts';
import { makeChain } from '../../support/test-ca.ts';

const validity = {
  notBefore: new Date('2030-01-01T00:00:00Z'),
  notAfter: new Date('2030-02-01T00:00:00Z'),
};

const states = [
  ['2029-12-31T23:59:59.999Z', 'not-yet-valid', 31],
  ['2030-01-01T00:00:00Z', 'valid', 31],
  ['2030-01-31T00:00:00.001Z', 'valid', 0],
  ['2030-02-01T00:00:00Z', 'valid', 0],
  ['2030-02-01T00:00:00.001Z', 'ended', -1],
  ['2030-02-02T00:00:00.001Z', 'ended', -2],
] as const;

for (const [at, state, left] of states) {
  t.test(`at ${at} it is ${state}, with ${left} whole days left`, async (t) => {
    t.equal(anchorState(validity, new Date(at)), state);
    t.equal(daysLeft(validity, new Date(at)), left);
  });
}

const early = makeChain({ authority: 'early', root: { notAfter: '2031-01-01T00:00:00Z' } }).root;
const late = makeChain({ authority: 'late' }).root;

t.test('anchors that rules rely upon come once a store, and the first to end first', async (t) => {
  const trust = makeTrust({
    'ca:a': [late.der, early.der, late.der],
    'ca:b': [late.der],
    'ca:unused': [early.der],
  });
  const rules = [
    { kind: 'require', trustStores: ['ca:a', 'ca:missing'] },
    { kind: 'exempt' },
    { kind: 'require', trustStores: ['ca:a', 'ca:b'] },
  ] as unknown as readonly Rule[];
  const found = anchorsInUse({ policy: { rules }, trust });
  t.same(
    found.map(({ store, certificate }) => [store, certificate.fingerprint]),
    [
      ['ca:a', early.fingerprint],
      ['ca:a', late.fingerprint],
      ['ca:b', late.fingerprint],
    ],
  );
});

t.test('a certificate in two files is one', async (t) => {
  const anchors =
    makeTrust({ 'ca:a': [late.der, early.der, late.der] }).notationStore('ca:a') ?? [];
  t.equal(distinct(anchors).length, 2);
});
