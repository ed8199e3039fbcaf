import type { Digest } from '../oci/digest.ts';
import type { Tag } from '../oci/reference.ts';
import { type Repository, scopeOf } from '../oci/repository.ts';
import type { Trail } from '../storage/trail.ts';
import { evidenceName, partName } from './closure.ts';
import { pinName } from './pin.ts';
import { verdictName } from './verdict-cache.ts';

/** Where a trail's names have a digest. */
const any = '*' as Digest;

/**
 * All that the state may have to say of who vouches for what is asked for: its own verdict, what it
 * is evidence about, what lists it, and the same of each of these.
 */
export function trailOf(
  repository: Repository,
  from: { readonly tag: Tag } | { readonly digest: Digest },
): Trail {
  const scope = scopeOf(repository);
  return {
    ...('tag' in from ? { start: pinName(repository, from.tag) } : from),
    read: [verdictName(scope, any)],
    followed: [evidenceName(scope, any)],
    listed: [partName(scope, any)],
  };
}
