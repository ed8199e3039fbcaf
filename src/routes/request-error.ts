import type { OutgoingHttpHeaders } from 'node:http';
import { TaggedError } from '../kernel/tagged-error.ts';
import type { OciErrorCode } from '../oci/error-code.ts';

/** The request can't be answered as it stands, and the client is told so. */
export class RequestError extends TaggedError<OciErrorCode> {
  readonly status: number;
  readonly headers: OutgoingHttpHeaders;

  constructor(
    status: number,
    code: OciErrorCode,
    message: string,
    headers: OutgoingHttpHeaders = {},
  ) {
    super(code, message);
    this.status = status;
    this.headers = headers;
  }
}
