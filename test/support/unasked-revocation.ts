import { quoted } from '../../src/kernel/quoted.ts';
import type { RevocationSource } from '../../src/trust/revocation-source.ts';

/** Asks nobody: what names a source of revocation data is unknown. */
export const unaskedRevocation: RevocationSource = {
  async statusOf({ subject, ocspUrls, crlUrls }) {
    const [first] = [...ocspUrls, ...crlUrls];
    if (first === undefined) return { kind: 'not-revocable' };
    const certificate = quoted(subject.text, 200);
    const because = `certificate ${certificate} names the source ${quoted(first, 200)}, which is not asked`;
    return { kind: 'unknown', because };
  },
};
