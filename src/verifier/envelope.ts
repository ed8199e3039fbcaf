import { abortable, inTime } from '../kernel/abort.ts';
import { readNamedBytes } from '../oci/named-bytes.ts';
import {
  type Candidate,
  type EnvelopeLead,
  type ReadFrom,
  toFailedCandidate,
} from './candidate.ts';

/** Whether the envelope weighs more than one of its format may: then it is not fetched. */
export function isTooLarge({ format, layer }: EnvelopeLead): boolean {
  return layer.size > format.maxEnvelopeBytes;
}

/** Fetches an envelope, hashed before anybody looks into it. Never rejects. */
export async function readEnvelope(lead: EnvelopeLead, from: ReadFrom): Promise<Candidate> {
  const { manifest, format, layer, index, isSeveral } = lead;
  const envelope = isSeveral ? { envelope: { digest: layer.digest, index } } : {};
  const common = { digest: manifest, ...envelope };
  const broken = (because: string, isLasting: boolean): Candidate => ({
    ...common,
    kind: 'broken',
    format: format.id,
    because,
    isLasting,
  });
  if (isTooLarge(lead)) {
    return broken(`its envelope is larger than ${format.maxEnvelopeBytes} bytes`, true);
  }
  try {
    const bytes = await fetchEnvelope(lead, from);
    if (bytes === 'absent') return broken(`its envelope ${layer.digest} does not exist`, false);
    if (bytes !== 'other bytes') {
      const untrusted = { bytes, annotations: layer.annotations ?? {} };
      return { ...common, kind: 'signature', format, untrusted };
    }
    // The upstream's answer is wrong, not the signature: another try may bring the right bytes.
    const because = `the upstream's bytes of envelope ${layer.digest} are not what the digest names`;
    return { ...common, kind: 'unfetched', because };
  } catch (error) {
    return { ...toFailedCandidate(error, manifest), ...envelope };
  }
}

async function fetchEnvelope(
  { path, layer }: EnvelopeLead,
  { source, budget, readMs }: ReadFrom,
): Promise<Uint8Array | 'absent' | 'other bytes'> {
  return inTime(readMs, budget.signal, async (signal) => {
    const blob = await abortable(source.openBlob(path, layer.digest, signal), signal);
    if (blob === undefined) return 'absent';
    try {
      // An answer of another length is wrong before its first byte comes.
      if (blob.size !== undefined && blob.size !== layer.size) return 'other bytes';
      return (await abortable(readNamedBytes(blob.stream, layer), signal)) ?? 'other bytes';
    } finally {
      blob.stream.destroy();
    }
  });
}
