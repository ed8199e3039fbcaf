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
  const revocable = chain
    .slice(0, -1)
    .find(({ ocspUrls, crlUrls }) => ocspUrls.length + crlUrls.length > 0);
  if (revocable === undefined) return pass({ sources: 'none named' });
  const { subject, ocspUrls, crlUrls } = revocable;
  const source = quoted([...ocspUrls, ...crlUrls][0] ?? '', 200);
  const because = `certificate ${quoted(subject.text, 200)} names the revocation source ${source}`;
  return inconclude('revocation-unknown', `${because}, which this version of Assay does not ask`);
}
