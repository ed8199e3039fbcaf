import t from 'tap';
import type { Certificate } from '../../../src/crypto/x509.ts';
import { readCrl } from '../../../src/crypto/crl.ts';
import { outcomeOf } from '../../../src/trust/crl-judgement.ts';
import { makeRevocationCase } from '../../support/revocation-kit.ts';
import { buildCrl } from '../../support/test-crl.ts';

const { issuer, leaf, root, read } = makeRevocationCase();
const [certificate, authority] = read;

t.test(
  'a list is searched once for each certificate, however often it is asked about',
  async (t) => {
    const { entries, ...list } = readCrl(buildCrl({ issuer, revoked: [leaf, root] }));
    let searches = 0;
    const base = {
      ...list,
      get entries() {
        searches += 1;
        return entries;
      },
    };
    const ask = (of: Certificate) =>
      outcomeOf(of, 'a list', async () => ({ base, source: 'a list', validUntil: new Date() }));
    const both = await Promise.all([ask(certificate), ask(certificate)]);
    for (const outcome of [...both, await ask(certificate)]) t.match(outcome, { entry: {} });
    t.equal(searches, 1);
    const other = await ask(authority);
    t.ok('list' in other && other.entry === undefined);
    t.equal(searches, 2);
  },
);
