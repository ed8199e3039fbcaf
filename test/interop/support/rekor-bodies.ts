import { createHash } from 'node:crypto';

interface Proposed {
  readonly apiVersion: string;
  readonly kind: string;
  readonly spec: Readonly<Record<string, unknown>>;
}

interface Envelope {
  readonly payload: string;
  readonly signatures: readonly { readonly sig: string }[];
}

/** The body that Rekor keeps of what it is given, as its types canonicalize it (RFC 8785). */
export function toEntryBody(untyped: unknown): Buffer {
  const { apiVersion, kind, spec } = untyped as Proposed;
  const toSpec = specs[`${kind} ${apiVersion}`];
  if (toSpec === undefined) throw new TypeError(`no entries of kind ${kind} ${apiVersion}`);
  return Buffer.from(JSON.stringify({ apiVersion, kind, spec: toSpec(spec) }));
}

const specs: Readonly<Record<string, (spec: Proposed['spec']) => object>> = {
  'hashedrekord 0.0.1': (spec) => {
    const { data, signature } = spec as unknown as HashedRekord;
    const { algorithm, value } = data.hash;
    const { content, publicKey } = signature;
    return {
      data: { hash: { algorithm, value } },
      signature: { content, publicKey: { content: publicKey.content } },
    };
  },
  'dsse 0.0.1': (spec) => {
    const { envelope, verifiers } = (spec as unknown as DsseSpec).proposedContent;
    const { payload, signatures } = JSON.parse(envelope) as Envelope;
    return {
      envelopeHash: hashOf(Buffer.from(envelope)),
      payloadHash: hashOf(Buffer.from(payload, 'base64')),
      signatures: signatures.map(({ sig }, index) => ({
        signature: sig,
        verifier: verifiers[index],
      })),
    };
  },
  'intoto 0.0.1': (spec) => {
    const { content, publicKey } = spec as unknown as IntotoSpec;
    const { payload } = JSON.parse(content.envelope) as Envelope;
    return {
      content: {
        hash: hashOf(Buffer.from(content.envelope)),
        payloadHash: hashOf(Buffer.from(payload, 'base64')),
      },
      publicKey,
    };
  },
};

interface HashedRekord {
  readonly data: { readonly hash: { readonly algorithm: string; readonly value: string } };
  readonly signature: {
    readonly content: string;
    readonly publicKey: { readonly content: string };
  };
}

interface DsseSpec {
  readonly proposedContent: { readonly envelope: string; readonly verifiers: readonly string[] };
}

interface IntotoSpec {
  readonly content: { readonly envelope: string };
  readonly publicKey: string;
}

function hashOf(bytes: Uint8Array): object {
  return { algorithm: 'sha256', value: createHash('sha256').update(bytes).digest('hex') };
}
