import t from 'tap';
import type { Certificate, KeyUsageBit } from '../../../src/crypto/x509.ts';
import {
  findCaFault,
  findEndEntityFault,
  isValidAt,
} from '../../../src/trust/certificate-rules.ts';

type Rules = Partial<Pick<Certificate, 'basicConstraints' | 'keyUsage' | 'extendedKeyUsage'>>;
const usage = (...bits: readonly KeyUsageBit[]) => ({ critical: true, bits: new Set(bits) });
const leaf: Rules = { keyUsage: usage('digitalSignature') };
const ca: Rules = {
  basicConstraints: { critical: true, isCa: true },
  keyUsage: usage('keyCertSign'),
};
const certificate = (rules: Rules): Certificate => rules as Certificate;

t.test('an end entity and a CA that keep the rules have no fault', async (t) => {
  t.equal(findEndEntityFault(certificate(leaf), 'critical'), undefined);
  t.equal(findCaFault(certificate(ca), 0, 'critical'), undefined);
  t.equal(findCaFault(certificate(ca), 9, 'critical'), undefined);
});

t.test('neither is taken for the other', async (t) => {
  t.equal(findEndEntityFault(certificate(ca), 'critical'), 'it is a CA');
  t.equal(findCaFault(certificate(leaf), 0, 'critical'), 'it has no basic constraints');
});

t.test('a path length counts the CAs below, the leaf not', async (t) => {
  const limited = { ...ca, basicConstraints: { critical: true, isCa: true, pathLength: 1 } };
  t.equal(findCaFault(certificate(limited), 1, 'critical'), undefined);
  const fault = findCaFault(certificate(limited), 2, 'critical');
  t.equal(fault, 'its path length is 1 and 2 CAs are below it');
});

t.test('key usage must be there, and critical where the rule says so', async (t) => {
  const { keyUsage: _, ...without } = ca;
  const loose = {
    critical: false,
    bits: new Set<KeyUsageBit>(['digitalSignature']),
  };
  const looseCa = { ...ca, keyUsage: { ...loose, bits: new Set<KeyUsageBit>(['keyCertSign']) } };
  for (const rule of ['critical', 'present'] as const) {
    t.equal(findCaFault(certificate(without), 0, rule), 'it has no key usage');
    t.equal(findEndEntityFault(certificate({}), rule), 'it has no key usage');
    const fault = rule === 'critical' ? 'its key usage is not critical' : undefined;
    t.equal(findEndEntityFault(certificate({ keyUsage: loose }), rule), fault);
    t.equal(findCaFault(certificate(looseCa), 0, rule), fault);
  }
});

t.test('each forbidden use of an end entity is named', async (t) => {
  for (const bit of [
    'keyEncipherment',
    'dataEncipherment',
    'keyAgreement',
    'keyCertSign',
    'cRLSign',
    'encipherOnly',
    'decipherOnly',
  ] as const) {
    const rules = { keyUsage: usage('digitalSignature', bit) };
    t.equal(findEndEntityFault(certificate(rules), 'present'), `its key usage has ${bit}`);
  }
  const committing = { keyUsage: usage('digitalSignature', 'contentCommitment') };
  t.equal(findEndEntityFault(certificate(committing), 'present'), undefined);
  const none = { keyUsage: usage() };
  t.equal(findEndEntityFault(certificate(none), 'present'), 'its key usage lacks digitalSignature');
});

t.test('a CA says critically that it is one and may sign certificates', async (t) => {
  const fault = (rules: Rules): string | undefined =>
    findCaFault(certificate(rules), 0, 'critical');
  const loose = { critical: false, isCa: true };
  t.equal(fault({ ...ca, basicConstraints: loose }), 'its basic constraints are not critical');
  t.equal(fault({ ...ca, basicConstraints: { critical: true, isCa: false } }), 'it is no CA');
  t.equal(fault({ ...ca, keyUsage: usage('cRLSign') }), 'its key usage lacks keyCertSign');
});

t.test('a validity includes both its ends', async (t) => {
  const notBefore = new Date('2030-01-01T00:00:00Z');
  const notAfter = new Date('2031-01-01T00:00:00Z');
  const at = (ms: number): boolean =>
    isValidAt({ notBefore, notAfter } as Certificate, new Date(ms));
  t.ok(at(notBefore.getTime()) && at(notAfter.getTime()));
  t.notOk(at(notBefore.getTime() - 1));
  t.notOk(at(notAfter.getTime() + 1));
});
