import { cosignSimpleSigning } from './cosign-simple-signing.ts';
import { dsseAttestation } from './dsse-attestation.ts';
import { notationCose } from './notation-cose.ts';
import { notationJws } from './notation-jws.ts';
import { sigstoreBundle } from './sigstore-bundle.ts';
import type { SignatureFormat } from './signature-format.ts';

/** Every signature format the proxy knows. To add one: write its file, add its line. */
export const signatureFormats = [
  notationJws,
  notationCose,
  sigstoreBundle,
  cosignSimpleSigning,
  dsseAttestation,
] as const satisfies readonly SignatureFormat[];
