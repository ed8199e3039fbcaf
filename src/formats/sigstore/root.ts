import { quoted } from '../../kernel/quoted.ts';
import type { LoadedSigstoreRoot } from '../../trust/sigstore/load-root.ts';
import type { SigstoreRoot } from '../../trust/sigstore/sigstore-root.ts';
import { inconclude, pass } from '../finding.ts';
import type { Finding } from '../signature-format.ts';

export interface RootFound {
  readonly finding: Finding;
  /** Only where it may be relied upon. */
  readonly root?: SigstoreRoot;
  /** When it may not be any more, as far as it stays the one that it is. */
  readonly ends: readonly Date[];
}

export interface RootAge {
  readonly now: Date;
  /** How long ago it may have been verified by TUF. */
  readonly maxAgeMs?: number | undefined;
}

/**
 * Whether a root is there, has not ended (The Update Framework, section 5) and is as young as the
 * identity asks for. One that is not tells nothing of a signature.
 */
export function checkRoot(
  loaded: LoadedSigstoreRoot | undefined,
  name: string,
  { now, maxAgeMs }: RootAge,
): RootFound {
  const called = `the Sigstore root ${quoted(name)}`;
  if (loaded === undefined) return unusable(`there is no Sigstore root ${quoted(name)} yet`);
  const { expiresAt } = loaded;
  if (expiresAt !== undefined && expiresAt < now) {
    return unusable(`${called} has ended at ${expiresAt.toISOString()}`);
  }
  const ends = expiresAt === undefined ? [] : [expiresAt];
  const finding = pass(describeRoot(loaded));
  if (maxAgeMs === undefined) return { finding, root: loaded.root, ends };
  const { kind, asOf } = loaded;
  // A file's time says when it was written here, not when anybody vouched for it.
  if (kind !== 'tuf' || asOf === undefined) {
    return unusable(`${called} was not verified by TUF so far, and maxRootAge asks how long ago`);
  }
  const tooOldAt = new Date(asOf.getTime() + maxAgeMs);
  if (tooOldAt < now) {
    return unusable(`${called} was last verified at ${asOf.toISOString()}, before maxRootAge`);
  }
  return { finding, root: loaded.root, ends: [...ends, tooOldAt] };
}

function unusable(why: string): RootFound {
  return { finding: inconclude('not-verifiable', why), ends: [] };
}

function describeRoot({ from, asOf, expiresAt }: LoadedSigstoreRoot): Record<string, string> {
  return {
    root: quoted(from, 200),
    ...(asOf && { 'as of': asOf.toISOString() }),
    ...(expiresAt && { 'ends at': expiresAt.toISOString() }),
  };
}
