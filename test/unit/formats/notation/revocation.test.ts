import t from 'tap';
import { readCertificate } from '../../../../src/crypto/certificate.ts';
import type { CertificateChain } from '../../../../src/formats/notation/certificate-chain.ts';
import { checkRevocation } from '../../../../src/formats/notation/revocation.ts';
import { unaskedRevocation } from '../../../../src/trust/unasked-revocation.ts';
import { type ChainOptions, makeChain } from '../../../support/test-ca.ts';

const check = async (options: ChainOptions) => {
  const chain = makeChain(options).ders.map(readCertificate) as unknown as CertificateChain;
  const { signal } = new AbortController();
  return (await checkRevocation(chain, unaskedRevocation, signal)).finding;
};
const sources = { ocspUrls: ['http://ocsp/'], crlUrls: ['http://crl/'] };

t.test('certificates that name no source can not be revoked', async (t) => {
  t.match(await check({ intermediates: 2 }), { outcome: 'passed' });
  t.match(await check({ selfSigned: true }), { outcome: 'passed' });
});

t.test('the sources of the root are not asked', async (t) => {
  t.match(await check({ root: sources }), { outcome: 'passed' });
  t.match(await check({ selfSigned: true, leaf: sources }), { outcome: 'passed' });
});

t.test('a source of any other certificate leaves it open, and is named', async (t) => {
  const unknown = { outcome: 'inconclusive', reason: 'revocation-unknown' };
  t.match(await check({ leaf: sources }), { ...unknown, because: /release.*"http:\/\/ocsp\/"/ });
  t.match(await check({ leaf: { crlUrls: ['http://crl/'] } }), {
    ...unknown,
    because: /"http:\/\/crl\/"/,
  });
  t.match(await check({ intermediates: 2, intermediate: { 1: sources } }), {
    ...unknown,
    because: /intermediate 1/,
  });
  t.match(await check({ intermediates: 0, leaf: sources }), unknown);
});
