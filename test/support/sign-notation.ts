import type { KeyObject } from 'node:crypto';
import type { Descriptor } from '../../src/oci/descriptor.ts';
import { type Artifact, buildSignatureManifest, plainDescriptor } from './build-image.ts';
import type { Cbor } from './cbor-encoder.ts';
import { buildCose, type CoseOverrides } from './sign-cose.ts';
import { buildJws, type JwsOverrides } from './sign-jws.ts';
import { type Chain, makeChain, type SignatureAlgorithm } from './test-ca.ts';

export type NotationFormat = 'jws' | 'cose';

/** A value of a header member: JSON for JWS, CBOR for COSE; a Date is encoded as the format asks. */
export type HeaderValue = Cbor;

/**
 * What an envelope says. Without overrides it keeps every rule; each override breaks, adds or
 * removes one thing, and the signature is made over the result unless `signature` says otherwise.
 */
export interface NotationOverrides {
  /** ES256 unless told; ignored where a chain is given. */
  readonly algorithm?: SignatureAlgorithm;
  readonly chain?: Chain;
  /** `notary.x509` unless told. */
  readonly scheme?: 'notary.x509' | 'notary.x509.signingAuthority';
  /** 2026-01-01 unless told; the member's name depends on the scheme. */
  readonly signingTime?: string;
  /** None unless told. */
  readonly expiry?: string;
  /** Protected members by name, replaced or added (not critical); `undefined` removes one. */
  readonly members?: Readonly<Record<string, HeaderValue>>;
  /** Protected members that are added to `crit` too. */
  readonly criticalMembers?: Readonly<Record<string, HeaderValue>>;
  /** The whole list instead of the right one; `absent` leaves the member out. */
  readonly crit?: readonly (string | number)[] | 'absent';
  /** The stated algorithm instead of the right one: a name for JWS, a number for COSE. */
  readonly statedAlgorithm?: string | number | 'absent';
  readonly contentType?: string | 'absent';
  /** Members of `targetArtifact`, replaced or added; `undefined` removes one. */
  readonly targetArtifact?: Readonly<Record<string, unknown>>;
  /** Members of the payload beside `targetArtifact`. */
  readonly payloadMembers?: Readonly<Record<string, unknown>>;
  /** The payload's exact bytes. */
  readonly payload?: Uint8Array | string;
  /** The certificates in the envelope, leaf first, instead of the chain's. */
  readonly certificates?: readonly Uint8Array[];
  /** Unprotected members, replaced or added; `undefined` removes one. */
  readonly unprotected?: Readonly<Record<string, HeaderValue>>;
  /** The token beside the signature, given the signature. */
  readonly timestamp?: (signature: Uint8Array) => Uint8Array;
  /** Another key makes the signature. */
  readonly signWith?: KeyObject;
  /** Changes the signature's bytes after it is made. */
  readonly signature?: (signature: Uint8Array) => Uint8Array;
  readonly jws?: JwsOverrides;
  readonly cose?: CoseOverrides;
}

export interface NotationSignatureOptions extends NotationOverrides {
  readonly of: Descriptor;
  readonly format: NotationFormat;
}

export interface NotationSignature {
  readonly envelope: Uint8Array;
  /** Of the envelope. */
  readonly mediaType: string;
  readonly chain: Chain;
}

export const payloadType = 'application/vnd.cncf.notary.payload.v1+json';

/** An envelope of the Notary Project's signature specification, made without any of our own code. */
export function notationSignature(options: NotationSignatureOptions): NotationSignature {
  const { format, algorithm = 'ES256' } = options;
  const chain = options.chain ?? makeChain({ algorithm });
  const content = {
    chain,
    header: headerOf(options, chain),
    payload: payloadOf(options),
    overrides: options,
  };
  return format === 'jws'
    ? { envelope: buildJws(content), mediaType: 'application/jose+json', chain }
    : { envelope: buildCose(content), mediaType: 'application/cose', chain };
}

/** The signature as the manifest that a registry keeps, its envelope as the one layer. */
export function signedBy(
  options: NotationSignatureOptions & { readonly form?: 'artifact-type' | 'legacy' },
): Artifact {
  const { envelope, mediaType, chain } = notationSignature(options);
  const thumbprints = chain.certificates.map(({ fingerprint }) => fingerprint);
  return buildSignatureManifest({
    envelope,
    mediaType,
    of: options.of,
    form: options.form ?? 'artifact-type',
    annotations: { 'io.cncf.notary.x509chain.thumbprint#S256': JSON.stringify(thumbprints) },
  });
}

/** What both encodings say in their protected header. */
export interface SignedHeader {
  readonly algorithm: SignatureAlgorithm;
  readonly contentType: string | 'absent';
  readonly crit: readonly (string | number)[] | 'absent';
  /** By name; times as Date. */
  readonly members: ReadonlyMap<string, HeaderValue>;
}

export interface SignedContent {
  readonly chain: Chain;
  readonly header: SignedHeader;
  readonly payload: Uint8Array;
  readonly overrides: NotationOverrides;
}

function headerOf(options: NotationOverrides, chain: Chain): SignedHeader {
  const { scheme = 'notary.x509', signingTime = '2026-01-01T00:00:00Z', expiry } = options;
  const isAuthority = scheme === 'notary.x509.signingAuthority';
  const timeName = isAuthority
    ? 'io.cncf.notary.authenticSigningTime'
    : 'io.cncf.notary.signingTime';
  const members = new Map<string, HeaderValue>([
    ['io.cncf.notary.signingScheme', scheme],
    [timeName, new Date(signingTime)],
  ]);
  if (expiry !== undefined) members.set('io.cncf.notary.expiry', new Date(expiry));
  const crit = [...members.keys()].filter((name) => name !== 'io.cncf.notary.signingTime');
  for (const [name, value] of Object.entries(options.criticalMembers ?? {})) {
    members.set(name, value);
    crit.push(name);
  }
  for (const [name, value] of Object.entries(options.members ?? {})) {
    if (value === undefined) members.delete(name);
    else members.set(name, value);
  }
  return {
    algorithm: chain.algorithm,
    contentType: options.contentType ?? payloadType,
    crit: options.crit ?? crit,
    members,
  };
}

function payloadOf(options: NotationSignatureOptions): Uint8Array {
  if (options.payload !== undefined) return Buffer.from(options.payload);
  const targetArtifact = { ...plainDescriptor(options.of), ...options.targetArtifact };
  return Buffer.from(JSON.stringify({ targetArtifact, ...options.payloadMembers }));
}
