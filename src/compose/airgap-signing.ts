import { AirgapError } from '../airgap/airgap-error.ts';
import type { ExportTarget } from '../airgap/export-bundle.ts';
import type { OpenedKeys } from '../airgap/keys.ts';
import { verifyMetadata } from '../airgap/metadata-reader.ts';
import { writeMetadata } from '../airgap/metadata-writer.ts';
import type { Config } from '../config/schema.ts';
import { type Clock, dayMs } from '../kernel/clock.ts';
import type { Digest } from '../oci/digest.ts';
import { openBundleKeys } from './airgap-keys.ts';

/** The keys of a stream at work. */
export interface BundleSigning {
  readonly stream: string;
  /** Signs and writes the metadata of the bundle in the folder; resolves with its snapshot's SHA-256. */
  sign(
    folder: string,
    sequence: number,
    targets: readonly ExportTarget[],
    signal: AbortSignal,
  ): Promise<Digest>;
  /** Of the bundle in a folder; throws `AirgapError` unless these keys vouch for it under that number. */
  readonly snapshotOf: (folder: string, sequence: number) => Promise<Digest>;
}

/** After so long nobody imports the bundle any more, unless the configuration says otherwise. */
const validDays = { targets: 365, snapshot: 90, timestamp: 90 } as const;

type Validity = NonNullable<NonNullable<Config['airgap']>['validity']>;

/** By the folder that the command names, or else the configuration. */
export async function openBundleSigning(
  { airgap }: Pick<Config, 'airgap'>,
  named: string | undefined,
  clock: Clock,
): Promise<BundleSigning> {
  const folder = named ?? airgap?.keys;
  if (folder === undefined) {
    const message = 'no keys are named: --keys, or airgap.keys; `assay airgap init` makes them';
    throw new AirgapError('KEYS_UNUSABLE', message);
  }
  return makeSigning(await openBundleKeys(folder), airgap?.validity ?? {}, clock);
}

function makeSigning(keys: OpenedKeys, validity: Validity, clock: Clock): BundleSigning {
  const newest = keys.roots.at(-1) ?? keys.roots[0];
  const until = (role: keyof typeof validDays): Date =>
    new Date(clock.now().getTime() + (validity[role]?.ms ?? validDays[role] * dayMs));
  return {
    stream: keys.stream,
    sign: (folder, sequence, targets, signal) =>
      writeMetadata({
        folder,
        keys,
        sequence,
        targets,
        expires: {
          targets: until('targets'),
          snapshot: until('snapshot'),
          timestamp: until('timestamp'),
        },
        clock,
        signal,
      }),
    async snapshotOf(folder, sequence) {
      const trusted = { root: newest, seen: undefined };
      const options = { folder, trusted, now: clock.now(), expired: 'reported' } as const;
      const found = await verifyMetadata(options);
      if (found.sequence === sequence) return found.snapshot;
      // The next ones would name it as their predecessor, which no site has.
      const message = `${folder} has the metadata of bundle ${found.sequence}, not of ${sequence}`;
      throw new AirgapError('METADATA_MISMATCH', message);
    },
  };
}
