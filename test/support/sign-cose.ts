import { type Cbor, encodeCbor, entries, rawBytes, tagged } from './cbor-encoder.ts';
import { signBytes } from './sign-bytes.ts';
import type { SignedContent } from './sign-notation.ts';

type Pairs = readonly (readonly [label: Cbor, value: Cbor])[];

export interface CoseOverrides {
  /** Of the whole; 18 (COSE_Sign1) unless told. */
  readonly tag?: number | 'absent';
  /** Changes the protected header's pairs before it is encoded and signed: other order, duplicates. */
  readonly protectedPairs?: (pairs: Pairs) => Pairs;
  /** Changes the protected header's bytes before signing. */
  readonly protectedBytes?: (bytes: Uint8Array) => Uint8Array;
  /** Changes the protected header as it stands in the envelope, after signing. */
  readonly protectedInEnvelope?: (bytes: Uint8Array) => Cbor;
  readonly unprotectedPairs?: (pairs: Pairs) => Pairs;
  /** The payload as it stands in the envelope, after signing; `null` detaches it. */
  readonly payloadInEnvelope?: (payload: Uint8Array) => Cbor;
  /** `single`: one certificate as a bare byte string (RFC 9360 wants that, notation does not). */
  readonly x5chain?: 'list' | 'single' | 'in-protected';
  /** Changes the four parts of the array. */
  readonly parts?: (parts: readonly Cbor[]) => readonly Cbor[];
  /** Changes the envelope's bytes. */
  readonly envelopeBytes?: (bytes: Uint8Array) => Uint8Array;
}

/** RFC 9053, 2.1 and 2.2; RFC 8230, 2. */
const labelOf = { ES256: -7, ES384: -35, ES512: -36, PS256: -37, PS384: -38, PS512: -39 } as const;

/** A COSE_Sign1 (signature-envelope-cose; RFC 9052, 4.2 and 4.4). */
export function buildCose(content: SignedContent): Uint8Array {
  const { chain, header, payload, overrides } = content;
  const { cose = {} } = overrides;
  const keepBytes = (bytes: Uint8Array): Uint8Array => bytes;
  const keepPairs = (pairs: Pairs): Pairs => pairs;
  const pairs = (cose.protectedPairs ?? keepPairs)(protectedPairsOf(content));
  const protectedBytes = (cose.protectedBytes ?? keepBytes)(encodeCbor(entries(pairs)));
  const input = encodeCbor(['Signature1', protectedBytes, new Uint8Array(), payload]);
  const key = overrides.signWith ?? chain.privateKey;
  const signature = (overrides.signature ?? keepBytes)(signBytes(header.algorithm, key, input));
  const unprotected = (cose.unprotectedPairs ?? keepPairs)(unprotectedPairsOf(content, signature));
  const parts: readonly Cbor[] = [
    (cose.protectedInEnvelope ?? keepBytes)(protectedBytes),
    entries(unprotected),
    (cose.payloadInEnvelope ?? keepBytes)(payload),
    signature,
  ];
  const list = (cose.parts ?? ((same) => same))(parts);
  const { tag = 18 } = cose;
  const bytes = encodeCbor(tag === 'absent' ? list : tagged(tag, list));
  return (cose.envelopeBytes ?? keepBytes)(bytes);
}

function protectedPairsOf({ chain, header, overrides }: SignedContent): Pairs {
  const {
    statedAlgorithm = labelOf[header.algorithm],
    cose,
    certificates = chain.ders,
  } = overrides;
  const pairs: (readonly [Cbor, Cbor])[] = [];
  if (statedAlgorithm !== 'absent') pairs.push([1, statedAlgorithm]);
  if (header.crit !== 'absent') pairs.push([2, header.crit]);
  if (header.contentType !== 'absent') pairs.push([3, header.contentType]);
  if (cose?.x5chain === 'in-protected') pairs.push([33, certificates]);
  return [...pairs, ...header.members];
}

function unprotectedPairsOf({ chain, overrides }: SignedContent, signature: Uint8Array): Pairs {
  const { certificates = chain.ders, cose, unprotected = {}, timestamp } = overrides;
  const members = new Map<Cbor, Cbor>([
    [33, cose?.x5chain === 'single' ? rawBytes(encodeCbor(certificates[0])) : certificates],
    ['io.cncf.notary.signingAgent', 'assay-test/1.0'],
  ]);
  if (cose?.x5chain === 'in-protected') members.delete(33);
  if (timestamp !== undefined) {
    members.set('io.cncf.notary.timestampSignature', timestamp(signature));
  }
  for (const [name, value] of Object.entries(unprotected)) {
    const label = name === 'x5chain' ? 33 : name;
    if (value === undefined) members.delete(label);
    else members.set(label, value);
  }
  return [...members];
}
