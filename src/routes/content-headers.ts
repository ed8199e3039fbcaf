import type { OutgoingHttpHeaders } from 'node:http';
import type { Admission } from '../gate/trusted-content.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import { etagOf } from './conditions.ts';
import type { Exchange } from './exchange.ts';
import { toWarnings } from './header-text.ts';

interface Served {
  readonly descriptor: Descriptor;
  readonly admission: Admission;
}

/**
 * The headers that name content, for 200, 206 and 304 alike. A cache may keep it but asks each
 * time, since the verdict may have changed; nobody may re-encode it, since its bytes are signed.
 */
export function identityHeaders(
  exchange: Exchange,
  { descriptor, admission }: Served,
): OutgoingHttpHeaders {
  const headers: OutgoingHttpHeaders = {
    'Docker-Content-Digest': descriptor.digest,
    ETag: etagOf(descriptor.digest),
    'Cache-Control': 'no-cache, no-transform',
    'X-Content-Type-Options': 'nosniff',
  };
  if (exchange.named !== undefined) headers['OCI-Namespace'] = exchange.named.repository.upstream;
  const warnings = toWarnings(admission.warnings);
  if (warnings.length > 0) headers['Warning'] = [...warnings];
  return headers;
}
