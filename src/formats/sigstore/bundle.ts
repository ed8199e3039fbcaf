import { readCertificate } from '../../crypto/certificate.ts';
import { isNonEmpty } from '../../kernel/non-empty.ts';
import type { UntrustedEnvelope } from '../signature-format.ts';
import type { BundleParts } from './bundle-parts.ts';
import { malformedBundle } from './bundle-version.ts';
import { readWhereItFits } from './read-apart.ts';
import type { ReadSigstoreEnvelope, SigstoreEnvelope } from './sigstore-envelope.ts';

/** An attestation of 30 MB, in base64, with room. */
export const maxBundleBytes = 64 * 1024 * 1024;

/** Reads a Sigstore bundle; see `readBundleParts`. */
export const readBundle: ReadSigstoreEnvelope = ({ bytes }: UntrustedEnvelope, sources) => {
  const parts = readWhereItFits('bundle', bytes, maxBundleBytes, sources);
  return 'then' in parts ? parts.then(toEnvelope) : toEnvelope(parts);
};

function toEnvelope({ verifier, ...parts }: BundleParts): SigstoreEnvelope {
  const { signature } = parts;
  if (verifier.kind === 'public-key') return { ...parts, verifier, timestamped: signature };
  const chain = verifier.chain.map(readCertificate);
  if (!isNonEmpty(chain)) throw malformedBundle('its certificate chain is empty');
  return { ...parts, verifier: { kind: 'certificate', chain }, timestamped: signature };
}
