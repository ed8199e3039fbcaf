import { createPublicKey } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeAuthority } from '../../support/test-authority.ts';
import { makeChain } from '../../support/test-ca.ts';
import { testKey } from '../../support/test-keys.ts';
import { trustedRootJson } from '../../support/trusted-root.ts';
import type { CosignScheme } from './cosign-home.ts';
import { type Ended, mustRun, runCommand } from './process.ts';
import { identityToken, type SigstoreServices } from './sigstore-services.ts';

/** The real cosign with certificates of the local Fulcio, in a folder of its own. */
export interface KeylessCosign {
  sign(reference: string, scheme: CosignScheme, signer: KeylessSigner): Promise<void>;
  /** Attaches a statement with the predicate in the file. */
  attest(
    reference: string,
    scheme: CosignScheme,
    signer: KeylessSigner,
    predicate: { readonly type: string; readonly file: string },
  ): Promise<void>;
  verify(reference: string, scheme: CosignScheme, signer: KeylessSigner): Promise<Ended>;
  verifyAttestation(
    reference: string,
    scheme: CosignScheme,
    signer: KeylessSigner,
    type: string,
  ): Promise<Ended>;
}

export interface KeylessSigner {
  readonly subject: string;
  readonly issuer: string;
}

/** Older clients know this media type alone. */
export const rootMediaType = 'application/vnd.dev.sigstore.trustedroot+json;version=0.1';

/** cosign 2 for `tags`, cosign 3 for `bundles`. */
export function makeKeylessCosign(
  programs: Readonly<Record<CosignScheme, string>>,
  folder: string,
  { url }: SigstoreServices,
): KeylessCosign {
  mkdirSync(folder, { recursive: true });
  const write = (name: string, text: string | Uint8Array): string => {
    writeFileSync(join(folder, name), text);
    return name;
  };
  const pem = (key: string): string =>
    createPublicKey(testKey('EC-256', key)).export({ type: 'spki', format: 'pem' }).toString();
  const [, ...issuers] = makeChain().certificates;
  const root = write('root.json', trustedRootJson({ mediaType: rootMediaType }));
  const authority = write('tsa.pem', makeAuthority().pem);
  const env = {
    HOME: folder,
    TUF_ROOT: folder,
    SIGSTORE_REKOR_PUBLIC_KEY: write('rekor.pub', pem('log/rekor')),
    SIGSTORE_CT_LOG_PUBLIC_KEY_FILE: write('ctfe.pub', pem('log/ctfe')),
    SIGSTORE_ROOT_FILE: write('fulcio.pem', issuers.map((issuer) => issuer.pem).join('')),
  };
  const options = { cwd: folder, env };
  const services = [
    `--fulcio-url=${url}`,
    `--rekor-url=${url}`,
    `--timestamp-server-url=${url}/api/v1/timestamp`,
  ];
  const writing = {
    tags: [],
    bundles: ['--use-signing-config=false', '--new-bundle-format=true', `--trusted-root=${root}`],
  };
  const reading = {
    tags: [`--timestamp-certificate-chain=${authority}`],
    bundles: [`--trusted-root=${root}`],
  };
  const signing = (scheme: CosignScheme, { subject, issuer }: KeylessSigner): readonly string[] => [
    '--yes',
    '--allow-http-registry',
    `--identity-token=${identityToken(subject, issuer)}`,
    ...services,
    ...writing[scheme],
  ];
  const verifying = (scheme: CosignScheme, { subject, issuer }: KeylessSigner) => [
    '--allow-http-registry',
    `--certificate-identity=${subject}`,
    `--certificate-oidc-issuer=${issuer}`,
    ...reading[scheme],
  ];
  return {
    async sign(reference, scheme, signer) {
      const words = ['sign', ...signing(scheme, signer), reference];
      await mustRun(programs[scheme], words, options);
    },
    async attest(reference, scheme, signer, { type, file }) {
      const what = [`--type=${type}`, `--predicate=${file}`];
      const words = ['attest', ...signing(scheme, signer), ...what, reference];
      await mustRun(programs[scheme], words, options);
    },
    verify(reference, scheme, signer) {
      return runCommand(
        programs[scheme],
        ['verify', ...verifying(scheme, signer), reference],
        options,
      );
    },
    verifyAttestation(reference, scheme, signer, type) {
      const words = [
        'verify-attestation',
        `--type=${type}`,
        ...verifying(scheme, signer),
        reference,
      ];
      return runCommand(programs[scheme], words, options);
    },
  };
}
