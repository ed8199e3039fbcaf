import { join } from 'node:path';
import { isNonEmpty, type NonEmpty } from '../kernel/non-empty.ts';
import { AirgapError } from './airgap-error.ts';
import { readSmall } from './metadata-files.ts';
import {
  keyIdsOf,
  maxMetadataBytes,
  readRole,
  type RoleMetadata,
  signersOf,
  streamOf,
  thresholdOf,
} from './metadata-model.ts';
import type { BundleRole } from './metadata-state.ts';

/** Years of a rotation a week. */
const maxRootSteps = 1_024;

/** Throws `AirgapError`, METADATA_SIGNATURE, where fewer than the threshold of keys signed. */
export function assertSigned(root: RoleMetadata<'root'>, signed: RoleMetadata, by = ''): void {
  const threshold = thresholdOf(root, signed.role);
  const signers = signersOf(root, signed);
  if (signers.length >= threshold) return;
  const keys = `${threshold} of the ${signed.role} keys of root ${root.version}`;
  throw new AirgapError(
    'METADATA_SIGNATURE',
    `the ${signed.role} metadata${by}, version ${signed.version}, are signed by ${signers.length}, not by ${keys}`,
  );
}

/**
 * From the trusted root to the newest that the folder leads to (TUF specification, section 5.3):
 * each is signed by the thresholds of the one before and of itself. Roots on the way may have
 * expired. Throws `AirgapError`.
 */
export async function followRoots(
  folder: string,
  trustedRoot: Uint8Array,
): Promise<NonEmpty<RoleMetadata<'root'>>> {
  const first = readRole('root', trustedRoot);
  assertSigned(first, first, ' that are to be trusted');
  await assertSameStream(folder, first);
  const chain = [first];
  for (let last = first; chain.length <= maxRootSteps;) {
    const next = await readRoot(folder, last.version + 1);
    if (next === undefined) break;
    checkStep(last, next);
    chain.push(next);
    last = next;
  }
  if (!isNonEmpty(chain) || chain.length > maxRootSteps) {
    throw new AirgapError('METADATA_MALFORMED', `there are more than ${maxRootSteps} new roots`);
  }
  return chain;
}

/** The newest of a stream's roots; the same for roots at hand, the first one of which is trusted. */
export function lastOfRoots(roots: NonEmpty<Uint8Array>): RoleMetadata<'root'> {
  const [first, ...rest] = roots;
  let last = readRole('root', first);
  assertSigned(last, last);
  for (const bytes of rest) {
    const next = readRole('root', bytes);
    checkStep(last, next);
    last = next;
  }
  return last;
}

/** Undefined where the folder has none of that version. */
export async function readRoot(
  folder: string,
  version: number,
): Promise<RoleMetadata<'root'> | undefined> {
  const file = join(folder, `${version}.root.json`);
  const bytes = await readSmall(file, maxMetadataBytes.root, 'METADATA_MALFORMED');
  return bytes && readRole('root', bytes);
}

/**
 * Whether keys were taken back that vouched for what was seen: they may have been stolen. Only where
 * those that stayed are too few by themselves; otherwise all that they ever signed would count
 * again, for whoever has kept it.
 */
export function wereRotated(
  chain: NonEmpty<RoleMetadata<'root'>>,
  ...roles: readonly BundleRole[]
): boolean {
  return roles.some((role) => wasRotated(chain, role));
}

function wasRotated(chain: NonEmpty<RoleMetadata<'root'>>, role: BundleRole): boolean {
  const last = chain.at(-1) ?? chain[0];
  const stayed = new Set(keyIdsOf(last.metadata.signed, role));
  const before = new Set(
    chain.filter((root) => root !== last).flatMap((root) => keyIdsOf(root.metadata.signed, role)),
  );
  const isLost = [...before].some((id) => !stayed.has(id));
  return isLost && [...before].filter((id) => stayed.has(id)).length < thresholdOf(last, role);
}

/** Its own copy of the trusted root tells whose it is; without this, only signatures would fail. */
async function assertSameStream(folder: string, trusted: RoleMetadata<'root'>): Promise<void> {
  const copy = await readRoot(folder, trusted.version).catch((error: unknown) => {
    if (error instanceof AirgapError && error.code === 'METADATA_MALFORMED') return undefined;
    throw error;
  });
  if (copy !== undefined) checkStream(trusted, copy);
}

function checkStream(trusted: RoleMetadata<'root'>, other: RoleMetadata<'root'>): void {
  const [mine, theirs] = [streamOf(trusted), streamOf(other)];
  if (mine === theirs) return;
  throw new AirgapError('STREAM_MISMATCH', `the bundle is of stream ${theirs}, trusted is ${mine}`);
}

function checkStep(last: RoleMetadata<'root'>, next: RoleMetadata<'root'>): void {
  assertSigned(last, next);
  assertSigned(next, next);
  checkStream(last, next);
  if (next.version === last.version + 1) return;
  throw new AirgapError(
    next.version <= last.version ? 'METADATA_ROLLBACK' : 'METADATA_MISMATCH',
    `${last.version + 1}.root.json has version ${next.version}`,
  );
}
