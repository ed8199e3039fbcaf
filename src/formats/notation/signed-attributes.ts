import { EnvelopeError } from '../../crypto/envelope-error.ts';
import { quoted } from '../../kernel/quoted.ts';
import type { VerificationPlugins } from '../../plugins/verification-plugin.ts';
import type { Finding } from '../signature-format.ts';
import { fail } from '../finding.ts';
import { attributeNames, implementedCritical, type NotationEnvelope } from './notation-envelope.ts';
import { isPluginLabel, readPluginDemand } from './plugin-demand.ts';
import { howToAllow } from './verification-plugin.ts';

/** The protected attributes that the signing scheme asks for, before the signature is verified. */
export type SignedAttributes = {
  readonly expiry: Date | undefined;
} & (
  | { readonly scheme: 'notary.x509'; readonly signingTime: Date }
  | { readonly scheme: 'notary.x509.signingAuthority'; readonly authenticSigningTime: Date }
);

/**
 * Signature Specification, Standard attributes: each scheme has its own time and must not have the
 * other's. Throws `EnvelopeError` for what is missing, of another type, or out of place.
 */
export function readSignedAttributes(envelope: NotationEnvelope): SignedAttributes {
  const scheme = envelope.text(attributeNames.signingScheme);
  if (scheme !== 'notary.x509' && scheme !== 'notary.x509.signingAuthority') {
    throw malformed(`the signing scheme is ${scheme === undefined ? 'missing' : quoted(scheme)}`);
  }
  const isAuthority = scheme === 'notary.x509.signingAuthority';
  const { signingTime, authenticSigningTime } = attributeNames;
  const [own, foreign] = isAuthority
    ? [authenticSigningTime, signingTime]
    : [signingTime, authenticSigningTime];
  if (envelope.labels.has(foreign)) throw malformed(`${foreign} is not allowed with ${scheme}`);
  const time = envelope.time(own);
  if (time === undefined) throw malformed(`${own} is missing`);
  const expiry = envelope.time(attributeNames.expiry);
  if (expiry !== undefined && expiry <= time) throw malformed('it expires before it was signed');
  return isAuthority
    ? { scheme: 'notary.x509.signingAuthority', authenticSigningTime: time, expiry }
    : { scheme: 'notary.x509', signingTime: time, expiry };
}

export function describeAttributes(attributes: SignedAttributes): Readonly<Record<string, string>> {
  const { scheme, expiry } = attributes;
  const time = scheme === 'notary.x509' ? attributes.signingTime : attributes.authenticSigningTime;
  return {
    scheme,
    // Anybody can write any time here; only a signing authority's is believed.
    [scheme === 'notary.x509' ? 'claimedSigningTime' : 'authenticSigningTime']: time.toISOString(),
    ...(expiry !== undefined && { expiry: expiry.toISOString() }),
  };
}

/**
 * What must be marked critical is, and nothing is that neither we nor an allowed plugin could
 * process. Whether the plugin did is a later check. Throws `EnvelopeError` for what is of another
 * type.
 */
export function checkCriticalAttributes(
  envelope: NotationEnvelope,
  attributes: SignedAttributes,
  plugins: VerificationPlugins,
): Finding {
  const { critical, labels } = envelope;
  const demand = readPluginDemand(envelope);
  if (demand !== undefined && plugins.get(demand.name) === undefined) {
    return fail('plugin-needed', howToAllow(demand.name));
  }
  if (new Set(critical).size !== critical.length) return failed('an attribute is listed twice');
  for (const label of critical) {
    const name = quoted(String(label));
    if (!labels.has(label)) return failed(`${name} is listed, but is no protected attribute`);
    if (typeof label === 'string' && implementedCritical.includes(label)) continue;
    // A plugin can be told of attributes by a text alone; without one, its least version is unknown.
    if (typeof label !== 'string' || demand === undefined) {
      return failed(`${name} is critical and not known here`);
    }
  }
  const required = [...requiredCritical(attributes), ...[...labels].filter(isPluginLabel)];
  const missing = required.find((name) => !critical.includes(name));
  if (missing !== undefined) return failed(`${missing} is not marked critical`);
  return { outcome: 'passed', evidence: { critical: critical.join(', ') } };
}

function requiredCritical({ scheme, expiry }: SignedAttributes): readonly string[] {
  return [
    attributeNames.signingScheme,
    ...(scheme === 'notary.x509' ? [] : [attributeNames.authenticSigningTime]),
    ...(expiry === undefined ? [] : [attributeNames.expiry]),
  ];
}

function failed(because: string): Finding {
  return fail('signature-invalid', because);
}

function malformed(why: string): EnvelopeError {
  return new EnvelopeError('ATTRIBUTES_MALFORMED', `the signed attributes are malformed: ${why}`);
}
