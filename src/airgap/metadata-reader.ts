import { join } from 'node:path';
import type { NonEmpty } from '../kernel/non-empty.ts';
import { type Digest, digestOf } from '../oci/digest.ts';
import { AirgapError } from './airgap-error.ts';
import type { Sequence } from './bundle.ts';
import { metadataFolder, readSmall } from './metadata-files.ts';
import {
  keyIdsOf,
  maxMetadataBytes,
  readRole,
  type RoleMetadata,
  signersOf,
  streamOf,
  thresholdOf,
} from './metadata-model.ts';
import { assertSigned, followRoots, wereRotated } from './metadata-roots.ts';
import {
  type BundleRole,
  bundleRoles,
  type SeenMetadata,
  type TrustedMetadata,
} from './metadata-state.ts';
import { openTargets, type Targets } from './metadata-targets.ts';

export interface VerifyMetadataOptions {
  /** The bundle's folder, with `metadata/` and `targets/` in it. */
  readonly folder: string;
  readonly trusted: TrustedMetadata;
  /** What expiry is held against: the same for all roles (TUF specification, section 5.1). */
  readonly now: Date;
  /** `reported`: roles that have expired are in the answer. Refused unless told. */
  readonly expired?: 'refused' | 'reported';
}

/** A bundle that its stream's keys vouch for. */
export interface VerifiedMetadata extends Targets {
  readonly stream: string;
  /** The version of targets, snapshot and timestamp. */
  readonly sequence: Sequence;
  /** SHA-256 of the snapshot metadata: it names the bundle. */
  readonly snapshot: Digest;
  /** From the root that trust began with to the newest, byte for byte. */
  readonly roots: NonEmpty<{ readonly version: number; readonly bytes: Uint8Array }>;
  /** What trust in the next bundle is to begin with. */
  readonly trusted: TrustedMetadata & { readonly seen: SeenMetadata };
  /** `again`: this very bundle was seen last. */
  readonly news: 'new' | 'again';
  /** Keys of timestamp or snapshot were rotated: versions seen before do not count. */
  readonly recovered: boolean;
  readonly roles: Readonly<Record<BundleRole, RoleSummary>>;
  /** Roles that have expired; none unless expiry is reported. */
  readonly expired: readonly BundleRole[];
}

export interface RoleSummary {
  readonly version: number;
  readonly expires: Date;
  readonly threshold: number;
  /** Ids of its keys. */
  readonly keys: readonly string[];
  /** Of these, who signed. */
  readonly signedBy: readonly string[];
}

/**
 * The client's workflow of the TUF specification, sections 5.3 to 5.6, over a folder: roots, then
 * timestamp, snapshot and targets, each against the one before and against what was seen. Stricter
 * where our writer is: all three have one version. Throws `AirgapError`.
 */
export async function verifyMetadata(options: VerifyMetadataOptions): Promise<VerifiedMetadata> {
  const { folder, trusted } = options;
  const chain = await followRoots(metadataFolder(folder), trusted.root);
  const root = chain.at(-1) ?? chain[0];
  const recovered = wereRotated(chain, 'timestamp', 'snapshot');
  const seen = recovered ? undefined : trusted.seen;
  const notExpired = expiryCheck(options);
  notExpired(root);

  const timestamp = await readTimestamp(folder);
  assertSigned(root, timestamp);
  notBefore(timestamp, seen?.timestamp);
  notExpired(timestamp);

  const { snapshotMeta } = timestamp.metadata.signed;
  notBefore({ role: 'snapshot', version: snapshotMeta.version }, seen?.snapshot);
  const snapshot = await readVouched(folder, 'snapshot', snapshotMeta);
  assertSigned(root, snapshot);
  notExpired(snapshot);

  const targetsMeta = snapshot.metadata.signed.meta['targets.json'];
  if (targetsMeta === undefined) throw missing('targets.json');
  notBefore({ role: 'targets', version: targetsMeta.version }, seen?.targets);
  const targets = await readVouched(folder, 'targets', targetsMeta);
  assertSigned(root, targets);
  notExpired(targets);

  const all = { root, targets, snapshot, timestamp };
  const { version: sequence } = timestamp;
  assertOneVersion(all);
  const digest = digestOf(snapshot.bytes);
  const news = isAgain(seen, sequence, digest) ? 'again' : 'new';
  return {
    ...openTargets(folder, targets),
    stream: streamOf(root),
    sequence,
    snapshot: digest,
    roots: [chain[0], ...chain.slice(1)],
    trusted: {
      root: root.bytes,
      seen: { timestamp: sequence, snapshot: sequence, targets: sequence, digest },
    },
    news,
    recovered,
    roles: summarize(root, all),
    expired: bundleRoles.filter((role) => all[role].expires <= options.now),
  };
}

type AllRoles = { readonly [R in BundleRole]: RoleMetadata<R> };

/** TUF specification, sections 5.3.10, 5.4.4, 5.5.6 and 5.6.5: it must be later than the time. */
function expiryCheck({ now, expired = 'refused' }: VerifyMetadataOptions) {
  return ({ role, version, expires }: RoleMetadata): void => {
    if (expires > now || expired === 'reported') return;
    const told = `the ${role} metadata, version ${version}, expired at ${expires.toISOString()}`;
    throw new AirgapError('METADATA_EXPIRED', `${told}; the time is ${now.toISOString()}`);
  };
}

async function readTimestamp(folder: string): Promise<RoleMetadata<'timestamp'>> {
  const { timestamp: maxBytes } = maxMetadataBytes;
  return readRole(
    'timestamp',
    await readNamed(folder, 'timestamp.json', maxBytes, 'METADATA_MALFORMED'),
  );
}

/** TUF specification, sections 5.4.3 and 5.5.5. */
function notBefore(
  { role, version }: Pick<RoleMetadata, 'role' | 'version'>,
  seen: number | undefined,
): void {
  if (seen === undefined || version >= seen) return;
  const told = `the ${role} metadata have version ${version}, and version ${seen} was trusted before`;
  throw new AirgapError('METADATA_ROLLBACK', `${told}: a newer bundle came already`);
}

function isAgain(seen: SeenMetadata | undefined, sequence: Sequence, digest: Digest): boolean {
  if (seen?.timestamp !== sequence) return false;
  if (seen.digest === digest) return true;
  const told = `another bundle ${sequence} was trusted before, with snapshot ${seen.digest}`;
  throw new AirgapError('FORK', `${told}; this one has ${digest}`);
}

/** A role whose file the role above names by version, length and hash: compared before it is read. */
async function readVouched<R extends 'snapshot' | 'targets'>(
  folder: string,
  role: R,
  { version, length = 0, hashes = {} }: FileVouchedFor,
): Promise<RoleMetadata<R>> {
  const name = `${version}.${role}.json`;
  const maxBytes = Math.min(length, maxMetadataBytes[role]);
  const bytes = await readNamed(folder, name, maxBytes, 'METADATA_MISMATCH');
  const isSame = bytes.length === length && digestOf(bytes) === `sha256:${hashes['sha256']}`;
  const found = isSame ? readRole(role, bytes) : undefined;
  if (found?.version === version) return found;
  const told = `${name} is not the one that the metadata above it name`;
  throw new AirgapError('METADATA_MISMATCH', told);
}

interface FileVouchedFor {
  readonly version: number;
  readonly length?: number | undefined;
  readonly hashes?: Readonly<Record<string, string>> | undefined;
}

async function readNamed(
  folder: string,
  name: string,
  maxBytes: number,
  tooLarge: 'METADATA_MISMATCH' | 'METADATA_MALFORMED',
): Promise<Buffer> {
  const bytes = await readSmall(join(metadataFolder(folder), name), maxBytes, tooLarge);
  if (bytes === undefined) throw missing(name);
  return bytes;
}

function assertOneVersion(all: AllRoles): void {
  const { timestamp, snapshot, targets } = all;
  if (timestamp.version === snapshot.version && snapshot.version === targets.version) return;
  const versions = [timestamp, snapshot, targets].map(({ role, version }) => `${role} ${version}`);
  const told = `the metadata are not of one bundle: ${versions.join(', ')}`;
  throw new AirgapError('METADATA_MISMATCH', told);
}

function summarize(root: RoleMetadata<'root'>, all: AllRoles): VerifiedMetadata['roles'] {
  const summary = (role: BundleRole): RoleSummary => ({
    version: all[role].version,
    expires: all[role].expires,
    threshold: thresholdOf(root, role),
    keys: keyIdsOf(root.metadata.signed, role),
    signedBy: signersOf(root, all[role]),
  });
  return {
    root: summary('root'),
    targets: summary('targets'),
    snapshot: summary('snapshot'),
    timestamp: summary('timestamp'),
  };
}

function missing(name: string): AirgapError {
  const told = `metadata/${name} is not there: the bundle is not finished, or not all of it came`;
  return new AirgapError('METADATA_MISSING', told);
}
