import type { Json } from '../kernel/json.ts';

/** What a verification plugin may take over (Notary Project, Plugin Extensibility). */
export type PluginCapability = (typeof pluginCapabilities)[number];

export const pluginCapabilities = [
  'SIGNATURE_VERIFIER.TRUSTED_IDENTITY',
  'SIGNATURE_VERIFIER.REVOCATION_CHECK',
] as const;

/** The verification plugins that the operator allows by name, path and hash. */
export interface VerificationPlugins {
  /** Undefined where none of that name is allowed. */
  get(name: string): VerificationPlugin | undefined;
}

/** One of them. Both methods reject with `PluginError`, or with the signal's reason. */
export interface VerificationPlugin {
  /** Asks what it is; it answers for as long as its file stays the same. */
  describe(signal: AbortSignal): Promise<PluginMetadata>;
  /** Asks it to judge one signature; resolves only with an answer that fits the question. */
  verify(question: PluginQuestion, signal: AbortSignal): Promise<PluginAnswer>;
}

/** What get-plugin-metadata answers, as far as verification needs it. */
export interface PluginMetadata {
  readonly name: string;
  /** SemVer 2.0, as it states it. */
  readonly version: string;
  /** Those for verification. */
  readonly capabilities: readonly PluginCapability[];
}

/** A verify-signature request, in the contract's own words. */
export interface PluginQuestion {
  readonly signature: {
    readonly criticalAttributes: {
      readonly contentType: string;
      readonly signingScheme: string;
      readonly expiry?: string;
      readonly authenticSigningTime?: string;
      readonly verificationPlugin: string;
      readonly verificationPluginMinVersion?: string;
      readonly extendedAttributes: Readonly<Record<string, Json>>;
    };
    readonly unprocessedAttributes: readonly string[];
    /** Base64 of DER, leaf first. */
    readonly certificateChain: readonly string[];
  };
  readonly trustPolicy: {
    readonly trustedIdentities: readonly string[];
    readonly signatureVerification: readonly PluginCapability[];
  };
}

export interface PluginAnswer {
  /** One for each capability that was asked for, and no other. */
  readonly results: ReadonlyMap<PluginCapability, PluginResult>;
  /** Attributes that it says it has processed. */
  readonly processedAttributes: ReadonlySet<string>;
}

export interface PluginResult {
  readonly success: boolean;
  /** The plugin's own words. */
  readonly untrustedReason?: string;
}
