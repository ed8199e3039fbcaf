import { notationCose } from './notation-cose.ts';
import { notationJws } from './notation-jws.ts';
import type { SignatureFormat } from './signature-format.ts';

/** Every signature format the proxy knows. To add one: write its file, add its line. */
export const signatureFormats = [
  notationJws,
  notationCose,
] as const satisfies readonly SignatureFormat[];
