import { type ReadApart, readEnvelope } from '../../src/formats/sigstore/read-apart.ts';

/** Reads large envelopes where the test runs. */
export const readHere: ReadApart = async (task) => readEnvelope(task);
