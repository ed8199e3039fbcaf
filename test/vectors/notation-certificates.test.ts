import { X509Certificate } from 'node:crypto';
import t from 'tap';
import { readCertificate } from '../../src/crypto/certificate.ts';
import {
  type CertificateChain,
  checkCertificateChain,
} from '../../src/formats/notation/certificate-chain.ts';
import { checkRevocation } from '../../src/formats/notation/revocation.ts';
import { unaskedRevocation } from '../support/unasked-revocation.ts';
import { type ReadVector, requireVectors } from '../support/vectors.ts';

const read = requireVectors(t);
if (read !== undefined) checkChains(read);

function readChain(pem: string): CertificateChain {
  const blocks = pem.match(/-----BEGIN[^]*?END CERTIFICATE-----/g) ?? [];
  const chain = blocks.map((block) => readCertificate(new X509Certificate(block).raw));
  return chain as unknown as CertificateChain;
}

function checkChains(read: ReadVector): void {
  const folder = 'notation/revocation';
  const { signal } = new AbortController();

  t.test('the chain that names lists of revoked certificates is whole, and open', async (t) => {
    const chain = readChain(read(`${folder}/crl/certchain_with_crl.pem`).toString());
    t.strictSame(
      chain.map(({ crlUrls }) => crlUrls),
      [['http://localhost:10086/leaf.crl'], ['http://localhost:10086/intermediate.crl'], []],
    );
    t.match(checkCertificateChain(chain), { outcome: 'passed', evidence: { certificates: '3' } });
    t.match(await checkRevocation(chain, unaskedRevocation, signal), {
      finding: { outcome: 'inconclusive', reason: 'revocation-unknown' },
    });
  });

  t.test('the chain that names an OCSP responder is whole, and open', async (t) => {
    const chain = readChain(read(`${folder}/ocsp/certchain_with_ocsp.pem`).toString());
    t.strictSame(chain[0].ocspUrls, ['http://localhost:10087']);
    t.match(checkCertificateChain(chain), { outcome: 'passed', evidence: { certificates: '2' } });
    t.match(await checkRevocation(chain, unaskedRevocation, signal), {
      finding: { outcome: 'inconclusive', reason: 'revocation-unknown' },
    });
  });
}
