import type { SignatureFormat, UntrustedEnvelope } from '../formats/signature-format.ts';
import { abortable, inTime } from '../kernel/abort.ts';
import { quoted } from '../kernel/quoted.ts';
import { messageOf, TaggedError } from '../kernel/tagged-error.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import type { Digest } from '../oci/digest.ts';
import { MalformedError } from '../oci/malformed-error.ts';
import { artifactTypeOf, type ImageManifest, readManifest } from '../oci/manifest.ts';
import type { RepositoryPath } from '../oci/repository.ts';
import type { ContentSource } from '../upstream/content-source.ts';
import type { Budget } from './budget.ts';
import type { Lead } from './places.ts';

/** What a manifest, or one envelope of it, turned out to be. */
export type Candidate = {
  /** Of the manifest. */
  readonly digest: Digest;
  /** Which it is, where the manifest holds several. */
  readonly envelope?: { readonly digest: Digest; readonly index: number };
} & (
  | {
      readonly kind: 'signature';
      readonly format: SignatureFormat;
      readonly untrusted: UntrustedEnvelope;
    }
  /** A signature by its shape, of a family that could prove none of the rule's identities. */
  | { readonly kind: 'foreign'; readonly format: SignatureFormat }
  /** A signature by its shape that can't be one: counts as untrusted. */
  | {
      readonly kind: 'broken';
      readonly format: string;
      readonly because: string;
      /** It follows from its bytes: the next look would find the same. */
      readonly isLasting: boolean;
    }
  /** It could not be fetched: counts as inconclusive. */
  | { readonly kind: 'unfetched'; readonly because: string }
  /** Something else that refers to the subject, such as an SBOM, or to another subject. */
  | { readonly kind: 'other'; readonly because: string; readonly isLasting: boolean }
);

/** A layer that by the shape of its manifest is an envelope. */
export interface EnvelopeLead {
  readonly path: RepositoryPath;
  readonly manifest: Digest;
  readonly format: SignatureFormat;
  readonly layer: Descriptor;
  readonly index: number;
  /** Whether the manifest has others. */
  readonly isSeveral: boolean;
}

/** The envelopes of a manifest, which are still to be read. */
export interface Envelopes {
  readonly kind: 'envelopes';
  readonly envelopes: readonly EnvelopeLead[];
  /** How many more there are than are read of one manifest. */
  readonly omitted: number;
}

export interface ReadFrom {
  readonly source: ContentSource;
  /** Every format, also those that could prove none of the rule's identities. */
  readonly formats: readonly SignatureFormat[];
  readonly isWanted: (format: SignatureFormat) => boolean;
  readonly budget: Budget;
  /** The longest that one manifest or envelope may take, in milliseconds. */
  readonly readMs: number;
  /** Envelopes that are read at most of one manifest. */
  readonly maxEnvelopes: number;
}

/** Reads the manifest that a lead names, and what it is. Never rejects. */
export async function readLead(
  lead: Lead,
  subject: Digest,
  from: ReadFrom,
): Promise<Candidate | Envelopes> {
  const { digest } = lead;
  try {
    const bytes = lead.bytes ?? (await fetchBytes(lead, from));
    if (bytes === undefined) {
      const because = 'listed, but it does not exist';
      return { kind: 'other', digest, because, isLasting: false };
    }
    from.budget.noteBytes(bytes.byteLength);
    return recognize(bytes, lead, subject, from);
  } catch (error) {
    return toFailedCandidate(error, digest);
  }
}

async function fetchBytes(
  { path, digest }: Lead,
  { source, budget, readMs }: ReadFrom,
): Promise<Uint8Array | undefined> {
  return inTime(readMs, budget.signal, async (signal) => {
    // Also where a source does not heed its signal.
    const content = await abortable(source.fetchManifest(path, { digest }, signal), signal);
    return content?.bytes;
  });
}

function recognize(
  bytes: Uint8Array,
  lead: Lead,
  subject: Digest,
  { formats, isWanted, maxEnvelopes }: ReadFrom,
): Candidate | Envelopes {
  const { path, digest, isTagged } = lead;
  const other = (because: string): Candidate => ({
    kind: 'other',
    digest,
    because,
    isLasting: true,
  });
  // By its bytes alone: a Content-Type is under no digest, and says nothing of a signature.
  const manifest = readManifest(bytes, undefined);
  // A list of referrers is a hint. Without a subject only the tag and the payload bind it.
  const stated = manifest.subject?.digest;
  if (stated === undefined && !isTagged) return other('it names no subject');
  if (stated !== undefined && stated !== subject) return other('its subject is another');
  if (manifest.kind === 'index') return other('an index is not a signature');
  for (const format of formats) {
    const layers = format.envelopesOf(manifest);
    if (layers.length === 0) continue;
    if (!isWanted(format)) return { kind: 'foreign', digest, format };
    const isSeveral = layers.length > 1;
    const envelopes = layers
      .slice(0, maxEnvelopes)
      .map((layer, index) => ({ path, manifest: digest, format, layer, index, isSeveral }));
    return { kind: 'envelopes', envelopes, omitted: layers.length - envelopes.length };
  }
  return toUnrecognized(manifest, digest, formats);
}

/** What has a signature's type and not its shape is a signature that is broken. */
function toUnrecognized(
  manifest: ImageManifest,
  digest: Digest,
  formats: readonly SignatureFormat[],
): Candidate {
  const type = artifactTypeOf(manifest) ?? '';
  if (!formats.some(({ artifactTypes }) => artifactTypes.includes(type))) {
    return { kind: 'other', digest, because: `not a signature: ${quoted(type)}`, isLasting: true };
  }
  const because = `not the shape of ${quoted(type)}`;
  return { kind: 'broken', digest, format: 'unrecognized', because, isLasting: true };
}

export function toFailedCandidate(error: unknown, digest: Digest): Candidate {
  if (error instanceof MalformedError) {
    const because = error.message;
    return { kind: 'broken', digest, format: 'unrecognized', because, isLasting: true };
  }
  const because = error instanceof TaggedError ? error.message : `it failed: ${messageOf(error)}`;
  return { kind: 'unfetched', digest, because };
}
