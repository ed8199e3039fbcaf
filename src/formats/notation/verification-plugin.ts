import { quoted } from '../../kernel/quoted.ts';
import type {
  PluginAnswer,
  PluginCapability,
  PluginMetadata,
  PluginQuestion,
  PluginResult,
  VerificationPlugins,
} from '../../plugins/verification-plugin.ts';
import type { NotationRequirement } from '../../verdict/identity-requirement.ts';
import type { Finding } from '../signature-format.ts';
import type { CertificateChain } from './certificate-chain.ts';
import { fail, inconclude, pass } from '../finding.ts';
import type { NotationEnvelope } from './notation-envelope.ts';
import type { PluginDemand } from './plugin-demand.ts';
import { compareSemanticVersions, parseSemanticVersion } from './semantic-version.ts';
import type { SignedAttributes } from './signed-attributes.ts';
import { checkTrustedIdentity } from './trusted-identity.ts';
import { writeTrustedIdentities } from './written-identity.ts';

export interface PluginCase {
  readonly demand: PluginDemand;
  readonly envelope: NotationEnvelope;
  readonly attributes: SignedAttributes;
  readonly chain: CertificateChain;
  readonly requirement: NotationRequirement;
}

/** What the plugin takes the place of, by its own words. */
export type PluginResults = PluginAnswer['results'];

export interface PluginOutcome {
  readonly finding: Finding;
  /** Undefined unless the finding has passed. */
  readonly results?: PluginResults;
}

const identityCapability = 'SIGNATURE_VERIFIER.TRUSTED_IDENTITY';
const revocationCapability = 'SIGNATURE_VERIFIER.REVOCATION_CHECK';

const replaces = {
  [identityCapability]: 'authenticity',
  [revocationCapability]: 'revocation',
} as const satisfies Record<PluginCapability, keyof NotationRequirement['enforcement']>;

/**
 * Trust Store and Trust Policy specification, Extended Validation: asks the plugin that the
 * signature names. It is asked only of a signature whose integrity and trust store are proven, and
 * all that it can do is to refuse more, or to answer for the two checks that it takes over. Rejects
 * with the plugin's own error where nothing was found out.
 */
export async function askPlugin(
  examined: PluginCase,
  plugins: VerificationPlugins,
  signal: AbortSignal,
): Promise<PluginOutcome> {
  const { demand, chain, requirement } = examined;
  const plugin = plugins.get(demand.name);
  if (plugin === undefined) return { finding: fail('plugin-needed', howToAllow(demand.name)) };
  const metadata = await plugin.describe(signal);
  const unfit = refuseVersion(demand, metadata);
  if (unfit !== undefined) return { finding: unfit };
  if (!metadata.capabilities.includes(identityCapability)) {
    // Not for a signer who is refused in any case.
    const identity = checkTrustedIdentity(chain[0].subject, requirement.trustedIdentities);
    if (identity.outcome !== 'passed') return { finding: identity };
  }
  const wanted = metadata.capabilities.filter(
    (capability) => requirement.enforcement[replaces[capability]] !== 'skip',
  );
  const evidence = { plugin: `${metadata.name} ${metadata.version}` };
  if (wanted.length === 0 && demand.extendedAttributes.size === 0) {
    return { finding: pass({ ...evidence, asked: 'nothing: the policy skips it' }) };
  }
  const { results, processedAttributes } = await plugin.verify(
    toQuestion(examined, wanted),
    signal,
  );
  const left = [...demand.extendedAttributes.keys()].find((name) => !processedAttributes.has(name));
  if (left !== undefined) {
    const because = `${quoted(left)} is critical, and the plugin ${demand.name} did not process it`;
    return { finding: fail('signature-invalid', because) };
  }
  return { finding: pass({ ...evidence, asked: wanted.join(', ') || 'attributes' }), results };
}

/** Why a signature by a plugin that is not allowed is refused, and what to do. */
export function howToAllow(name: string): string {
  const entry = 'trust.plugins in the configuration, with the path and SHA-256 of its file';
  return `it asks for the verification plugin ${quoted(name)}: allow it under ${entry}`;
}

/** The plugin's answer in place of the check of the signer's name; undefined where it has none. */
export function identityByPlugin(results: PluginResults | undefined): Finding | undefined {
  const result = results?.get(identityCapability);
  return result && toFinding(result, 'no-trusted-signer', 'does not trust the signer');
}

/** The same for revocation. */
export function revocationByPlugin(results: PluginResults | undefined): Finding | undefined {
  const result = results?.get(revocationCapability);
  return result && toFinding(result, 'certificate-revoked', 'says that it is revoked');
}

function toFinding(
  { success, untrustedReason }: PluginResult,
  reason: 'no-trusted-signer' | 'certificate-revoked',
  what: string,
): Finding {
  if (success) return pass({ checkedBy: 'verification plugin' });
  const told = untrustedReason === undefined ? '' : `: ${quoted(untrustedReason, 200)}`;
  return fail(reason, `the verification plugin ${what}${told}`);
}

function refuseVersion(
  { minVersion }: PluginDemand,
  metadata: PluginMetadata,
): Finding | undefined {
  const version = parseSemanticVersion(metadata.version);
  if (version === undefined) {
    const stated = quoted(metadata.version);
    const because = `the plugin ${metadata.name} has a version that is none: ${stated}`;
    return inconclude('not-verifiable', because);
  }
  if (minVersion === undefined || compareSemanticVersions(version, minVersion.version) >= 0) {
    return undefined;
  }
  const has = quoted(metadata.version);
  const because = `it asks for ${metadata.name} ${quoted(minVersion.text)} or later, and ${has} is here`;
  return fail('plugin-needed', because);
}

function toQuestion(
  { demand, envelope, attributes, chain, requirement }: PluginCase,
  capabilities: readonly PluginCapability[],
): PluginQuestion {
  const { name, minVersion, extendedAttributes } = demand;
  const { scheme, expiry } = attributes;
  return {
    signature: {
      criticalAttributes: {
        contentType: envelope.contentType,
        signingScheme: scheme,
        ...(expiry !== undefined && { expiry: toRfc3339(expiry) }),
        ...(scheme === 'notary.x509.signingAuthority' && {
          authenticSigningTime: toRfc3339(attributes.authenticSigningTime),
        }),
        verificationPlugin: name,
        ...(minVersion !== undefined && { verificationPluginMinVersion: minVersion.text }),
        extendedAttributes: Object.fromEntries(extendedAttributes),
      },
      unprocessedAttributes: [...extendedAttributes.keys()],
      certificateChain: chain.map(({ der }) => Buffer.from(der).toString('base64')),
    },
    trustPolicy: {
      trustedIdentities: writeTrustedIdentities(requirement.trustedIdentities),
      signatureVerification: capabilities,
    },
  };
}

function toRfc3339(time: Date): string {
  return time.toISOString().replace('.000Z', 'Z');
}
