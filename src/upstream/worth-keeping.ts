import { matchesDigest } from '../oci/digest.ts';
import { MalformedError } from '../oci/malformed-error.ts';
import { readManifest } from '../oci/manifest.ts';
import type { ManifestContent } from './content-source.ts';

/**
 * The digest does not cover the Content-Type: one that does not fit the document is upstream's
 * slip of a moment, and kept it would make the manifest malformed for ever. What its own bytes
 * make malformed is so for ever, and nobody shall have it fetched at each request.
 */
export function isWorthKeeping({ bytes, digest, contentType }: ManifestContent): boolean {
  if (!matchesDigest(bytes, digest)) return false;
  try {
    return contentType === undefined || readManifest(bytes, undefined).mediaType === contentType;
  } catch (error) {
    if (error instanceof MalformedError) return true;
    throw error;
  }
}
