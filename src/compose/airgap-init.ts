import { resolve } from 'node:path';
import { type CeremonyResult, initKeys, rotateKeys, signDraft } from '../airgap/key-ceremony.ts';
import { type CeremonyTools, mapRoles, type NamedKeys } from '../airgap/key-ring.ts';
import { formerKeys, streamOf, thresholdOf } from '../airgap/metadata-model.ts';
import type { BundleRole } from '../airgap/metadata-state.ts';
import { type Clock, dayMs, randomHex } from '../kernel/clock.ts';
import { makeLocalKey } from '../signers/local-key.ts';
import { keyOpener } from './airgap-keys.ts';

export type { BundleRole } from '../airgap/metadata-state.ts';

/** What a person wants of the keys of a stream. */
export interface KeyWish {
  readonly folder: string;
  readonly what:
    | { readonly kind: 'init' }
    /** No roles: a root of the same keys that ends later. */
    | { readonly kind: 'rotate'; readonly roles: readonly BundleRole[] }
    | { readonly kind: 'sign'; readonly uris: readonly string[] };
  readonly uris: NamedKeys;
  readonly thresholds: Readonly<Partial<Record<BundleRole, number>>>;
  /** How long the root lasts. */
  readonly days: number;
}

/** What became of it, for people and scripts. */
export interface KeyReport {
  readonly folder: string;
  readonly stream: string;
  readonly version: number;
  readonly expires: Date;
  readonly state: CeremonyResult['state'];
  readonly file: string;
  readonly missing?: string;
  readonly roles: Readonly<Record<BundleRole, RoleReport>>;
}

export interface RoleReport {
  readonly threshold: number;
  /** Ids of its keys. */
  readonly keys: readonly string[];
}

/** Makes keys and roots, as the wish says. Throws `AirgapError` and `SignerError`. */
export async function changeKeys(
  wish: KeyWish,
  clock: Clock,
  signal: AbortSignal,
): Promise<KeyReport> {
  const { what, uris, thresholds, days } = wish;
  const folder = resolve(wish.folder);
  const tools: CeremonyTools = { openKey: keyOpener(folder), makeKey: makeLocalKey, signal };
  const expires = new Date(clock.now().getTime() + days * dayMs);
  if (what.kind === 'sign') return toReport(folder, await signDraft(folder, what.uris, tools));
  const plan = { folder, expires, uris, thresholds };
  const result =
    what.kind === 'init'
      ? await initKeys({ ...plan, stream: randomHex(16) }, tools)
      : await rotateKeys({ ...plan, roles: what.roles }, tools);
  return toReport(folder, result);
}

function toReport(folder: string, { root, state, file, missing }: CeremonyResult): KeyReport {
  return {
    folder,
    stream: streamOf(root),
    version: root.version,
    expires: root.expires,
    state,
    file,
    ...(missing !== undefined && { missing }),
    roles: mapRoles((role) => {
      const keys = formerKeys(root, role).map(({ id }) => id);
      return { threshold: thresholdOf(root, role), keys };
    }),
  };
}
