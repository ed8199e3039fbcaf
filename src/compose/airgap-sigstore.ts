import { type CarriedTrust, isCarriedPath } from '../airgap/trust-files.ts';
import type { Config, SigstoreRootConfig } from '../config/schema.ts';
import { readFileBounded } from '../files/read-file.ts';
import type { LoadedTrustPolicy } from '../policies/trust-policy.ts';
import type { SigstoreRootSource } from '../trust/sigstore/root-source.ts';
import { readTufState } from '../trust/sigstore/tuf-state.ts';
import { configuredName, readRootSource, rootConfigs } from './sigstore-sources.ts';
import { StartupError } from './startup-error.ts';

const maxRootBytes = 512_000;
const maxStateBytes = 16 * 1024 * 1024;

/** A Sigstore root as it travels. */
export interface CarriedRoot {
  /** As the configuration names it. */
  readonly name: string;
  readonly source: SigstoreRootConfig;
  /** `trust/sigstore/NAME.json` is the trusted root, whatever it came by. */
  readonly files: readonly CarriedTrust[];
}

/** Each Sigstore root that the policy relies upon, as it is in force. */
export async function carryRoots(
  config: Pick<Config, 'trust' | 'storage'>,
  policy: Pick<LoadedTrustPolicy, 'rules'>,
): Promise<readonly CarriedRoot[]> {
  const named = policy.rules.flatMap((rule) => (rule.kind === 'require' ? rule.sigstoreRoots : []));
  const names = new Set(named.map((name) => configuredName(config, name) ?? name));
  const roots: CarriedRoot[] = [];
  for (const [name, source] of rootConfigs(config)) {
    if (names.has(name)) roots.push(await carryRoot(name, source, config));
  }
  return roots;
}

async function carryRoot(
  name: string,
  source: SigstoreRootConfig,
  config: Pick<Config, 'storage'>,
): Promise<CarriedRoot> {
  if (!isCarriedPath(name)) {
    const message = `trust.sigstore.roots.${name}: this name can not be that of a file`;
    throw new StartupError('TRUST_STORE_UNUSABLE', message);
  }
  const from = await readRootSource(name, source, config, async () => undefined);
  const path = `trust/sigstore/${name}`;
  const metadata: CarriedTrust[] = [];
  const carry = (suffix: string, bytes: Uint8Array): void => {
    metadata.push({ path: `${path}.${suffix}`, kind: 'tuf-metadata', bytes });
  };
  if (from.kind === 'tuf') {
    const state = await readTufState(from.stateFile);
    if (state !== undefined) {
      carry('tuf.json', await readFileBounded(from.stateFile, maxStateBytes));
    }
    carry('root.json', from.rootJson);
  }
  const bytes = await trustedRootOf(from);
  const root: CarriedTrust[] =
    bytes === undefined ? [] : [{ path: `${path}.json`, kind: 'trusted-root', bytes }];
  return { name, source, files: [...root, ...metadata] };
}

async function trustedRootOf(from: SigstoreRootSource): Promise<Uint8Array | undefined> {
  if (from.kind === 'file') return readFileBounded(from.file, maxRootBytes);
  const state = await readTufState(from.stateFile);
  if (state?.url === from.url && state.begunWith === from.begunWith) return state.trustedRoot;
  return from.seed;
}
