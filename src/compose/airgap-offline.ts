import { copyFile, mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Config } from '../config/schema.ts';
import type { CarriedRoot } from './airgap-sigstore.ts';

/** The same configuration where nobody is asked, and nothing is there but what goes along. */
export async function offlineConfig(
  config: Config,
  folder: string,
  roots: readonly CarriedRoot[],
): Promise<Config> {
  const { redis: _, ...rest } = config;
  const trust = join(folder, 'trust');
  const state = join(folder, 'state');
  for (const { name, files } of roots) {
    const carried = files.find(({ path }) => path.endsWith('.tuf.json'));
    if (carried === undefined) continue;
    const file = join(state, 'sigstore', `${name}.json`);
    await mkdir(dirname(file), { recursive: true });
    await copyFile(join(folder, carried.path), file);
  }
  return {
    ...rest,
    trustPolicy: join(trust, 'policy.yaml'),
    storage: { ...config.storage, path: state },
    trust: {
      ...config.trust,
      offline: true,
      store: trust,
      revocation: { files: join(trust, 'revocation') },
      ...(config.trust.sigstore && { sigstore: offlineRoots(config.trust.sigstore, trust, roots) }),
    },
  };
}

type SigstoreConfig = NonNullable<Config['trust']['sigstore']>;

function offlineRoots(
  { root }: SigstoreConfig,
  trust: string,
  roots: readonly CarriedRoot[],
): SigstoreConfig {
  const sources = new Map(
    roots.map((carried) => [carried.name, offlineSource(carried, trust)] as const),
  );
  const own = root === undefined ? undefined : sources.get('default');
  if (own !== undefined) sources.delete('default');
  return { ...(own !== undefined && { root: own }), roots: Object.fromEntries(sources) };
}

/** By TUF where it came by TUF: its state says how old it is. */
function offlineSource({ name, source }: CarriedRoot, trust: string): CarriedRoot['source'] {
  const file = (suffix: string): string => join(trust, 'sigstore', `${name}.${suffix}`);
  if (typeof source === 'string') return source;
  if ('file' in source) return { file: file('json') };
  return { tuf: { ...source.tuf, root: file('root.json') } };
}
