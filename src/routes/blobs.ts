import type { OutgoingHttpHeaders } from 'node:http';
import type { TrustedBlob } from '../gate/trusted-content.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import type { Digest } from '../oci/digest.ts';
import { isManifestMediaType, mediaTypes } from '../oci/media-types.ts';
import { allowsRange, checkConditions, etagOf } from './conditions.ts';
import { identityHeaders } from './content-headers.ts';
import { beforeDeadline, type Exchange, isHead, sendHead, sendWhole } from './exchange.ts';
import type { NamedRepository } from './names.ts';
import { type ByteRange, parseRange } from './range.ts';
import { RequestError } from './request-error.ts';
import { streamBody } from './stream-body.ts';

/** distribution-spec, Pulling Blobs. The gate decides before any condition or range is looked at. */
export async function answerBlob(
  exchange: Exchange,
  { repository }: NamedRepository,
  digest: Digest,
): Promise<void> {
  const admitted = exchange.services.gate.admitBlob(repository, digest, exchange.signal);
  const blob = await beforeDeadline(exchange, admitted);
  const { headers } = exchange.request;
  const etag = etagOf(blob.descriptor.digest);
  const outcome = checkConditions(headers, etag);
  if (outcome === 'failed') {
    throw new RequestError(412, 'BLOB_UNKNOWN', 'the blob is not the one in If-Match');
  }
  const outgoing = identityHeaders(exchange, blob);
  // Only where the bytes are at hand: a part of what is yet to be fetched can't be verified.
  if (blob.bytes !== undefined) outgoing['Accept-Ranges'] = 'bytes';
  if (outcome === 'not-modified') {
    sendHead(exchange, 304, outgoing);
    exchange.response.end();
    return;
  }
  outgoing['Content-Type'] = contentTypeOf(blob.descriptor);
  // RFC 9110, 14.2: GET is the only method that a range is for.
  const rangeHeader = !isHead(exchange) && allowsRange(headers, etag) ? headers.range : undefined;
  const range = parseRange(rangeHeader, blob.descriptor.size);
  if (range === 'unsatisfiable') {
    const message = `the blob has ${blob.descriptor.size} bytes, none of them in the range`;
    throw new RequestError(416, 'SIZE_INVALID', message, {
      'Content-Range': `bytes */${blob.descriptor.size}`,
    });
  }
  if (blob.bytes === undefined) await sendStream(exchange, blob, outgoing);
  else sendBytes(exchange, blob.bytes, outgoing, range);
}

/** A manifest fetched as a blob keeps its type, by which containerd goes on; no type of others. */
function contentTypeOf({ mediaType }: Descriptor): string {
  return isManifestMediaType(mediaType) ? mediaType : mediaTypes.octets;
}

function sendBytes(
  exchange: Exchange,
  bytes: Uint8Array,
  headers: OutgoingHttpHeaders,
  range: ByteRange | undefined,
): void {
  const part = range === undefined ? bytes : bytes.subarray(range.first, range.last + 1);
  if (range !== undefined) {
    headers['Content-Range'] = `bytes ${range.first}-${range.last}/${bytes.byteLength}`;
  }
  if (!isHead(exchange)) {
    const { metrics } = exchange.services;
    metrics.count('assay_bytes_served_total', { kind: 'blob' }, part.byteLength);
  }
  sendWhole(exchange, range === undefined ? 200 : 206, headers, part);
}

async function sendStream(
  exchange: Exchange,
  blob: TrustedBlob,
  headers: OutgoingHttpHeaders,
): Promise<void> {
  headers['Content-Length'] = blob.descriptor.size;
  if (isHead(exchange)) {
    sendHead(exchange, 200, headers);
    exchange.response.end();
    return;
  }
  await streamBody(exchange, blob, () => sendHead(exchange, 200, headers));
}
