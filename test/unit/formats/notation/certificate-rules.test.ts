import t from 'tap';
import type { Certificate, KeyUsageBit } from '../../../../src/crypto/x509.ts';
import { findLeafFault } from '../../../../src/formats/notation/certificate-rules.ts';

type Rules = Partial<Pick<Certificate, 'basicConstraints' | 'keyUsage' | 'extendedKeyUsage'>>;
const usage = (...bits: readonly KeyUsageBit[]) => ({ critical: true, bits: new Set(bits) });
const leaf: Rules = { keyUsage: usage('digitalSignature') };
const ca: Rules = {
  basicConstraints: { critical: true, isCa: true },
  keyUsage: usage('keyCertSign'),
};
const certificate = (rules: Rules): Certificate => rules as Certificate;

t.test('a leaf that keeps the rules has no fault, a CA has', async (t) => {
  t.equal(findLeafFault(certificate(leaf)), undefined);
  t.equal(findLeafFault(certificate(ca)), 'it is a CA');
});

t.test('a leaf may commit to content and have purposes that are not forbidden', async (t) => {
  const more: Rules = {
    keyUsage: usage('digitalSignature', 'contentCommitment'),
    extendedKeyUsage: { critical: true, purposes: ['1.3.6.1.5.5.7.3.3', '1.2.3'] },
  };
  t.equal(findLeafFault(certificate(more)), undefined);
});

t.test('a purpose that objects inherit is not a forbidden one', async (t) => {
  const odd: Rules = { ...leaf, extendedKeyUsage: { critical: false, purposes: ['toString'] } };
  t.equal(findLeafFault(certificate(odd)), undefined);
});

t.test('key usage must be there and critical', async (t) => {
  t.equal(findLeafFault(certificate({})), 'it has no key usage');
  const loose = { critical: false, bits: new Set<KeyUsageBit>(['digitalSignature']) };
  t.equal(findLeafFault(certificate({ keyUsage: loose })), 'its key usage is not critical');
});

t.test('each forbidden use and purpose of a leaf is named', async (t) => {
  for (const bit of ['keyEncipherment', 'keyAgreement', 'cRLSign', 'decipherOnly'] as const) {
    const fault = findLeafFault(certificate({ keyUsage: usage('digitalSignature', bit) }));
    t.equal(fault, `its key usage has ${bit}`);
  }
  const purposes = ['1.3.6.1.5.5.7.3.3', '2.5.29.37.0'];
  const any: Rules = { ...leaf, extendedKeyUsage: { critical: false, purposes } };
  t.equal(findLeafFault(certificate(any)), 'its extended key usage has anyExtendedKeyUsage');
  t.equal(
    findLeafFault(certificate({ keyUsage: usage() })),
    'its key usage lacks digitalSignature',
  );
});
