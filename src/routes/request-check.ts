import type { IncomingMessage } from 'node:http';
import { RequestError } from './request-error.ts';

/** The connection ends with the answer: bytes that we did not read would be the next request. */
const close = { Connection: 'close' };

/**
 * The refusal of what a read-only API has no use for: other methods, bodies, and what two parsers
 * could read apart. Node's own parser has refused by now both framings together, folded headers,
 * bare line feeds and bad lengths. Undefined for a request that may be answered.
 */
export function checkRequest(request: IncomingMessage): RequestError | undefined {
  const { method, headers } = request;
  if (method !== 'GET' && method !== 'HEAD') {
    return new RequestError(405, 'UNSUPPORTED', 'this registry is read-only', {
      Allow: 'GET, HEAD',
      ...close,
    });
  }
  const length = headers['content-length'];
  if (headers['transfer-encoding'] !== undefined || (length !== undefined && length !== '0')) {
    return new RequestError(400, 'UNSUPPORTED', `a ${method} request has no body`, close);
  }
  return checkHost(request);
}

/** RFC 9112, 3.2: exactly one Host from HTTP/1.1 on. Names are looked up by it. */
function checkHost({ rawHeaders, httpVersion }: IncomingMessage): RequestError | undefined {
  let hosts = 0;
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index];
    if (name?.length === 4 && name.toLowerCase() === 'host') hosts++;
  }
  if (hosts === 1 || (hosts === 0 && httpVersion === '1.0')) return undefined;
  return new RequestError(400, 'UNSUPPORTED', 'the request has not exactly one Host header', close);
}
