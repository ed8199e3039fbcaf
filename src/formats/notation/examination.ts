import { signatureAlgorithmOf } from '../../crypto/algorithms.ts';
import { readCertificate } from '../../crypto/certificate.ts';
import { earliest } from '../../kernel/earliest.ts';
import type { NonEmpty } from '../../kernel/non-empty.ts';
import { oncePer } from '../../kernel/once.ts';
import { quoted } from '../../kernel/quoted.ts';
import type { Descriptor } from '../../oci/descriptor.ts';
import type { TrustedTime } from '../../trust/trusted-time.ts';
import type { Enforcement } from '../../verdict/check.ts';
import type { Identity } from '../../verdict/identity.ts';
import type {
  IdentityRequirement,
  NotationIdentity,
  NotationRequirement,
} from '../../verdict/identity-requirement.ts';
import type {
  CheckStep,
  Examination,
  ExaminationContext,
  Finding,
  Proven,
} from '../signature-format.ts';
import { checkAuthenticTimestamp } from './authentic-timestamp.ts';
import { type CertificateChain, checkCertificateChain } from './certificate-chain.ts';
import { type NotationCheck, type NotationCheckId, notationChecks } from './checks.ts';
import { checkExpiry } from './expiry.ts';
import { authorityFingerprintsOf } from '../authority-fingerprints.ts';
import { fail, inconclude, pass } from '../finding.ts';
import { reached } from '../reached.ts';
import { checkLevelVouches } from './level.ts';
import type { NotationEnvelope, ReadNotationEnvelope } from './notation-envelope.ts';
import { checkPayloadNamesSubject } from './payload.ts';
import { checkRevocation, type SignedBefore } from './revocation.ts';
import {
  checkCriticalAttributes,
  describeAttributes,
  readSignedAttributes,
  type SignedAttributes,
} from './signed-attributes.ts';
import { readPluginDemand } from './plugin-demand.ts';
import { checkTrustedIdentity } from './trusted-identity.ts';
import { checkTrustedStore } from './trusted-store.ts';
import {
  askPlugin,
  identityByPlugin,
  type PluginResults,
  revocationByPlugin,
} from './verification-plugin.ts';

/** What is examined, and against what. */
export interface NotationCase {
  readonly untrustedEnvelope: Uint8Array;
  readonly read: ReadNotationEnvelope;
  readonly subject: Descriptor;
  readonly requirement: NotationIdentity;
  readonly context: ExaminationContext;
}

/** What the steps have read so far; each is set by one step and used by later ones. */
interface Progress {
  envelope?: NotationEnvelope;
  attributes?: SignedAttributes;
  chain?: CertificateChain;
  signer?: Identity;
  /** When it was signed, on the word of somebody trusted. */
  trustedTime?: TrustedTime;
  pluginResults?: PluginResults;
  /** Ends of what passing checks relied upon. */
  readonly ends: Date[];
}

/** For how long a plugin's answer holds, since it does not say. */
const pluginAnswerMs = 3_600_000;

type Step = (progress: Progress, examined: NotationCase) => Finding | Promise<Finding>;

/** Lays out the checks that both envelope formats share; see `SignatureFormat.examine`. */
export function examineNotation(
  of: Omit<NotationCase, 'requirement'> & { readonly requirement: IdentityRequirement },
): Examination {
  const { requirement } = of;
  if (requirement.family !== 'notation')
    throw new TypeError(`${requirement.name} is not of Notation`);
  const examined: NotationCase = { ...of, requirement };
  const progress: Progress = { ends: [] };
  const toStep = ({ id, rule, type }: NotationCheck & { id: NotationCheckId }): CheckStep => ({
    id,
    rule,
    enforcement: () => enforcementOf(type, examined.requirement),
    run: () => steps[id](progress, examined),
  });
  const [first, ...others] = notationChecks;
  return {
    steps: [toStep(first), ...others.map(toStep)] as NonEmpty<CheckStep>,
    proven: () => proven(progress),
  };
}

function enforcementOf(type: NotationCheck['type'], { notation }: NotationIdentity): Enforcement {
  return type === 'integrity' ? 'enforce' : notation.enforcement[type];
}

// What rests on the envelope alone is worked out once, however many identities it is held against:
// a stranger's envelope may be made to cost as much as it can.
const reader = oncePer((read: ReadNotationEnvelope) => oncePer(read));

const isSignedByLeaf = oncePer((envelope: NotationEnvelope) => {
  const { publicKey } = readCertificate(envelope.certificates[0]);
  return envelope.isSignedBy(publicKey, signatureAlgorithmOf(publicKey));
});

const examineChain = oncePer(({ certificates: [leaf, ...issuers] }: NotationEnvelope) => {
  const chain: CertificateChain = [readCertificate(leaf), ...issuers.map(readCertificate)];
  return { chain, finding: checkCertificateChain(chain) };
});

const steps: Readonly<Record<NotationCheckId, Step>> = {
  'envelope-readable': (progress, { read, untrustedEnvelope }) => {
    const envelope = reader(read)(untrustedEnvelope);
    progress.envelope = envelope;
    return pass({ certificates: String(envelope.certificates.length) });
  },
  'signed-attributes': (progress) => {
    const attributes = readSignedAttributes(reached(progress.envelope));
    progress.attributes = attributes;
    return pass(describeAttributes(attributes));
  },
  'critical-attributes': (progress, { context }) => {
    const { envelope, attributes } = progress;
    return checkCriticalAttributes(reached(envelope), reached(attributes), context.plugins);
  },
  'payload-names-subject': (progress, { subject }) =>
    checkPayloadNamesSubject(reached(progress.envelope), subject),
  'signature-algorithm': (progress) => {
    const { certificates, claimedAlgorithm } = reached(progress.envelope);
    const algorithm = signatureAlgorithmOf(readCertificate(certificates[0]).publicKey);
    if (claimedAlgorithm !== algorithm) {
      const claim = quoted(claimedAlgorithm);
      return fail('signature-invalid', `it claims ${claim}; the signer's key is for ${algorithm}`);
    }
    return pass({ algorithm });
  },
  'signature-verifies': async (progress) => {
    return (await isSignedByLeaf(reached(progress.envelope)))
      ? pass()
      : fail('signature-invalid', 'the signature does not verify with the key of its certificate');
  },
  'certificate-chain': (progress) => {
    const { chain, finding } = examineChain(reached(progress.envelope));
    if (finding.outcome === 'passed') progress.chain = chain;
    return finding;
  },
  'trusted-store': (progress, { requirement, context }) => {
    const chain = reached(progress.chain);
    const { trustStores } = requirement.notation;
    const { scheme } = reached(progress.attributes);
    const finding = checkTrustedStore(chain, scheme, trustStores, context.trust);
    if (finding.outcome === 'passed') progress.signer = toIdentity(chain);
    return finding;
  },
  'verification-plugin': async (progress, { requirement, context }) => {
    const envelope = reached(progress.envelope);
    const demand = readPluginDemand(envelope);
    if (demand === undefined) return pass({ plugin: 'none asked for' });
    if (progress.signer === undefined) {
      return fail('no-trusted-signer', 'no plugin is asked about a signer of no trust store');
    }
    const attributes = reached(progress.attributes);
    const chain = reached(progress.chain);
    const { finding, results } = await askPlugin(
      { demand, envelope, attributes, chain, requirement: requirement.notation },
      context.plugins,
      context.signal,
    );
    if (results !== undefined) {
      progress.pluginResults = results;
      progress.ends.push(new Date(context.now.getTime() + pluginAnswerMs));
    }
    return finding;
  },
  'trusted-identity': (progress, { requirement }) => {
    const byPlugin = identityByPlugin(progress.pluginResults);
    if (byPlugin !== undefined) return byPlugin;
    const [{ subject }] = reached(progress.chain);
    return checkTrustedIdentity(subject, requirement.notation.trustedIdentities);
  },
  expiry: (progress, { context }) => {
    const { expiry } = reached(progress.attributes);
    const finding = checkExpiry(expiry, context.now);
    if (finding.outcome === 'passed' && expiry !== undefined) progress.ends.push(expiry);
    return finding;
  },
  'authentic-timestamp': async (progress, { requirement, context }) => {
    const { finding, validUntil, trustedTime } = await checkAuthenticTimestamp({
      chain: reached(progress.chain),
      attributes: reached(progress.attributes),
      envelope: reached(progress.envelope),
      requirement: requirement.notation,
      context,
    });
    if (validUntil !== undefined) progress.ends.push(validUntil);
    if (trustedTime !== undefined) progress.trustedTime = trustedTime;
    return finding;
  },
  revocation: async (progress, { requirement, context }) => {
    const byPlugin = revocationByPlugin(progress.pluginResults);
    if (byPlugin !== undefined) return byPlugin;
    // The URLs to be asked are the signer's: those of a stranger are nobody's to ask.
    if (progress.signer === undefined) {
      const because = 'nobody is asked about a signer of no trust store';
      return inconclude('revocation-unknown', because);
    }
    const { finding, validUntil } = await checkRevocation(
      reached(progress.chain),
      context.revocation,
      context.signal,
      signedBefore(progress, requirement.notation),
    );
    if (validUntil !== undefined) progress.ends.push(validUntil);
    return finding;
  },
  'level-vouches': (_, { requirement }) => checkLevelVouches(requirement.notation),
};

/** The specification lets a signing authority's time count; a timestamp's counts by the policy. */
function signedBefore(
  { trustedTime, attributes }: Progress,
  { revocationTime }: NotationRequirement,
): SignedBefore | undefined {
  if (trustedTime === undefined) return undefined;
  if (revocationTime === 'signing-time') {
    return { signedAt: trustedTime, forgives: 'later-revocation' };
  }
  return attributes?.scheme === 'notary.x509.signingAuthority'
    ? { signedAt: trustedTime, forgives: 'invalidity-date' }
    : undefined;
}

function toIdentity(chain: CertificateChain): Identity {
  const [leaf] = chain;
  return {
    kind: 'certificate',
    subject: leaf.subject.text,
    issuer: leaf.issuer.text,
    certificateFingerprint: leaf.fingerprint,
    keyFingerprint: leaf.keyFingerprint,
    authorityFingerprints: authorityFingerprintsOf(chain),
  };
}

function proven({ signer, trustedTime, ends }: Progress): Proven {
  const validUntil = earliest(...ends);
  return {
    ...(signer !== undefined && { signer }),
    ...(trustedTime !== undefined && { trustedTime }),
    ...(validUntil !== undefined && { validUntil }),
  };
}
