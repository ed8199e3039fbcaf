import { EnvelopeError } from '../../crypto/envelope-error.ts';
import type { Json } from '../../kernel/json.ts';
import { quoted } from '../../kernel/quoted.ts';
import type { AttributeLabel, NotationEnvelope } from './notation-envelope.ts';
import { implementedCritical } from './notation-envelope.ts';
import { parseSemanticVersion, type SemanticVersion } from './semantic-version.ts';

/** The signer's wish that a plugin takes part in the verification. */
export interface PluginDemand {
  readonly name: string;
  /** As it stands there, and read. */
  readonly minVersion: { readonly text: string; readonly version: SemanticVersion } | undefined;
  /** Critical attributes that nobody but the plugin knows. */
  readonly extendedAttributes: ReadonlyMap<string, Json>;
}

export const pluginAttributes = {
  name: 'io.cncf.notary.verificationPlugin',
  minVersion: 'io.cncf.notary.verificationPluginMinVersion',
} as const;

const pluginLabels: readonly AttributeLabel[] = Object.values(pluginAttributes);

export function isPluginLabel(label: AttributeLabel): boolean {
  return pluginLabels.includes(label);
}

/**
 * Signature Specification, Extended attributes for Notation plugins; undefined where the signature
 * names none. Throws `EnvelopeError` for what is of another type.
 */
export function readPluginDemand(envelope: NotationEnvelope): PluginDemand | undefined {
  const name = envelope.text(pluginAttributes.name);
  if (name === undefined) return undefined;
  const minVersion = envelope.text(pluginAttributes.minVersion);
  const extended = envelope.critical.filter(isExtended);
  return {
    name,
    minVersion: minVersion === undefined ? undefined : readVersion(minVersion),
    extendedAttributes: new Map(extended.map((label) => [label, envelope.json(label)])),
  };
}

/** A plugin can only be told of what has a text for a name. */
function isExtended(label: AttributeLabel): label is string {
  return typeof label === 'string' && !implementedCritical.includes(label) && !isPluginLabel(label);
}

function readVersion(text: string): NonNullable<PluginDemand['minVersion']> {
  const version = parseSemanticVersion(text);
  if (version !== undefined) return { text, version };
  const why = `${pluginAttributes.minVersion} ${quoted(text)} is no version (SemVer 2.0.0)`;
  throw new EnvelopeError('ATTRIBUTES_MALFORMED', `the signed attributes are malformed: ${why}`);
}
