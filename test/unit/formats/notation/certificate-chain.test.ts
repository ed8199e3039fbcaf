import t from 'tap';
import { readCertificate } from '../../../../src/crypto/certificate.ts';
import {
  type CertificateChain,
  checkCertificateChain,
} from '../../../../src/formats/notation/certificate-chain.ts';
import { type ChainOptions, makeChain } from '../../../support/test-ca.ts';

const read = (options: ChainOptions): CertificateChain =>
  makeChain(options).ders.map(readCertificate) as unknown as CertificateChain;

t.test('a whole chain passes and names its ends', async (t) => {
  t.strictSame(checkCertificateChain(read({ intermediates: 2 })), {
    outcome: 'passed',
    evidence: {
      signer: 'CN=acme release,O=acme,ST=WA,C=US',
      root: 'CN=acme root,O=acme,ST=WA,C=US',
      certificates: '4',
    },
  });
  t.match(checkCertificateChain(read({ selfSigned: true })), {
    outcome: 'passed',
    evidence: { signer: 'CN=acme release,O=acme,ST=WA,C=US', certificates: '1' },
  });
});

t.test('the fault and the place of the certificate are named', async (t) => {
  const [leaf, intermediate, root] = read({});
  t.match(checkCertificateChain([leaf]), { because: /^the signing certificate "CN=acme release/ });
  t.match(checkCertificateChain([leaf, intermediate as never]), {
    because: /^the root "CN=acme intermediate 0.*issued by another$/,
  });
  t.match(checkCertificateChain([leaf, intermediate as never, root as never, root as never]), {
    because: /^the intermediate "CN=acme root.* it is self-signed$/,
  });
});

t.test('a name that is its own issuer without being signed so is no fault', async (t) => {
  // A CA that certifies another key of its own has the same name twice (RFC 5280, section 6.1).
  const chain = read({ intermediate: { 0: { subject: 'C=US, ST=WA, O=acme, CN=acme root' } } });
  t.match(checkCertificateChain(chain), { outcome: 'passed' });
});

t.test('an algorithm that is not accepted is an error, wherever it stands', async (t) => {
  for (const options of [
    { leaf: { hash: 'sha1' } },
    { intermediate: { 0: { hash: 'sha1' } } },
    { root: { hash: 'sha1' } },
    { selfSigned: true, leaf: { hash: 'sha1' } },
  ] as const) {
    t.throws(() => checkCertificateChain(read(options)), { code: 'ALGORITHM_UNSUPPORTED' });
  }
});

t.test('every link is looked at: the name of the issuer, and its signature', async (t) => {
  const because = (options: ChainOptions): string | undefined => {
    const finding = checkCertificateChain(read(options));
    return finding.outcome === 'failed' ? finding.because : undefined;
  };
  t.match(because({ leaf: { signedBy: 'stranger' } }), /did not sign it$/);
  t.match(because({ leaf: { issuer: 'CN=other' } }), /next certificate is not its named issuer$/);
  t.match(because({ root: { issuer: 'CN=other' } }), /root.*it is issued by another$/);
  t.match(because({ root: { signedBy: 'stranger' } }), /root.*not signed by its own key$/);
  t.match(because({ root: { basicConstraints: { isCa: false } } }), /root.*it is no CA$/);
  t.match(because({ intermediate: { 0: { keyUsage: 'absent' } } }), /intermediate.*no key usage$/);
});
