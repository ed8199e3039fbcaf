import { quoted } from '../../kernel/quoted.ts';
import type { Finding } from '../signature-format.ts';
import type { CertificateChain } from './certificate-chain.ts';
import { inconclude, pass } from './finding.ts';

/**
 * Trust Store and Trust Policy specification, Certificate Revocation Evaluation: every certificate
 * but the root. One that names no source can't be revoked. Sources are not asked by this version,
 * so for one that names any the answer is not known.
 */
export function checkRevocation(chain: CertificateChain): Finding {
  const [first] = chain
    .slice(0, -1)
    .flatMap(({ subject, ocspUrls, crlUrls }) =>
      [...ocspUrls, ...crlUrls].map((source) => ({ subject, source })),
    );
  if (first === undefined) return pass({ sources: 'none named' });
  const certificate = quoted(first.subject.text, 200);
  const because = `certificate ${certificate} names the source ${quoted(first.source, 200)}`;
  return inconclude('revocation-unknown', `${because}, which this version of Assay does not ask`);
}
