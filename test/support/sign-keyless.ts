import { createHash, type KeyObject, sign } from 'node:crypto';
import { legacyAnnotations } from '../../src/formats/sigstore/legacy-annotations.ts';
import type { Descriptor } from '../../src/oci/descriptor.ts';
import { referrersTag } from '../../src/oci/digest.ts';
import { mediaTypes } from '../../src/oci/media-types.ts';
import { type Artifact, buildBlob, type BuiltBlob, buildManifest } from './build-image.ts';
import { cosignPayload } from './cosign-payload.ts';
import { issueLeaf, type LeafPlan } from './sigstore-leaf.ts';
import { type LoggedEntry, makeSigstoreLog, type SigstoreLog } from './sigstore-log.ts';
import { timestampResponse, timestampToken } from './sign-timestamp.ts';
import { makeChain, toPem } from './test-ca.ts';
import { testKey } from './test-keys.ts';

/** Who signs what and when; without overrides cosign 2 would write the same. */
export interface KeylessPlan extends Omit<LeafPlan, 'key'> {
  readonly of: Descriptor;
  /** What the payload names; `ghcr.io/acme/app` unless told. */
  readonly reference?: string;
  readonly key?: KeyObject;
  /** One that the root has unless told. */
  readonly log?: SigstoreLog | 'absent';
  /** What stands in the annotation in place of the log's answer. */
  readonly entry?: (entry: LoggedEntry) => LoggedEntry;
  /** A timestamp of the authority `clock`, at the time of the signature. */
  readonly timestamp?: true;
  /** The certificates beside the leaf; those of the authority unless told. */
  readonly issuers?: readonly string[];
}

const layerType = 'application/vnd.dev.cosign.simplesigning.v1+json';

/** One layer under the tag `.sig`, made without any of the code that reads it. */
export function keylessLayer(plan: KeylessPlan): BuiltBlob {
  const { of, reference, at, log = makeSigstoreLog(), key = testKey('EC-256', 'keyless') } = plan;
  const { authority = 'acme', entry = (same) => same } = plan;
  const payload = cosignPayload({
    digest: of.digest,
    ...(reference !== undefined && { reference }),
  });
  const signature = sign('sha256', payload, key);
  const leaf = toPem(issueLeaf({ ...plan, key }));
  const {
    issuers = makeChain({ authority })
      .certificates.slice(1)
      .map(({ pem }) => pem),
  } = plan;
  const logged =
    log === 'absent' ? undefined : entry(log.append(entryBody(payload, signature, leaf), at));
  const blob = buildBlob(layerType, payload);
  const annotations = {
    [legacyAnnotations.signature]: signature.toString('base64'),
    [legacyAnnotations.certificate]: leaf,
    [legacyAnnotations.chain]: issuers.join(''),
    ...(logged && log !== 'absent' && { [legacyAnnotations.bundle]: promiseOf(logged, log) }),
    ...(plan.timestamp && { [legacyAnnotations.timestamp]: stampOf(signature, at) }),
  };
  return { ...blob, descriptor: { ...blob.descriptor, annotations } };
}

/** What lies under the tag of a subject. */
export function keylessSignature(layers: readonly BuiltBlob[]): Artifact {
  return buildManifest({ config: buildBlob(mediaTypes.ociConfig, '{}'), layers });
}

export function signatureTag({ digest }: Descriptor): string {
  return `${referrersTag(digest)}.sig`;
}

function entryBody(payload: Uint8Array, signature: Buffer, leaf: string): Buffer {
  const value = createHash('sha256').update(payload).digest('hex');
  const publicKey = { content: Buffer.from(leaf).toString('base64') };
  const spec = {
    data: { hash: { algorithm: 'sha256', value } },
    signature: { content: signature.toString('base64'), publicKey },
  };
  return Buffer.from(JSON.stringify({ apiVersion: '0.0.1', kind: 'hashedrekord', spec }));
}

function promiseOf(entry: LoggedEntry, { logId }: SigstoreLog): string {
  return JSON.stringify({
    SignedEntryTimestamp: entry.promise.toString('base64'),
    Payload: {
      body: entry.body.toString('base64'),
      integratedTime: entry.integratedTimeSeconds,
      logIndex: entry.logIndex,
      logID: logId.toString('hex'),
    },
  });
}

function stampOf(signature: Uint8Array, at: Date): string {
  const genTime = at.toISOString().replace(/\.\d+|[-:T]/g, '');
  const response = timestampResponse(timestampToken(signature, { genTime }));
  return JSON.stringify({ SignedRFC3161Timestamp: Buffer.from(response).toString('base64') });
}
