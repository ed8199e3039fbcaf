import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Test } from 'tap';
import { buildImage } from './build-image.ts';
import { signedBy } from './sign-notation.ts';
import type { Chain } from './test-ca.ts';
import { type LayoutEntry, writeLayout } from './write-layout.ts';

export type StoreName = 'one' | 'two';

/** A configuration of two repositories, `reg/one` and `reg/two`, each with a trust store of its own. */
export interface RotationKit {
  /** The configuration file. */
  readonly file: string;
  /** Puts a root into the store of that repository. */
  trust(store: StoreName, chain: Chain): void;
  distrust(store: StoreName, chain: Chain): void;
  /** Writes the policy anew: whom of the signers in each store is trusted (`*` unless told). */
  writePolicy(identities?: Partial<Readonly<Record<StoreName, string>>>): void;
}

/** What is signed, by tag: `one:1` is in `reg/one`. `config`: more members of the configuration. */
export function makeRotationKit(
  t: Test,
  signed: Readonly<Record<string, Chain>>,
  config: object = {},
): RotationKit {
  const folder = t.testdir({ layout: {}, data: {}, trust: {} });
  writeLayout(
    join(folder, 'layout'),
    Object.entries(signed).flatMap(([tag, chain]): readonly LayoutEntry[] => {
      const image = buildImage({ name: tag });
      const signature = signedBy({ of: image.descriptor, format: 'jws', chain });
      return [{ artifact: image, tag }, { artifact: signature }];
    }),
  );
  const fileOf = (store: StoreName, { root }: Chain): string =>
    join(folder, 'trust', 'x509', 'ca', store, `${root.fingerprint.slice(0, 16)}.pem`);
  const file = join(folder, 'assay.yaml');
  const any = { host: '127.0.0.1', port: 0 };
  const configuration = {
    listen: any,
    admin: any,
    upstreams: { reg: { layout: './layout' } },
    trustPolicy: './policy.yaml',
    trust: { store: './trust' },
    storage: { path: './data' },
    ...config,
  };
  writeFileSync(file, JSON.stringify(configuration));
  const kit: RotationKit = {
    file,
    trust(store, chain) {
      mkdirSync(join(folder, 'trust', 'x509', 'ca', store), { recursive: true });
      writeFileSync(fileOf(store, chain), chain.root.pem);
    },
    distrust: (store, chain) => rmSync(fileOf(store, chain)),
    writePolicy(identities = {}) {
      const stores = ['one', 'two'] as const;
      const policy = {
        version: 1,
        identities: Object.fromEntries(
          stores.map((store) => [
            store,
            {
              notation: {
                trustStores: [`ca:${store}`],
                trustedIdentities: [identities[store] ?? '*'],
              },
            },
          ]),
        ),
        rules: stores.map((store) => ({
          repositories: [`reg/${store}`],
          require: { signedBy: store },
        })),
      };
      // Never seen half-written by who watches it.
      writeFileSync(join(folder, 'policy.new'), JSON.stringify(policy));
      renameSync(join(folder, 'policy.new'), join(folder, 'policy.yaml'));
    },
  };
  kit.writePolicy();
  return kit;
}
