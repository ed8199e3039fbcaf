import { createHash } from 'node:crypto';
import { readBounded, TooLargeError } from '../kernel/bounded.ts';
import { quoted } from '../kernel/quoted.ts';
import { type FileSystem, systemFiles, unlessAbsent } from '../storage/file-system.ts';
import { writeAll } from '../storage/write-all.ts';
import { AirgapError } from './airgap-error.ts';
import { readFailure, writeFailure } from './file-failure.ts';
import { targetFile } from './metadata-files.ts';
import type { RoleMetadata } from './metadata-model.ts';
import { openRegular } from './open-regular.ts';

export interface Target {
  /** Below the bundle's `targets/`; its bytes may be others by now. */
  readonly file: string;
  /** Bytes. */
  readonly length: number;
  /** Lower-case hex. */
  readonly sha256: string;
}

/**
 * What a bundle's targets metadata vouch for. Methods throw `AirgapError`: TARGET_MISSING,
 * TARGET_MISMATCH, READ_FAILED.
 */
export interface Targets {
  /** By path, such as `trust/policy.yaml`. */
  readonly targets: ReadonlyMap<string, Target>;
  /** Looks whether the file is there and as long as it should be. */
  target(path: string): Promise<Target>;
  /** All of it; TARGET_MISMATCH also for one of more than `maxBytes`. */
  readTarget(path: string, maxBytes: number): Promise<Buffer>;
  /** Its bytes while they are hashed; throws at the end where they were others. */
  openTarget(path: string): AsyncGenerator<Uint8Array>;
  /** Writes a new file with its bytes, which is there at the end only if they were right. */
  copyTarget(path: string, into: string): Promise<void>;
}

export function openTargets(
  folder: string,
  { metadata }: RoleMetadata<'targets'>,
  files: FileSystem = systemFiles,
): Targets {
  const targets = new Map(
    Object.entries(metadata.signed.targets).map(([path, { length, hashes }]) => {
      const { sha256 = '' } = hashes;
      return [path, { file: targetFile(folder, path, sha256), length, sha256 }];
    }),
  );
  const find = (path: string): Target => {
    const found = targets.get(path);
    if (found === undefined) throw missing(`the bundle has no target ${quoted(path)}`);
    return found;
  };
  const openTarget = async function* (path: string): AsyncGenerator<Uint8Array> {
    yield* readHashed(path, find(path), files);
  };
  return {
    targets,
    openTarget,
    async target(path) {
      const found = find(path);
      const stat = await unlessAbsent(files.stat(found.file)).catch((cause: unknown) => {
        throw readFailure(found.file, cause);
      });
      if (stat === undefined) throw missing(`${found.file} is not there`);
      if (stat.size !== found.length) throw mismatch(path, found);
      return found;
    },
    async readTarget(path, maxBytes) {
      const { length } = find(path);
      if (length > maxBytes) {
        const told = `the target ${quoted(path)} has more than ${maxBytes} bytes`;
        throw new AirgapError('TARGET_MISMATCH', told);
      }
      return await readBounded(openTarget(path), maxBytes, path).catch((cause: unknown) => {
        throw cause instanceof TooLargeError ? mismatch(path, find(path)) : cause;
      });
    },
    copyTarget: (path, into) => copy(openTarget(path), into, files),
  };
}

async function* readHashed(
  path: string,
  expected: Target,
  files: FileSystem,
): AsyncGenerator<Uint8Array> {
  const { file, length, sha256 } = expected;
  const hash = createHash('sha256');
  let bytes = 0;
  try {
    const handle = await unlessAbsent(openRegular(file, files));
    if (handle === undefined) throw missing(`${file} is not there`);
    try {
      // Larger pieces leave more behind than an index of a million lines takes otherwise.
      const options = { autoClose: false, highWaterMark: 128 * 1024 };
      for await (const piece of handle.createReadStream(options)) {
        const read = piece as Uint8Array;
        bytes += read.byteLength;
        if (bytes > length) throw mismatch(path, expected);
        hash.update(read);
        yield read;
      }
    } finally {
      await handle.close();
    }
  } catch (cause) {
    throw readFailure(file, cause);
  }
  if (bytes !== length || hash.digest('hex') !== sha256) throw mismatch(path, expected);
}

async function copy(
  bytes: AsyncIterable<Uint8Array>,
  into: string,
  files: FileSystem,
): Promise<void> {
  const handle = await files.open(into, 'wx', 0o600).catch((cause: unknown) => {
    throw writeFailure(into, cause);
  });
  let position = 0;
  try {
    for await (const piece of bytes) {
      await writeAll(handle, [piece], position);
      position += piece.byteLength;
    }
    await handle.sync();
    await handle.close();
  } catch (cause) {
    await handle.close().catch(() => undefined);
    await files.unlink(into).catch(() => undefined);
    throw writeFailure(into, cause);
  }
}

function missing(message: string): AirgapError {
  return new AirgapError('TARGET_MISSING', message);
}

function mismatch(path: string, { file }: Target): AirgapError {
  const told = `${file} is not the target ${quoted(path)} that the metadata vouch for`;
  return new AirgapError('TARGET_MISMATCH', told);
}
