import { pipeline, Readable } from 'node:stream';
import type { Descriptor } from '../oci/descriptor.ts';
import type { Digest } from '../oci/digest.ts';
import { mediaTypes } from '../oci/media-types.ts';
import { type Repository, scopeOf } from '../oci/repository.ts';
import type { Verifier } from '../verifier/verifier.ts';
import { admit, refuse } from './admission.ts';
import type { Absences } from './absences.ts';
import type { Decisions } from './decision.ts';
import type { HotContent } from './hot-content.ts';
import { NotFoundError } from './gate-error.ts';
import { openerOf, type PartDependencies } from './part.ts';
import type { TrustedBlob, TrustedManifest } from './trusted-content.ts';
import type { AdmitManifest, UnreadChildren } from './unread.ts';
import { fromUpstream } from './upstream-failure.ts';
import { onlyStatement } from './statement-bytes.ts';
import { isForStatements, type Voucher, type Vouchers, type Vouching } from './voucher.ts';

export interface BlobDependencies extends PartDependencies {
  readonly vouchers: Vouchers;
  readonly decisions: Decisions;
  readonly absences: Absences;
  readonly unread: UnreadChildren;
  readonly admitManifest: AdmitManifest;
  readonly verifier: Verifier;
  readonly hot: HotContent<TrustedBlob>;
}

/** What was admitted a moment ago and still is; see `Gate.blobAtHand`. */
export function blobAtHand(
  repository: Repository,
  digest: Digest,
  { hot }: Pick<BlobDependencies, 'hot'>,
): TrustedBlob | undefined {
  return hot.get(scopeOf(repository), digest);
}

/**
 * Default deny: a blob is served only as a part of what was admitted in that repository. A
 * manifest asked for as a blob follows the rules of manifests.
 */
export async function admitBlob(
  repository: Repository,
  digest: Digest,
  signal: AbortSignal,
  dependencies: BlobDependencies,
): Promise<TrustedBlob> {
  const generation = dependencies.verifier.generation();
  const vouching = await vouchFor(repository, digest, signal, dependencies);
  const { voucher } = vouching;
  if (voucher?.part !== undefined && voucher.role === 'blob') {
    const admitted = admitPart(repository, voucher, voucher.part, dependencies);
    dependencies.hot.set(scopeOf(repository), admitted, generation);
    return admitted;
  }
  const manifest = await dependencies.admitManifest(repository, digest, signal);
  if (manifest !== undefined) return manifestAsBlob(manifest);
  return refuseBlob(repository, digest, vouching, signal, dependencies);
}

async function vouchFor(
  repository: Repository,
  digest: Digest,
  signal: AbortSignal,
  dependencies: BlobDependencies,
): Promise<Vouching> {
  const { vouchers } = dependencies;
  const known = await vouchers.inForce(repository, digest, 'any');
  if (known.voucher !== undefined) return known;
  const renewed = await vouchers.renewed(repository, digest, 'any', signal);
  if (renewed.voucher !== undefined) return renewed;
  const { found, unclear } = await dependencies.unread.read(repository, signal);
  const now = found ? await vouchers.inForce(repository, digest, 'any') : renewed;
  return { ...now, unclear: now.unclear ?? unclear };
}

function admitPart(
  repository: Repository,
  voucher: Voucher,
  part: Descriptor,
  dependencies: BlobDependencies,
): TrustedBlob {
  const opener = openerOf(repository, part, dependencies);
  const { open } = opener;
  if (!isForStatements(voucher)) return admit({ descriptor: part, ...opener }, voucher, 'upstream');
  // Evidence is never handed out under a media type that a client might run.
  const descriptor = { ...part, mediaType: mediaTypes.octets };
  const openStatement = async (signal: AbortSignal): Promise<Readable> =>
    pipeline(await open(signal), onlyStatement(part), () => undefined);
  return admit({ descriptor, open: openStatement }, voucher, 'upstream');
}

function manifestAsBlob(manifest: TrustedManifest): TrustedBlob {
  return { ...manifest, open: () => Promise.resolve(Readable.from([manifest.bytes])) };
}

async function refuseBlob(
  repository: Repository,
  digest: Digest,
  { refused, unclear }: Vouching,
  signal: AbortSignal,
  dependencies: BlobDependencies,
): Promise<never> {
  if (!(await exists(repository, digest, signal, dependencies))) {
    const name = `${scopeOf(repository)}@${digest}`;
    throw new NotFoundError('BLOB_UNKNOWN', `${name} does not exist upstream`);
  }
  if (unclear !== undefined) throw unclear;
  const [first, ...others] = refused;
  if (first !== undefined) return refuse([first, ...others]);
  const because = 'no admitted manifest of this repository lists it';
  return dependencies.decisions.deny(repository, digest, 'not-reachable', because);
}

/** As upstream says, or said a moment ago. */
async function exists(
  repository: Repository,
  digest: Digest,
  signal: AbortSignal,
  { source, absences }: BlobDependencies,
): Promise<boolean> {
  if (absences.isKnown('blob', repository, digest)) return false;
  if (absences.isKnown('unlisted', repository, digest)) return true;
  const asking = source(repository).statBlob(repository.path, digest, signal);
  const isThere = (await fromUpstream(asking, signal)) !== undefined;
  absences.note(isThere ? 'unlisted' : 'blob', repository, digest);
  return isThere;
}
