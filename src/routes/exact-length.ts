import { Transform, type TransformCallback } from 'node:stream';

/**
 * Passes exactly `size` bytes, and fails with the first one more, or at an end that is too early:
 * the length was promised in a header, and what is beyond it would be read as the next answer.
 */
export function exactLength(size: number): Transform {
  let passed = 0;
  return new Transform({
    transform(chunk: Uint8Array, _encoding, done: TransformCallback) {
      passed += chunk.byteLength;
      if (passed > size) done(new Error(`the stream has more than ${size} bytes`));
      else done(null, chunk);
    },
    flush(done: TransformCallback) {
      if (passed < size) done(new Error(`the stream ended after ${passed} of ${size} bytes`));
      else done();
    },
  });
}
