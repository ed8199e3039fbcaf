import type { OutgoingHttpHeaders } from 'node:http';
import type { ByteRange, OpenedRange, TrustedBlob } from '../gate/trusted-content.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import type { Digest } from '../oci/digest.ts';
import { isManifestMediaType, mediaTypes } from '../oci/media-types.ts';
import type { Repository } from '../oci/repository.ts';
import { findOut } from './cold-work.ts';
import { allowsRange, checkConditions, etagOf } from './conditions.ts';
import { identityHeaders } from './content-headers.ts';
import { cutRestIfDenied, type SentContent } from './cut-denied.ts';
import { type Exchange, isHead, sendHead, sendWhole } from './exchange.ts';
import { isHandedOver } from './hand-over.ts';
import type { NamedRepository } from './names.ts';
import { parseRange } from './range.ts';
import { RequestError } from './request-error.ts';
import { streamBody } from './stream-body.ts';

/** distribution-spec, Pulling Blobs. The gate decides before any condition or range is looked at. */
export function answerBlob(
  exchange: Exchange,
  { repository }: NamedRepository,
  digest: Digest,
): Promise<void> | undefined {
  const known = exchange.services.gate.blobAtHand(repository, digest);
  if (known === undefined) return admitFirst(exchange, repository, digest);
  return sendBlob(exchange, repository, known);
}

async function admitFirst(
  exchange: Exchange,
  repository: Repository,
  digest: Digest,
): Promise<void> {
  const { gate } = exchange.services;
  const admit = () => gate.admitBlob(repository, digest, exchange.signal);
  await sendBlob(exchange, repository, await findOut(exchange, admit));
}

function sendBlob(
  exchange: Exchange,
  repository: Repository,
  blob: TrustedBlob,
): Promise<void> | undefined {
  const { headers } = exchange.request;
  const etag = etagOf(blob.descriptor.digest);
  const outcome = checkConditions(headers, etag);
  if (outcome === 'failed') {
    throw new RequestError(412, 'BLOB_UNKNOWN', 'the blob is not the one in If-Match');
  }
  const outgoing = identityHeaders(exchange, blob);
  if (blob.bytes !== undefined || blob.openRange !== undefined) outgoing['Accept-Ranges'] = 'bytes';
  if (outcome === 'not-modified') {
    sendHead(exchange, 304, outgoing);
    exchange.response.end();
    return undefined;
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
  const bytes = bytesOf(exchange, blob);
  const sent = { repository, content: blob };
  if (bytes === undefined) return sendStream(exchange, sent, outgoing, range);
  sendBytes(exchange, bytes, outgoing, range);
  cutRestIfDenied(exchange, sent);
  return undefined;
}

/** Where they are in memory. HEAD reads nothing. */
function bytesOf(exchange: Exchange, blob: TrustedBlob): Uint8Array | undefined {
  if (blob.bytes !== undefined || isHead(exchange)) return blob.bytes;
  return blob.bytesNow?.();
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
  const status = describeRange(headers, range, bytes.byteLength);
  if (!isHead(exchange)) {
    const { metrics } = exchange.services;
    metrics.count('assay_bytes_served_total', { kind: 'blob' }, part.byteLength);
  }
  sendWhole(exchange, status, headers, part);
}

async function sendStream(
  exchange: Exchange,
  sent: SentContent & { readonly content: TrustedBlob },
  headers: OutgoingHttpHeaders,
  range: ByteRange | undefined,
): Promise<void> {
  if (await isHandedOver(exchange, sent, headers)) return;
  const blob = sent.content;
  const { size } = blob.descriptor;
  if (isHead(exchange)) {
    headers['Content-Length'] = size;
    sendHead(exchange, 200, headers);
    exchange.response.end();
    return;
  }
  const open = (signal: AbortSignal): Promise<OpenedRange> => openPart(blob, range, signal);
  await streamBody(exchange, open, sent, ({ range: given }) => {
    const length = given === undefined ? size : given.last - given.first + 1;
    headers['Content-Length'] = length;
    sendHead(exchange, describeRange(headers, given, size), headers);
    return length;
  });
}

/** The whole is an answer to any range (RFC 9110, section 14.2): it is what can be verified now. */
async function openPart(
  blob: TrustedBlob,
  range: ByteRange | undefined,
  signal: AbortSignal,
): Promise<OpenedRange> {
  if (range !== undefined && blob.openRange !== undefined) return blob.openRange(range, signal);
  return { stream: await blob.open(signal), range: undefined };
}

/** The status for what is sent, and the header that goes with it. */
function describeRange(
  headers: OutgoingHttpHeaders,
  range: ByteRange | undefined,
  size: number,
): 200 | 206 {
  if (range === undefined) return 200;
  headers['Content-Range'] = `bytes ${range.first}-${range.last}/${size}`;
  return 206;
}
