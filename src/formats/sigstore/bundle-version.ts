import { EnvelopeError } from '../../crypto/envelope-error.ts';

/** What every version has of its own (sigstore_bundle.proto). */
export interface BundleVersion {
  readonly text: '0.1' | '0.2' | '0.3';
  /** What each log entry must bring along. */
  readonly demands: 'promise' | 'proof';
  /** Whether its certificate stands in a chain, or alone. */
  readonly certificate: 'x509CertificateChain' | 'certificate';
}

const versions: readonly BundleVersion[] = [
  { text: '0.1', demands: 'promise', certificate: 'x509CertificateChain' },
  { text: '0.2', demands: 'proof', certificate: 'x509CertificateChain' },
  { text: '0.3', demands: 'proof', certificate: 'certificate' },
];

export const bundleMediaType = 'application/vnd.dev.sigstore.bundle.v0.3+json';

/** The media types of bundles that are read, whole; no other version is. */
export const bundleVersions: ReadonlyMap<string, BundleVersion> = new Map([
  ...versions.map(
    (version) =>
      [`application/vnd.dev.sigstore.bundle+json;version=${version.text}`, version] as const,
  ),
  ...versions.slice(2).map((version) => [bundleMediaType, version] as const),
]);

export function malformedBundle(why: string, cause?: unknown): EnvelopeError {
  return new EnvelopeError('BUNDLE_MALFORMED', `not a Sigstore bundle: ${why}`, { cause });
}
