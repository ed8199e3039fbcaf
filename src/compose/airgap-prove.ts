import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type ExportPlan, nameOf } from '../airgap/plan.ts';
import { makePlannedSource } from '../airgap/planned-source.ts';
import { type CarriedTrust, withoutTwins, writeTrustFiles } from '../airgap/trust-files.ts';
import type { Config } from '../config/schema.ts';
import type { DenyList } from '../gate/deny-list.ts';
import type { Clock } from '../kernel/clock.ts';
import { messageOf } from '../kernel/tagged-error.ts';
import { referenceSuffix } from '../oci/reference.ts';
import { type Repository, scopeOf } from '../oci/repository.ts';
import type { Digest } from '../oci/digest.ts';
import type { LoadedTrustPolicy } from '../policies/trust-policy.ts';
import type { ContentSource } from '../upstream/content-source.ts';
import { eachSettled } from '../verifier/settled.ts';
import { makeRevocationRecorder, revocationAsOf } from './airgap-revocation.ts';
import { offlineConfig } from './airgap-offline.ts';
import { carryRoots } from './airgap-sigstore.ts';
import { carryPolicy, carryStores } from './airgap-trust.ts';
import { readImageName } from './image-name.ts';
import type { Upstreams } from './upstreams.ts';
import { openVerification, type Verification } from './verification.ts';

/** What goes along so that others can verify, and whether that is enough. */
export interface Proof {
  readonly policy: LoadedTrustPolicy;
  readonly trust: readonly CarriedTrust[];
  readonly revocationAsOf: Date | undefined;
  /** Images that would not be trusted where the bundle goes, with why. */
  readonly refused: readonly RefusedImage[];
}

export interface RefusedImage {
  readonly image: string;
  readonly because: string;
}

export interface ProofDependencies {
  readonly upstreams: Pick<Upstreams, 'get'>;
  readonly denied: DenyList;
  readonly clock: Clock;
  /** For files that are gone at its end. */
  readonly workFolder: string;
}

const atOnce = 4;

/**
 * Verifies twice what is planned, from nothing but what is planned: once with the network, to learn
 * which answers about revocation are needed, and once without any, with exactly the trust material
 * that goes along.
 */
export async function proveTrust(
  plan: ExportPlan,
  config: Config,
  dependencies: ProofDependencies,
  signal: AbortSignal,
): Promise<Proof> {
  const { workFolder: folder } = dependencies;
  const upstreams = plannedUpstreams(plan, dependencies.upstreams);
  const { policy, files } = await carryPolicy(config);
  const stores = await carryStores(config.trust, policy);
  const roots = await carryRoots(config, policy);
  const answers = await gatherRevocation(
    plan.images,
    config,
    { ...dependencies, upstreams },
    signal,
  );
  const anchors = [...files, ...stores, ...roots.flatMap((root) => root.files)];
  const trust = withoutTwins([...anchors, ...answers]);
  await rm(folder, { recursive: true, force: true });
  try {
    await writeTrustFiles(folder, trust);
    // Folders that the configuration names must exist, with nothing in them too.
    for (const name of ['x509', 'revocation']) {
      await mkdir(join(folder, 'trust', name), { recursive: true });
    }
    const offline = await offlineConfig(config, folder, roots);
    const refused = await verifyOffline(plan, offline, { ...dependencies, upstreams }, signal);
    const asOf = await revocationAsOf(join(folder, 'trust', 'revocation'));
    return { policy, trust, revocationAsOf: asOf, refused };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function plannedUpstreams(
  plan: ExportPlan,
  upstreams: Pick<Upstreams, 'get'>,
): Pick<Upstreams, 'get'> {
  const sources = new Map<string, ContentSource>();
  for (const { repository } of plan.images) {
    const { upstream } = repository;
    const source = upstreams.get(upstream);
    if (source !== undefined && !sources.has(upstream)) {
      sources.set(upstream, makePlannedSource(plan, upstream, source));
    }
  }
  return { get: (name) => sources.get(name) };
}

/** What is known of revocation where images, as `UPSTREAM/PATH@DIGEST`, were exported before. */
export async function gatherRecorded(
  roots: readonly string[],
  config: Config,
  dependencies: ProofDependencies,
  signal: AbortSignal,
): Promise<Pick<Proof, 'trust' | 'revocationAsOf'>> {
  const { workFolder: folder } = dependencies;
  const images = roots.map((root) => {
    const { repository, reference } = readImageName(root, Object.keys(config.upstreams));
    return 'digest' in reference ? { repository, root: reference } : undefined;
  });
  const known = images.filter((image) => image !== undefined);
  const trust = withoutTwins(await gatherRevocation(known, config, dependencies, signal));
  await rm(folder, { recursive: true, force: true });
  try {
    await mkdir(join(folder, 'trust', 'revocation'), { recursive: true });
    await writeTrustFiles(folder, trust);
    return { trust, revocationAsOf: await revocationAsOf(join(folder, 'trust', 'revocation')) };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** What there is to verify. */
interface Root {
  readonly repository: Repository;
  readonly root: { readonly digest: Digest };
}

/** What was answered about the certificates of all signers, whatever it was. */
async function gatherRevocation(
  images: readonly Root[],
  config: Config,
  { upstreams, denied, clock }: Pick<ProofDependencies, 'upstreams' | 'denied' | 'clock'>,
  signal: AbortSignal,
): Promise<readonly CarriedTrust[]> {
  const recorder = makeRevocationRecorder(config.trust.revocation?.files);
  const { cache: answers, onStatus } = recorder;
  const overrides = { upstreams, denied, answers, onStatus };
  const verification = await openVerification(config, clock, overrides);
  try {
    await examineEach(images, verification, signal);
  } finally {
    await verification.close();
  }
  return recorder.carried();
}

async function verifyOffline(
  { images }: ExportPlan,
  config: Config,
  { upstreams, denied, clock }: ProofDependencies,
  signal: AbortSignal,
): Promise<readonly RefusedImage[]> {
  const verification = await openVerification(config, clock, { upstreams, denied });
  try {
    const problems = await examineEach(images, verification, signal);
    return images.flatMap((image) => {
      const because = problems.get(image);
      return because === undefined ? [] : [{ image: nameOf(image), because }];
    });
  } finally {
    await verification.close();
  }
}

/** Why each is not trusted, of those that are not. */
async function examineEach<T extends Root>(
  images: readonly T[],
  verification: Verification,
  signal: AbortSignal,
): Promise<ReadonlyMap<T, string>> {
  const problems = new Map<T, string>();
  const waiting = [...images];
  const next = () => {
    const image = waiting.shift();
    if (image === undefined) return undefined;
    return async () => {
      if (signal.aborted) return;
      const because = await problemOf(image, verification, signal);
      if (because !== undefined) problems.set(image, because);
    };
  };
  for await (const _ of eachSettled(next, atOnce));
  signal.throwIfAborted();
  return problems;
}

async function problemOf(
  { repository, root }: Root,
  verification: Verification,
  signal: AbortSignal,
): Promise<string | undefined> {
  try {
    const name = `${scopeOf(repository)}${referenceSuffix({ digest: root.digest })}`;
    const examined = await verification.examine(name, signal);
    if (examined === undefined) return 'its manifest is not in the bundle';
    const { kind, reason, because } = examined.verdict;
    return kind === 'trusted' ? undefined : `${reason ?? kind}: ${because}`;
  } catch (error) {
    return messageOf(error);
  }
}
