import { isNonEmpty } from '../kernel/non-empty.ts';
import { messageOf } from '../kernel/tagged-error.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import { MalformedError } from '../oci/malformed-error.ts';
import { isAttestationChild, readManifest } from '../oci/manifest.ts';
import type { Decision } from '../policies/decide.ts';
import type { Verdict } from '../verdict/verdict.ts';
import type { Subject, VerifierDependencies } from './verifier.ts';

export interface PlatformsDecision {
  readonly decision: Decision;
  readonly verdicts: readonly Verdict[];
}

/** `covers: platforms`: an index may be served when each of its platform children is trusted. */
export async function verifyPlatforms(
  index: Subject,
  dependencies: VerifierDependencies,
  signal: AbortSignal,
  verify: (child: Subject) => Promise<Verdict>,
): Promise<PlatformsDecision | undefined> {
  if (index.manifest.kind !== 'index') return undefined;
  const platforms = index.manifest.manifests.filter((child) => !isAttestationChild(child));
  const { maxPlatforms } = dependencies.limits;
  if (!isNonEmpty(platforms)) return undefined;
  if (platforms.length > maxPlatforms) {
    const because = `the index has more than ${maxPlatforms} platform children`;
    return { decision: { kind: 'untrusted', reason: 'limit-exceeded', because }, verdicts: [] };
  }
  const verdicts: Verdict[] = [];
  for (const descriptor of platforms) {
    const child = await readChild(index, descriptor, dependencies, signal);
    if ('kind' in child) return { decision: child, verdicts };
    verdicts.push(await verify(child));
  }
  return { decision: combine(verdicts), verdicts };
}

async function readChild(
  index: Subject,
  descriptor: Descriptor,
  { source }: VerifierDependencies,
  signal: AbortSignal,
): Promise<Subject | Decision> {
  const { upstream, path } = index.repository;
  const { digest, mediaType } = descriptor;
  try {
    const content = await source(upstream)?.fetchManifest(path, { digest }, signal);
    if (content === undefined) {
      const because = `platform child ${digest} does not exist upstream`;
      return { kind: 'untrusted', reason: 'not-enough-signers', because };
    }
    const manifest = readManifest(content.bytes, mediaType);
    if (content.bytes.byteLength !== descriptor.size) {
      throw new MalformedError('MANIFEST_MALFORMED', 'the index says another size of it');
    }
    if (manifest.kind === 'index') {
      const because = `platform child ${digest} is an index itself, and unsigned children of children are not followed`;
      return { kind: 'untrusted', reason: 'not-enough-signers', because };
    }
    return { repository: index.repository, descriptor, manifest };
  } catch (error) {
    const because = `platform child ${digest}: ${messageOf(error)}`;
    return error instanceof MalformedError
      ? { kind: 'untrusted', reason: 'malformed-manifest', because }
      : { kind: 'inconclusive', reason: 'upstream-unavailable', because };
  }
}

function combine(verdicts: readonly Verdict[]): Decision {
  const refused =
    verdicts.find(({ kind }) => kind === 'untrusted') ??
    verdicts.find(({ kind }) => kind === 'inconclusive');
  if (refused !== undefined) {
    const because = `platform child ${refused.subject}: ${refused.because}`;
    return { kind: refused.kind, reason: refused.reason, because };
  }
  const because = `each of its ${verdicts.length} platform children is trusted`;
  return { kind: isNonEmpty(verdicts) ? 'trusted' : 'untrusted', reason: undefined, because };
}
