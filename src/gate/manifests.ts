import { type Digest, otherDigestOf } from '../oci/digest.ts';
import { MalformedError } from '../oci/malformed-error.ts';
import type { Reference, Tag } from '../oci/reference.ts';
import { type Repository, scopeOf } from '../oci/repository.ts';
import type { ContentSource } from '../upstream/content-source.ts';
import type { Verifier } from '../verifier/verifier.ts';
import { admit, withWarnings } from './admission.ts';
import type { Absences } from './absences.ts';
import type { Closure } from './closure.ts';
import type { Decisions } from './decision.ts';
import type { DeniedContent } from './denied-content.ts';
import { isReferrersList, mayNameEvidence, subjectOfTag } from './evidence.ts';
import { NotFoundError } from './gate-error.ts';
import type { HotContent } from './hot-content.ts';
import { fetchAndRead, manifestNotFound, type ReadManifest } from './manifest-reader.ts';
import type { Misses } from './misses.ts';
import type { Pinned, Pins } from './pin.ts';
import type { TagDecisions } from './tag-decisions.ts';
import type { TrustedManifest } from './trusted-content.ts';

/** Manifests through the gate: see `Gate.admitManifest` and `Gate.manifestAtHand`. */
export interface Manifests {
  atHand(repository: Repository, reference: Reference): TrustedManifest | undefined;
  admit(
    repository: Repository,
    reference: Reference,
    signal: AbortSignal,
  ): Promise<TrustedManifest>;
}

interface ManifestDependencies {
  readonly source: (repository: Repository) => ContentSource;
  readonly verifier: Verifier;
  readonly decisions: Decisions;
  readonly denied: DeniedContent;
  readonly closure: Closure;
  readonly absences: Absences;
  readonly misses: Pick<Misses, 'waive'>;
  readonly pins: Pins;
  readonly tags: TagDecisions;
  readonly hot: HotContent<TrustedManifest>;
}

export function makeManifests(dependencies: ManifestDependencies): Manifests {
  const { pins, tags, hot, misses } = dependencies;
  const findHot = (
    repository: Repository,
    digest: Digest,
    tag: Tag | undefined,
  ): TrustedManifest | undefined => {
    const known = hot.get(scopeOf(repository), digest);
    const isHere = known?.admission.by !== 'evidence' || mayNameEvidence(tag);
    return isHere ? known : undefined;
  };
  const resolve = async (
    repository: Repository,
    tag: Tag,
    signal: AbortSignal,
  ): Promise<Pinned> => {
    try {
      return await pins.resolve(repository, tag, signal);
    } catch (error) {
      // Whoever verifies what was served a moment ago asks for all that there might be about it.
      const subject = error instanceof NotFoundError ? subjectOfTag(tag) : undefined;
      if (subject && findHot(repository, subject, undefined) !== undefined) misses.waive();
      throw error;
    }
  };
  return {
    atHand(repository, reference) {
      if ('digest' in reference) return findHot(repository, reference.digest, undefined);
      const { tag } = reference;
      const digest = pins.atHand(repository, tag);
      const known = digest && findHot(repository, digest, tag);
      return known && tags.atHand(repository, tag, known);
    },
    async admit(repository, reference, signal) {
      if ('digest' in reference) {
        const { digest } = reference;
        const known = findHot(repository, digest, undefined);
        return known ?? (await decide(repository, digest, undefined, dependencies, signal));
      }
      const { tag } = reference;
      const { digest, stale } = await resolve(repository, tag, signal);
      const hotOne = findHot(repository, digest, tag);
      const known = hotOne && !tags.isOutdated(repository, hotOne) ? hotOne : undefined;
      const admitted = known ?? (await decide(repository, digest, tag, dependencies, signal));
      const served = await tags.decide(repository, tag, admitted, signal);
      return stale ? withWarnings(served, [staleWarning]) : served;
    },
  };
}

const staleWarning = 'the upstream can not be asked: this tag may have moved';

async function decide(
  repository: Repository,
  digest: Digest,
  tag: Tag | undefined,
  dependencies: ManifestDependencies,
  signal: AbortSignal,
): Promise<TrustedManifest> {
  const { verifier, decisions, denied, closure, hot } = dependencies;
  denied.assertNotDenied(repository, digest);
  const scope = scopeOf(repository);
  const generation = verifier.generation();
  const found = await read(repository, digest, dependencies, signal);
  // A registry, or whoever pulls, may choose by which algorithm it is named.
  denied.assertNotDenied(repository, otherDigestOf(found.bytes, digest));
  const voucher = await decisions.onManifest(repository, found, tag, signal);
  const { manifest, bytes, descriptor } = found;
  // The children of a list of referrers are no parts of anything: each is decided on by itself.
  const isList = voucher.by === 'evidence' && isReferrersList(manifest);
  if (!isList) await closure.record(scope, digest, manifest);
  const admitted = admit({ bytes, descriptor }, voucher, 'state');
  hot.set(scope, admitted, generation);
  return admitted;
}

async function read(
  repository: Repository,
  digest: Digest,
  { source, decisions, absences }: ManifestDependencies,
  signal: AbortSignal,
): Promise<ReadManifest> {
  if (absences.isKnown('manifest', repository, digest)) throw manifestNotFound(repository, digest);
  try {
    return await fetchAndRead(repository, digest, source(repository), signal);
  } catch (error) {
    if (error instanceof NotFoundError) absences.note('manifest', repository, digest);
    if (!(error instanceof MalformedError)) throw error;
    return decisions.deny(repository, digest, 'malformed-manifest', error.message);
  }
}
