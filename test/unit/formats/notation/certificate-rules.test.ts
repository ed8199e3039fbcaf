import t from 'tap';
import type { Certificate, KeyUsageBit } from '../../../../src/crypto/x509.ts';
import { findCaFault, findLeafFault } from '../../../../src/formats/notation/certificate-rules.ts';

type Rules = Partial<Pick<Certificate, 'basicConstraints' | 'keyUsage' | 'extendedKeyUsage'>>;
const usage = (...bits: readonly KeyUsageBit[]) => ({ critical: true, bits: new Set(bits) });
const leaf: Rules = { keyUsage: usage('digitalSignature') };
const ca: Rules = {
  basicConstraints: { critical: true, isCa: true },
  keyUsage: usage('keyCertSign'),
};
const certificate = (rules: Rules): Certificate => rules as Certificate;

t.test('a leaf and a CA that keep the rules have no fault', async (t) => {
  t.equal(findLeafFault(certificate(leaf)), undefined);
  t.equal(findCaFault(certificate(ca), 0), undefined);
  t.equal(findCaFault(certificate(ca), 9), undefined);
});

t.test('neither is taken for the other', async (t) => {
  t.equal(findLeafFault(certificate(ca)), 'it is a CA');
  t.equal(findCaFault(certificate(leaf), 0), 'it has no basic constraints');
});

t.test('a path length counts the CAs below, the leaf not', async (t) => {
  const limited = { ...ca, basicConstraints: { critical: true, isCa: true, pathLength: 1 } };
  t.equal(findCaFault(certificate(limited), 1), undefined);
  t.equal(findCaFault(certificate(limited), 2), 'its path length is 1 and 2 CAs are below it');
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

t.test('key usage must be there and critical in both', async (t) => {
  const { keyUsage: _, ...without } = ca;
  t.equal(findCaFault(certificate(without), 0), 'it has no key usage');
  t.equal(findLeafFault(certificate({})), 'it has no key usage');
  const loose = {
    critical: false,
    bits: new Set<KeyUsageBit>(['digitalSignature', 'keyCertSign']),
  };
  t.equal(findLeafFault(certificate({ keyUsage: loose })), 'its key usage is not critical');
  t.equal(findCaFault(certificate({ ...ca, keyUsage: loose }), 0), 'its key usage is not critical');
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

t.test('a CA says critically that it is one and may sign certificates', async (t) => {
  const fault = (rules: Rules): string | undefined => findCaFault(certificate(rules), 0);
  const loose = { critical: false, isCa: true };
  t.equal(fault({ ...ca, basicConstraints: loose }), 'its basic constraints are not critical');
  t.equal(fault({ ...ca, basicConstraints: { critical: true, isCa: false } }), 'it is no CA');
  t.equal(fault({ ...ca, keyUsage: usage('cRLSign') }), 'its key usage lacks keyCertSign');
});
