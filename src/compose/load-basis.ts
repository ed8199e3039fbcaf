import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { makeStoreFiles } from '../airgap/store-files.ts';
import type { Config } from '../config/schema.ts';
import { messageOf } from '../kernel/tagged-error.ts';
import type { TrustPolicy } from '../policies/policy.ts';
import type { LoadedTrustPolicy } from '../policies/trust-policy.ts';
import { loadTrustMaterial, missingStores } from '../trust/load.ts';
import { type FiledRevocation, mergeFiled } from '../trust/filed-revocation.ts';
import { loadRevocationFiles } from '../trust/revocation-files.ts';
import type { LoadedTrustMaterial, TrustMaterial } from '../trust/trust-material.ts';
import { assertComplete, type LoadedBasis, type Saw } from './basis.ts';
import { allowedPlugins, withPlugins } from './plugins.ts';
import { readPolicyFile } from './policy-file.ts';
import { storesOf } from './policy-stores.ts';
import { withFiledRevocation } from './revocation.ts';
import { describeRootProblems, withSigstoreRoots } from './sigstore-roots.ts';
import { StartupError } from './startup-error.ts';

/**
 * Loads the policy and the trust material that a configuration names, and says which of the trust
 * stores that the policy refers to hold nothing. Throws `StartupError`.
 */
export async function loadBasis(
  config: Config,
  saw: Saw,
  carried = carriedRevocation(config),
): Promise<LoadedBasis> {
  const {
    trustPolicy,
    trust: { store, revocation },
  } = config;
  await saw(store);
  if (revocation !== undefined) await saw(revocation.files);
  const policy = await readPolicyFile(trustPolicy, saw, config);
  const anchors = withPlugins(await readTrustStore(store), allowedPlugins(config));
  if (carried !== undefined) await saw(carried);
  const filed = await withRevocationFiles(anchors, revocation?.files, carried);
  const trust = await withSigstoreRoots(filed, config, saw);
  const missing = describeMissing(store, policy, trust);
  return { policy, trust, problems: [...missing, ...describeRootProblems(config, policy)] };
}

/**
 * The same, complete: a start without anchors that the policy refers to is a mistake. Throws
 * `StartupError` with every problem.
 */
export async function loadWholeBasis(
  config: Config,
  saw: Saw,
  carried = carriedRevocation(config),
): Promise<LoadedBasis> {
  const loaded = await loadBasis(config, saw, carried);
  assertComplete(loaded);
  return loaded;
}

async function withRevocationFiles<Trust extends TrustMaterial>(
  trust: Trust,
  configured: string | undefined,
  carried: string | undefined,
): Promise<Trust> {
  const own = configured && (await readRevocationFiles(configured, 'trust.revocation.files'));
  const came = carried && existsSync(carried) && (await readRevocationFiles(carried, carriedKey));
  const filed = [own, came].filter((each) => typeof each === 'object');
  return filed.length === 0 ? trust : withFiledRevocation(trust, mergeFiled(filed));
}

const carriedKey = 'airgap.store';

async function readRevocationFiles(folder: string, key: string): Promise<FiledRevocation> {
  try {
    return await loadRevocationFiles(folder);
  } catch (cause) {
    const problems = messageOf(cause).split('\n');
    const messages = problems.map((problem) => `${key}: ${problem}`);
    throw new StartupError('TRUST_STORE_UNUSABLE', messages, { cause });
  }
}

/**
 * Where revocation data lies that came over an air gap: lists and answers prove by themselves who
 * made them and when, so that they need no word of the operator.
 */
function carriedRevocation({ airgap }: Pick<Config, 'airgap'>): string | undefined {
  return airgap?.store && join(makeStoreFiles(airgap.store).currentTrust, 'revocation');
}

/** Throws `StartupError` unless the trust material loads and holds what the policy refers to. */
export async function checkTrustStore(config: Config, policy: LoadedTrustPolicy): Promise<void> {
  const { store } = config.trust;
  const trust = await withSigstoreRoots(await readTrustStore(store), config, async () => undefined);
  const missing = describeMissing(store, policy, trust);
  assertComplete({ problems: [...missing, ...describeRootProblems(config, policy)] });
}

/** Of each trust store that the policy relies upon and that holds nothing, a sentence. */
export function describeMissing(
  folder: string,
  policy: TrustPolicy,
  trust: TrustMaterial,
): readonly string[] {
  return missingStores(storesOf(policy), trust).map((name) => {
    const place = join(folder, 'x509', ...name.split(':'));
    return `the trust policy refers to trust store ${name}, and ${place} holds no certificate`;
  });
}

/** Throws `StartupError` with every problem. */
export async function readTrustStore(folder: string): Promise<LoadedTrustMaterial> {
  try {
    return await loadTrustMaterial(folder);
  } catch (cause) {
    const problems = messageOf(cause).split('\n');
    const messages = problems.map((problem) => `the trust store does not load: ${problem}`);
    throw new StartupError('TRUST_STORE_UNUSABLE', messages, { cause });
  }
}
