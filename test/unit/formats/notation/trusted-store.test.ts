import t from 'tap';
import { readCertificate } from '../../../../src/crypto/certificate.ts';
import type { CertificateChain } from '../../../../src/formats/notation/certificate-chain.ts';
import { checkTrustedStore } from '../../../../src/formats/notation/trusted-store.ts';
import { TrustError } from '../../../../src/trust/trust-error.ts';
import { makeTrust } from '../../../support/notation-case.ts';
import { makeChain } from '../../../support/test-ca.ts';

const built = makeChain();
const chain = built.ders.map(readCertificate) as unknown as CertificateChain;
const stranger = makeChain({ authority: 'stranger' }).root.der;

t.test('a certificate of the chain in a store of the right type is trusted', async (t) => {
  for (const der of built.ders) {
    const trust = makeTrust({ 'ca:acme': [stranger, der] });
    const finding = checkTrustedStore(chain, 'notary.x509', ['ca:acme'], trust);
    t.match(finding, {
      outcome: 'passed',
      evidence: { store: 'ca:acme', fingerprint: readCertificate(der).fingerprint },
    });
  }
});

t.test('a store of another type is not looked at', async (t) => {
  const trust = makeTrust({ 'signingAuthority:acme': [built.root.der], 'ca:acme': [stranger] });
  const stores = ['signingAuthority:acme', 'ca:acme'] as const;
  t.match(checkTrustedStore(chain, 'notary.x509', stores, trust), {
    outcome: 'failed',
    reason: 'no-trusted-signer',
    because: 'no certificate of the chain is in ca:acme',
  });
  t.match(checkTrustedStore(chain, 'notary.x509.signingAuthority', stores, trust), {
    outcome: 'passed',
    evidence: { store: 'signingAuthority:acme' },
  });
});

t.test('a store that is missing leaves it open, unless another one decides', async (t) => {
  const trust = makeTrust({ 'ca:acme': [built.root.der], 'ca:other': [stranger] });
  const check = (...stores: `ca:${string}`[]) =>
    checkTrustedStore(chain, 'notary.x509', stores, trust);
  t.throws(() => check('ca:none', 'ca:other'), TrustError);
  t.throws(() => check('ca:none', 'ca:other'), { message: 'there is no trust store ca:none' });
  t.match(check('ca:none', 'ca:acme'), { outcome: 'passed' });
});

t.test('no store trusts nobody', async (t) => {
  t.match(checkTrustedStore(chain, 'notary.x509', [], makeTrust({})), { outcome: 'failed' });
  // A name is a type and a name: `catalogue:acme` is no `ca` store.
  const odd = ['catalogue:acme' as 'ca:acme'];
  const trust = makeTrust({ 'catalogue:acme': [built.root.der] });
  t.match(checkTrustedStore(chain, 'notary.x509', odd, trust), { outcome: 'failed' });
});
