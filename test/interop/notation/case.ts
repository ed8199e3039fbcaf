import type { Descriptor } from '../../../src/oci/descriptor.ts';
import { type Artifact, buildImage } from '../../support/build-image.ts';
import type { ReferrersMode } from '../../support/fake-registry.ts';
import {
  type NotationFormat,
  type NotationOverrides,
  signedBy,
} from '../../support/sign-notation.ts';
import { makeChain } from '../../support/test-ca.ts';
import type { DifferenceId } from './difference.ts';

/** One situation that Assay and notation both judge. */
export interface Case {
  readonly title: string;
  /** What lies in the repository beside the image. */
  readonly signatures: readonly Artifact[];
  /** Digests that the registry lists but no longer has. */
  readonly missing?: readonly string[];
  /** Where the registry keeps referrers; the API unless told. */
  readonly referrers?: ReferrersMode;
  /** trustpolicy.json, given the scope of the image's repository. */
  readonly policy: (scope: string) => string;
  /** Files under `truststore/x509`, by path. */
  readonly trustStore: TrustStoreFiles;
  /** What notation does: accept, or refuse with a message that matches. */
  readonly notation: 'accepts' | RegExp;
  /** Assay does the opposite, for the reason that docs/differences.md gives under this id. */
  readonly difference?: DifferenceId;
}

export type TrustStoreFiles = Readonly<Record<string, string | Uint8Array>>;

/** The image that every case is about. */
export const image = buildImage({ name: 'differential' });

export const root = makeChain().root;

export const usualTrustStore: TrustStoreFiles = {
  'ca/acme/root.pem': root.pem,
  'signingAuthority/acme/root.pem': root.pem,
};

export interface Statement {
  readonly name?: unknown;
  readonly registryScopes?: unknown;
  readonly signatureVerification?: unknown;
  readonly trustStores?: unknown;
  readonly trustedIdentities?: unknown;
}

const usualStatement: Statement = {
  name: 'acme',
  registryScopes: ['*'],
  signatureVerification: { level: 'strict' },
  trustStores: ['ca:acme', 'signingAuthority:acme'],
  trustedIdentities: ['*'],
};

export function policyOf(...statements: readonly Statement[]): string {
  const trustPolicies = (statements.length === 0 ? [{}] : statements).map((statement, index) => ({
    ...usualStatement,
    name: `statement ${index}`,
    ...statement,
  }));
  return JSON.stringify({ version: '1.0', trustPolicies });
}

export type CaseOptions = Partial<
  Pick<Case, 'missing' | 'referrers' | 'trustStore' | 'difference'>
> & {
  /** A statement that replaces members of the usual one, or the whole file. */
  readonly policy?: Statement | ((scope: string) => string);
};

export function makeCase(
  title: string,
  signatures: readonly Artifact[],
  notation: Case['notation'],
  { policy = {}, trustStore = usualTrustStore, ...rest }: CaseOptions = {},
): Case {
  const write = typeof policy === 'function' ? policy : (): string => policyOf(policy);
  return { title, signatures, notation, policy: write, trustStore, ...rest };
}

export const formats = ['jws', 'cose'] as const;

/** A signature on the image, good but for what is overridden. */
export function signature(format: NotationFormat, overrides: NotationOverrides = {}): Artifact {
  return signedBy({ of: image.descriptor, format, ...overrides });
}

/** The image's descriptor with other members. */
export function insteadOf(members: Partial<Descriptor>): Descriptor {
  return { ...image.descriptor, ...members };
}
