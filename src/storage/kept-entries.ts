import { type Digest, parseDigest } from '../oci/digest.ts';
import type { KeyValue } from './key-value.ts';

/** A kept manifest or small blob, as its key tells. */
export interface KeptEntry {
  readonly key: string;
  readonly digest: Digest | undefined;
  readonly bytes: number;
}

/** More than any ledger keeps. */
const maxEntries = 500_000;

/** All that manifest stores keep in it: keys are `kept/KIND/PLACE/DIGEST/BYTES`. */
export async function listKept(values: Pick<KeyValue, 'keys'>): Promise<readonly KeptEntry[]> {
  const keys = await values.keys('kept/', maxEntries);
  return keys.map((key) => {
    const [digest = '', bytes] = key.split('/').slice(-2);
    return { key, digest: parseDigest(digest), bytes: Number(bytes) };
  });
}
