import t from 'tap';
import { readCertificate } from '../../../src/crypto/certificate.ts';
import { refusalOfAnchor } from '../../../src/trust/anchor-rules.ts';
import { makeChain } from '../../support/test-ca.ts';

const chain = makeChain();
const [leaf, intermediate, root] = chain.ders.map((der) => readCertificate(der));
const lone = readCertificate(makeChain({ selfSigned: true }).leaf.der);

if (leaf === undefined || intermediate === undefined || root === undefined) {
  throw new TypeError('the chain has three certificates');
}

for (const type of ['ca', 'signingAuthority'] as const) {
  t.test(`a ${type} store takes authorities and self-signed certificates`, async (t) => {
    t.equal(refusalOfAnchor(root, type), undefined);
    t.equal(refusalOfAnchor(intermediate, type), undefined);
    t.equal(refusalOfAnchor(lone, type), undefined);
    t.match(refusalOfAnchor(leaf, type), /neither of a certificate authority nor self-signed/);
  });
}

t.test('a tsa store takes roots only', async (t) => {
  t.equal(refusalOfAnchor(root, 'tsa'), undefined);
  for (const certificate of [intermediate, leaf, lone]) {
    t.match(refusalOfAnchor(certificate, 'tsa'), /no self-signed root/);
  }
});

t.test('a name that is its own issuer does not make a signature', async (t) => {
  const forged = makeChain({ selfSigned: true, leaf: { signedBy: 'stranger' } }).leaf.der;
  t.match(refusalOfAnchor(readCertificate(forged), 'ca'), /nor self-signed/);
});

t.test('a self-signature that is too weak proves nothing', async (t) => {
  const weak = readCertificate(makeChain({ root: { hash: 'sha1' } }).root.der);
  t.match(refusalOfAnchor(weak, 'tsa'), /no self-signed root/);
  t.equal(refusalOfAnchor(weak, 'ca'), undefined, 'an authority is one whoever signed it');
});
