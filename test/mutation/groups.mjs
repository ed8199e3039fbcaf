// What is mutated together, and by which tests. Each group is one run of Stryker.
import { globSync } from 'node:fs';

/** Of `src/crypto`, by what it belongs to; what is Sigstore's has its own issue. */
const crypto = {
  envelopes:
    'algorithms base64 cbor cose-sign1 envelope-error hash-algorithm json-fields jws reading-as rfc3339',
  timestamps: 'ber cms cms-signer ess-certificate-id timestamp-signer timestamp-token tst-info',
  revocation:
    'crl crl-check crl-entries crl-extensions ocsp-answer ocsp-certificate-id ocsp-request ocsp-response ocsp-single-response revocation-reason',
  certificates:
    'certificate certificate-signature der der-integer der-time der-writer extensions name pem public-key subject-names x509 x509-signature',
};

const cryptoFiles = (names) => names.split(' ').map((name) => `src/crypto/${name}.ts`);
const cryptoTests = (names) => names.split(' ').map((name) => `test/unit/crypto/${name}.test.ts`);

/** The most important first: what a signature means, then who is asked, then how bytes are read. */
const groups = {
  notation: {
    mutate: ['src/formats/finding.ts', 'src/formats/notation*.ts', 'src/formats/notation/*.ts'],
    tests: ['test/unit/formats/notation-*.test.ts', 'test/unit/formats/notation/*.test.ts'],
  },
  verifier: {
    mutate: ['src/verifier/*.ts'],
    tests: ['test/unit/verifier/*.test.ts', 'test/unit/gate/platforms.test.ts'],
  },
  'crypto-timestamps': {
    mutate: cryptoFiles(crypto.timestamps),
    tests: [
      ...cryptoTests(crypto.timestamps),
      'test/unit/trust/timestamp-authority.test.ts',
      'test/unit/formats/notation/{authentic-timestamp,countersignature}.test.ts',
    ],
  },
  'crypto-revocation': {
    mutate: cryptoFiles(crypto.revocation),
    tests: [
      ...cryptoTests(crypto.revocation),
      'test/unit/trust/{crl,filed,ocsp,revocation,signed}*.test.ts',
    ],
  },
  'crypto-envelopes': {
    mutate: cryptoFiles(crypto.envelopes),
    tests: [...cryptoTests(crypto.envelopes), 'test/unit/formats/notation-*.test.ts'],
  },
  'crypto-certificates': {
    mutate: cryptoFiles(crypto.certificates),
    tests: [
      ...cryptoTests(crypto.certificates),
      'test/unit/trust/{certificate-path,certificate-rules,anchor-rules}.test.ts',
      'test/unit/crypto/{crl,ocsp-response,cms}.test.ts',
    ],
  },
  trust: {
    mutate: ['src/trust/*.ts'],
    tests: ['test/unit/trust/*.test.ts'],
  },
};

export const groupNames = Object.keys(groups);

/** The files of a group that are there. */
export function filesOf(name, root) {
  const { mutate, tests } = groups[name];
  const find = (patterns) => [...new Set(globSync(patterns, { cwd: root }))].toSorted();
  return { sources: find(mutate), testFiles: find(tests) };
}
