import type { Certificate } from '../../crypto/x509.ts';
import { earliest } from '../../kernel/earliest.ts';
import type { NonEmpty } from '../../kernel/non-empty.ts';
import { oncePer } from '../../kernel/once.ts';
import { quoted } from '../../kernel/quoted.ts';
import type { Descriptor } from '../../oci/descriptor.ts';
import type { SigstoreRoot } from '../../trust/sigstore/sigstore-root.ts';
import type { TrustedTime } from '../../trust/trusted-time.ts';
import type { Identity } from '../../verdict/identity.ts';
import type { IdentityRequirement, SigstoreIdentity } from '../../verdict/identity-requirement.ts';
import { authorityFingerprintsOf } from '../authority-fingerprints.ts';
import { fail, pass } from '../finding.ts';
import type {
  CheckStep,
  Examination,
  ExaminationContext,
  Finding,
  Proven,
  UntrustedEnvelope,
} from '../signature-format.ts';
import { reached } from '../reached.ts';
import { checkCertificateChain } from './certificate-chain.ts';
import { checkCertificateLog } from './certificate-log.ts';
import { type SigstoreCheckId, sigstoreChecks } from './checks.ts';
import { checkLogEntries } from './log-entries.ts';
import { checkPayloadNamesSubject, signaturePredicateType } from './payload.ts';
import { checkRoot } from './root.ts';
import { checkSignature, type ProvenKey } from './signature.ts';
import { findSignerCandidate, type SignerCandidate } from './signer-candidate.ts';
import type { ReadSigstoreEnvelope, SigstoreEnvelope } from './sigstore-envelope.ts';
import { checkTimestamps } from './timestamps.ts';
import { findTrustedTimes } from './trusted-times.ts';
import { instantsOf, type Witness } from './witness.ts';

/** What is examined, and against what. */
export interface SigstoreCase {
  readonly untrusted: UntrustedEnvelope;
  readonly read: ReadSigstoreEnvelope;
  readonly subject: Descriptor;
  readonly requirement: SigstoreIdentity;
  readonly context: ExaminationContext;
}

/** What the steps have found so far; each is set by one step and used by later ones. */
interface Progress {
  envelope?: SigstoreEnvelope;
  predicateType?: string;
  candidate?: SignerCandidate;
  by?: ProvenKey;
  root?: SigstoreRoot;
  timestamps?: readonly Witness[];
  logs?: readonly Witness[];
  times?: readonly Date[];
  trustedTime?: TrustedTime;
  path?: NonEmpty<Certificate>;
  signer?: Identity;
  /** Ends of what passing checks relied upon. */
  readonly ends: Date[];
}

type Step = (progress: Progress, examined: SigstoreCase) => Finding | Promise<Finding>;

/** Lays out the checks that all formats of Sigstore share; see `SignatureFormat.examine`. */
export function examineSigstore(
  of: Omit<SigstoreCase, 'requirement'> & { readonly requirement: IdentityRequirement },
): Examination {
  const { requirement } = of;
  if (requirement.family !== 'sigstore') {
    throw new TypeError(`${requirement.name} is not of Sigstore`);
  }
  const examined: SigstoreCase = { ...of, requirement };
  const progress: Progress = { ends: [] };
  const toStep = ({ id, rule }: { id: SigstoreCheckId; rule: string }): CheckStep => ({
    id,
    rule,
    enforcement: () => 'enforce',
    run: () => steps[id](progress, examined),
  });
  const [first, ...others] = sigstoreChecks;
  return {
    steps: [toStep(first), ...others.map(toStep)] as NonEmpty<CheckStep>,
    proven: () => proven(progress),
  };
}

/** Once, however many identities an envelope is held against: all of them in one verification. */
const reader = oncePer((read: ReadSigstoreEnvelope) => {
  const readings = new WeakMap<UntrustedEnvelope, Promise<SigstoreEnvelope>>();
  return (untrusted: UntrustedEnvelope, context: ExaminationContext): Promise<SigstoreEnvelope> => {
    const reading = readings.get(untrusted) ?? (async () => await read(untrusted, context))();
    readings.set(untrusted, reading);
    return reading;
  };
});

const steps: Readonly<Record<SigstoreCheckId, Step>> = {
  'envelope-readable': async (progress, { read, untrusted, context }) => {
    const envelope = await reader(read)(untrusted, context);
    progress.envelope = envelope;
    const { verifier, logEntries, timestamps } = envelope;
    return pass({
      signer: verifier.kind === 'certificate' ? 'a certificate' : 'a key',
      'log entries': String(logEntries.length),
      timestamps: String(timestamps.length),
    });
  },
  'payload-names-subject': (progress, { subject, context, requirement }) => {
    const { scope, aliases } = context;
    const { signedAs } = requirement.sigstore;
    const { content } = reached(progress.envelope);
    const found = checkPayloadNamesSubject(content, subject, { scope, aliases, signedAs });
    if (found.predicateType !== undefined) progress.predicateType = found.predicateType;
    return found.finding;
  },
  'signer-candidate': (progress, { requirement }) => {
    const found = findSignerCandidate(reached(progress.envelope).verifier, requirement.sigstore);
    if (found.candidate !== undefined) progress.candidate = found.candidate;
    return found.finding;
  },
  'signature-verifies': async (progress) => {
    const found = await checkSignature(reached(progress.envelope), reached(progress.candidate));
    if (found.by !== undefined) progress.by = found.by;
    return found.finding;
  },
  'trusted-root': (progress, { requirement, context }) => {
    const { root: name, maxRootAgeMs } = requirement.sigstore;
    if (name === undefined) return pass({ root: 'none asked for' });
    const loaded = context.trust.sigstoreRoot(name);
    const found = checkRoot(loaded, name, { now: context.now, maxAgeMs: maxRootAgeMs });
    if (found.root !== undefined) progress.root = found.root;
    progress.ends.push(...found.ends);
    return found.finding;
  },
  timestamps: (progress, { requirement }) => {
    const { minTimestamps } = requirement.sigstore;
    const found = checkTimestamps(reached(progress.envelope), progress.root, minTimestamps);
    progress.timestamps = found.witnesses;
    return found.finding;
  },
  'log-entries': async (progress, { requirement }) => {
    const found = await checkLogEntries({
      envelope: reached(progress.envelope),
      root: progress.root,
      by: reached(progress.by),
      times: instantsOf(reached(progress.timestamps)),
      minLogs: requirement.sigstore.minLogs,
    });
    progress.logs = found.witnesses;
    return found.finding;
  },
  'trusted-time': (progress, { requirement, context }) => {
    const found = findTrustedTimes({
      by: reached(progress.by),
      logs: reached(progress.logs),
      timestamps: reached(progress.timestamps),
      requirement: requirement.sigstore,
      now: context.now,
    });
    progress.times = found.times;
    if (found.trustedTime !== undefined) progress.trustedTime = found.trustedTime;
    if (found.validUntil !== undefined) progress.ends.push(found.validUntil);
    return found.finding;
  },
  'certificate-chain': (progress) => {
    const { verifier } = reached(progress.envelope);
    if (isByKey(progress) || verifier.kind === 'public-key') return byKey;
    const found = checkCertificateChain(
      verifier.chain,
      reached(progress.root),
      reached(progress.times),
    );
    if (found.path !== undefined) progress.path = found.path;
    return found.finding;
  },
  'certificate-log': (progress, { requirement }) => {
    if (isByKey(progress)) return byKey;
    const { minCertificateLogs } = requirement.sigstore;
    return checkCertificateLog(reached(progress.path), reached(progress.root), minCertificateLogs);
  },
  'trusted-identity': (progress) => {
    const signer = toIdentity(reached(progress.candidate), reached(progress.by), progress.path);
    if (signer === undefined)
      return fail('no-trusted-signer', 'nobody is proven to have signed it');
    progress.signer = signer;
    return pass({ subject: quoted(signer.subject, 200), ...describeClaims(progress.candidate) });
  },
};

const byKey: Finding = { outcome: 'skipped', because: 'it was signed with a key of the policy' };

function isByKey(progress: Progress): boolean {
  return reached(progress.by).kind === 'key';
}

/** All of it out of the certificate that the checks before have proven. */
function toIdentity(
  candidate: SignerCandidate,
  by: ProvenKey,
  path: NonEmpty<Certificate> | undefined,
): Identity | undefined {
  if (by.kind === 'key') {
    const { name: subject, keyFingerprint } = by.key;
    return { kind: 'key', subject, keyFingerprint };
  }
  if (candidate.kind === 'keys') return undefined;
  const { leaf, identity } = candidate;
  return {
    kind: 'certificate',
    subject: identity.subject.value,
    issuer: identity.issuer,
    certificateFingerprint: leaf.fingerprint,
    keyFingerprint: leaf.keyFingerprint,
    authorityFingerprints: authorityFingerprintsOf(reached(path)),
  };
}

function describeClaims(candidate: SignerCandidate | undefined): Record<string, string> {
  if (candidate?.kind !== 'certificate') return {};
  const { issuer, claims } = candidate.identity;
  const told = [...claims].map(([name, value]) => [name, quoted(value, 200)] as const);
  return { issuer: quoted(issuer, 200), ...Object.fromEntries(told) };
}

function proven(progress: Progress): Proven {
  const { signer, trustedTime, predicateType, envelope, ends } = progress;
  const validUntil = earliest(...ends);
  const isAttested = predicateType !== undefined && predicateType !== signaturePredicateType;
  const payload = envelope?.content.kind === 'dsse' ? envelope.content.payload : undefined;
  const signedBy = trustedTime && { signedBy: trustedTime.latest };
  return {
    ...(signer && { signer }),
    ...(isAttested && payload && { statement: { predicateType, payload, ...signedBy } }),
    ...(trustedTime && { trustedTime }),
    ...(validUntil && { validUntil }),
  };
}
