import { join } from 'node:path';
import type { Config, SigstoreRootConfig } from '../config/schema.ts';
import { readFileBounded } from '../files/read-file.ts';
import {
  publicGood,
  type SigstoreRootSource,
  tufRepository,
} from '../trust/sigstore/root-source.ts';
import { defaultRoot } from '../policies/sigstore-identity.ts';
import type { Saw } from './basis.ts';
import { readFailure } from './read-failure.ts';
import { StartupError } from './startup-error.ts';

const maxRootBytes = 512_000;

/** Every root that is configured, by its name; the default one by that. */
export function rootConfigs(
  config: Pick<Config, 'trust'>,
): ReadonlyMap<string, SigstoreRootConfig> {
  const { root, roots = {} } = config.trust.sigstore ?? {};
  const named = new Map<string, SigstoreRootConfig>(Object.entries(roots));
  if (root !== undefined) named.set(defaultRoot, root);
  return named;
}

/** The name that a policy's name stands for: without `root`, a single other one is the default. */
export function configuredName(config: Pick<Config, 'trust'>, name: string): string | undefined {
  const names = [...rootConfigs(config).keys()];
  if (names.includes(name)) return name;
  return name === defaultRoot && names.length === 1 ? names[0] : undefined;
}

/**
 * Where the root comes from, with a repository's root.json read and its state under `storage`.
 * Names each file before it is read. Throws `StartupError`.
 */
export async function readRootSource(
  name: string,
  source: SigstoreRootConfig,
  { storage }: Pick<Config, 'storage'>,
  saw: Saw,
): Promise<SigstoreRootSource> {
  if (typeof source !== 'string' && 'file' in source) {
    await saw(source.file);
    return { kind: 'file', file: source.file };
  }
  const stateFile = join(storage.path, 'sigstore', `${name}.json`);
  await saw(stateFile);
  if (source === 'public-good') return publicGood(stateFile);
  const { url, root } = source.tuf;
  await saw(root);
  const bytes = await readFileBounded(root, maxRootBytes).catch((cause: unknown) => {
    const message = `the Sigstore root ${name}: ${root} can not be read: ${readFailure(cause)}`;
    throw new StartupError('TRUST_STORE_UNUSABLE', message, { cause });
  });
  return tufRepository(url, bytes, stateFile);
}
