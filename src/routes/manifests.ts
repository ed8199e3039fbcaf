import type { TrustedManifest } from '../gate/trusted-content.ts';
import type { Reference } from '../oci/reference.ts';
import type { Repository } from '../oci/repository.ts';
import { accepts } from './accept.ts';
import { findOut } from './cold-work.ts';
import { checkConditions, etagOf } from './conditions.ts';
import { identityHeaders } from './content-headers.ts';
import { cutRestIfDenied } from './cut-denied.ts';
import { type Exchange, isHead, sendHead, sendWhole } from './exchange.ts';
import type { NamedRepository } from './names.ts';
import { RequestError } from './request-error.ts';

/**
 * distribution-spec, Pulling Manifests. The gate decides before any condition of the request is
 * looked at: 304 too says that the content may be used.
 */
export function answerManifest(
  exchange: Exchange,
  { repository }: NamedRepository,
  reference: Reference,
): Promise<void> | undefined {
  const { gate } = exchange.services;
  const known = gate.manifestAtHand(repository, reference);
  if (known === undefined) return admitFirst(exchange, repository, reference);
  sendManifest(exchange, repository, known);
  return undefined;
}

async function admitFirst(
  exchange: Exchange,
  repository: Repository,
  reference: Reference,
): Promise<void> {
  const { gate } = exchange.services;
  const admit = () => gate.admitManifest(repository, reference, exchange.signal);
  sendManifest(exchange, repository, await findOut(exchange, admit));
}

function sendManifest(exchange: Exchange, repository: Repository, manifest: TrustedManifest): void {
  const { descriptor, bytes } = manifest;
  const { headers } = exchange.request;
  if (!accepts(headers.accept, descriptor.mediaType)) {
    const message = `the manifest is ${descriptor.mediaType}, which the Accept header excludes`;
    throw new RequestError(404, 'MANIFEST_UNKNOWN', message, { Vary: 'Accept' });
  }
  const outgoing = identityHeaders(exchange, manifest);
  const outcome = checkConditions(headers, etagOf(descriptor.digest));
  if (outcome === 'failed') {
    throw new RequestError(412, 'MANIFEST_UNKNOWN', 'the manifest is not the one in If-Match');
  }
  if (outcome === 'not-modified') {
    sendHead(exchange, 304, outgoing);
    exchange.response.end();
    return;
  }
  outgoing['Content-Type'] = descriptor.mediaType;
  if (!isHead(exchange)) {
    const { metrics } = exchange.services;
    metrics.count('assay_bytes_served_total', { kind: 'manifest' }, bytes.byteLength);
  }
  sendWhole(exchange, 200, outgoing, bytes);
  cutRestIfDenied(exchange, { repository, content: manifest });
}
