import type { HashName } from '../../crypto/hash-algorithm.ts';
import { type LogEntry, readLogEntry } from '../../crypto/log-entry.ts';
import type { HashValue, LoggedVerifier } from '../../crypto/log-entry-parts.ts';
import { isSameBytes } from '../../crypto/same-bytes.ts';
import { oncePer } from '../../kernel/once.ts';
import { quoted } from '../../kernel/quoted.ts';
import { hashOf, hashOfPayload, hashOfSigned } from './content.ts';
import type { ProvenKey } from './signature.ts';
import type {
  ClaimedLogEntry,
  ClaimedVerifier,
  SignedContent,
  SigstoreEnvelope,
} from './sigstore-envelope.ts';

const readEntry = oncePer(({ body }: ClaimedLogEntry) => readLogEntry(body));

/**
 * What in the body of a log entry is not about this very signature: of another kind than it was said
 * to be, another signature, another certificate or key, another hash (Client Specification, section
 * 4.4; CVE-2022-23649, CVE-2022-36056, CVE-2026-22703). Undefined where all of it is. Throws
 * `EnvelopeError` for a body that can't be read.
 */
export async function findBodyFault(
  claimed: ClaimedLogEntry,
  envelope: SigstoreEnvelope,
  by: ProvenKey,
): Promise<string | undefined> {
  const entry = readEntry(claimed);
  if (entry.kind !== claimed.kind || entry.version !== claimed.version) {
    const said = quoted(`${claimed.kind} ${claimed.version}`);
    return `is a ${entry.kind} ${entry.version}, and not a ${said} as it was said to be`;
  }
  return (
    findVersionFault(entry, claimed) ??
    findSignerFault(entry, envelope, by) ??
    (await findHashFault(entry, envelope))
  );
}

/** Rekor v2 (rekor-v2-spec, section 6.1.4) promises nothing, and takes one kind alone. */
function findVersionFault(
  { kind, version }: LogEntry,
  { promise }: ClaimedLogEntry,
): string | undefined {
  if (kind === 'dsse' && version === '0.0.2') return 'is of a kind that no log takes any more';
  const isV2 = kind === 'hashedrekord' && version === '0.0.2';
  return isV2 && promise !== undefined ? 'has a promise, which its log does not make' : undefined;
}

function findSignerFault(
  { signatures }: LogEntry,
  { signature, verifier, content }: SigstoreEnvelope,
  by: ProvenKey,
): string | undefined {
  const [logged, ...others] = signatures;
  if (logged === undefined || others.length > 0) return 'is about more than one signature';
  if (logged.signature === undefined) {
    // `intoto` 0.0.1 binds it by the hash of the whole envelope alone.
    const isBound = content.kind === 'dsse' && content.envelope !== undefined;
    if (!isBound) return 'binds no signature';
  } else if (!isSameBytes(logged.signature, signature)) return 'is about another signature';
  return findVerifierFault(logged.verifier, verifier, by);
}

function findVerifierFault(
  logged: LoggedVerifier,
  claimed: ClaimedVerifier,
  by: ProvenKey,
): string | undefined {
  if (claimed.kind === 'certificate') {
    const isIt =
      logged.kind === 'certificate' && isSameBytes(logged.certificate.der, claimed.chain[0].der);
    return isIt ? undefined : 'is about another certificate';
  }
  const isIt =
    logged.kind === 'public-key' &&
    by.kind === 'key' &&
    logged.publicKey.fingerprint === by.key.keyFingerprint;
  return isIt ? undefined : 'is about another key';
}

interface Comparison {
  readonly logged: HashValue;
  /** Of what the log must have seen; undefined where there is no such thing. */
  readonly own: (algorithm: HashName) => Promise<Uint8Array | undefined>;
  readonly fault: string;
}

/** Every hash that can be compared is, and there must be one. */
async function findHashFault(
  entry: LogEntry,
  { content }: SigstoreEnvelope,
): Promise<string | undefined> {
  const comparisons = comparisonsOf(entry, content);
  if (comparisons.length === 0) return 'has no hash of what was signed';
  for (const { logged, own, fault } of comparisons) {
    const hash = await own(logged.algorithm);
    if (hash === undefined || !isSameBytes(hash, logged.digest)) return fault;
  }
  return undefined;
}

function comparisonsOf(entry: LogEntry, content: SignedContent): readonly Comparison[] {
  const { artifactHash, payloadHash, envelopeHash } = entry;
  const envelope = content.kind === 'dsse' ? content.envelope : undefined;
  // Of `intoto` 0.0.2 it is over an encoding of the log's own.
  const isOwnEncoding = entry.kind === 'intoto' && entry.version === '0.0.2';
  const hasEnvelope = envelope !== undefined && !isOwnEncoding;
  return [
    {
      logged: artifactHash,
      own: (algorithm: HashName) => hashOfSigned(content, algorithm),
      fault: 'is about other content',
    },
    {
      logged: payloadHash,
      own: async (algorithm: HashName) =>
        content.kind === 'dsse' ? await hashOfPayload(content, algorithm) : undefined,
      fault: 'is about another payload',
    },
    {
      logged: hasEnvelope ? envelopeHash : undefined,
      own: async (algorithm: HashName) => envelope && (await hashOf(algorithm, envelope)),
      fault: 'is about another envelope',
    },
  ].flatMap(({ logged, own, fault }) => (logged === undefined ? [] : [{ logged, own, fault }]));
}
