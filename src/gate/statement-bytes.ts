import { Transform, type TransformCallback } from 'node:stream';
import type { Descriptor } from '../oci/descriptor.ts';
import { UnavailableError } from './gate-error.ts';

/**
 * Passes the bytes of evidence, and fails with the first that no statement has. Media types are
 * the publisher's word, and podman unpacks a layer by what its bytes are: so a COSE envelope
 * begins as one, and everything else is text, which no archive, program or compressed file is.
 */
export function onlyStatement(part: Pick<Descriptor, 'mediaType' | 'digest'>): Transform {
  const check = part.mediaType === 'application/cose' ? makeCoseCheck() : makeTextCheck();
  const refusal = (): UnavailableError => {
    const because = `${part.digest} is evidence by its media type, and its bytes are no statement`;
    return new UnavailableError('BAD_UPSTREAM', because);
  };
  return new Transform({
    transform(chunk: Uint8Array, _encoding, done: TransformCallback) {
      if (check.takes(chunk)) done(null, chunk);
      else done(refusal());
    },
    flush(done: TransformCallback) {
      done(check.ends() ? null : refusal());
    },
  });
}

interface BytesCheck {
  takes(chunk: Uint8Array): boolean;
  ends(): boolean;
}

/** UTF-8 without NUL. */
function makeTextCheck(): BytesCheck {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  const decodes = (chunk: Uint8Array, stream: boolean): boolean => {
    try {
      decoder.decode(chunk, { stream });
      return true;
    } catch {
      return false;
    }
  };
  return {
    takes: (chunk) => !chunk.includes(0) && decodes(chunk, true),
    ends: () => decodes(new Uint8Array(), false),
  };
}

/** COSE_Sign1 (RFC 9052, section 4.2): tag 18 over an array of four. */
const coseSign1 = [0xd2, 0x84];

function makeCoseCheck(): BytesCheck {
  let seen = 0;
  return {
    takes(chunk) {
      const expected = coseSign1.slice(seen, seen + chunk.byteLength);
      seen += chunk.byteLength;
      return expected.every((byte, index) => chunk[index] === byte);
    },
    ends: () => seen >= coseSign1.length,
  };
}
