import { constants } from 'node:fs';
import { type FileHandle, open, realpath, stat } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { readBounded, TooLargeError } from '../kernel/bounded.ts';
import { systemCodeOf } from '../kernel/tagged-error.ts';
import { algorithmOf, type Digest, encodedOf } from '../oci/digest.ts';
import { UpstreamError } from './upstream-error.ts';

/** The files of an OCI image layout (image-spec, image-layout.md), read and never written. */
export interface LayoutFiles {
  /** Changes when index.json does. */
  version(): Promise<string>;
  readIndex(maxBytes: number): Promise<Buffer>;
  /** Undefined where there is no such blob; `TooLargeError` past `maxBytes`. */
  readBlob(digest: Digest, maxBytes: number): Promise<Buffer | undefined>;
  /** The caller closes the handle. */
  openBlob(digest: Digest): Promise<OpenFile | undefined>;
}

export interface OpenFile {
  readonly handle: FileHandle;
  /** Bytes. */
  readonly size: number;
}

/** Paths are made of the folder and parsed digests alone; links must not lead out of the folder. */
export function makeLayoutFiles(folder: string): LayoutFiles {
  const index = join(folder, 'index.json');
  const blobFile = (digest: Digest): string =>
    join(folder, 'blobs', algorithmOf(digest), encodedOf(digest));
  const read = async (file: string, maxBytes: number): Promise<Buffer | undefined> => {
    const opened = await openInside(folder, file);
    if (opened === undefined) return undefined;
    try {
      if (opened.size > maxBytes) {
        throw new TooLargeError('TOO_LARGE', `the file is larger than ${maxBytes} bytes`);
      }
      const stream = opened.handle.createReadStream({ autoClose: false });
      return await readBounded(stream, maxBytes, 'the file');
    } finally {
      await opened.handle.close();
    }
  };
  return {
    async version() {
      const found = await stat(index, { bigint: true }).catch((cause: unknown) => {
        throw noLayout(folder, cause);
      });
      return `${found.mtimeNs} ${found.size} ${found.ino}`;
    },
    async readIndex(maxBytes) {
      const bytes = await read(index, maxBytes);
      if (bytes === undefined) throw noLayout(folder, undefined);
      return bytes;
    },
    readBlob: (digest, maxBytes) => read(blobFile(digest), maxBytes),
    openBlob: (digest) => openInside(folder, blobFile(digest)),
  };
}

async function openInside(folder: string, file: string): Promise<OpenFile | undefined> {
  let handle: FileHandle;
  try {
    const root = await realpath(folder);
    const real = await realpath(file);
    if (!real.startsWith(root.endsWith(sep) ? root : root + sep)) {
      throw new UpstreamError('UPSTREAM_LEADS_ASTRAY', 'a link leads out of the layout');
    }
    // Never waits for a pipe that has the name of a blob.
    handle = await open(real, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    if (error instanceof UpstreamError) throw error;
    if (isAbsence(error)) return undefined;
    throw new UpstreamError('UPSTREAM_FAILED', 'a file can not be opened', { cause: error });
  }
  const found = await handle.stat();
  if (found.isFile()) return { handle, size: found.size };
  await handle.close();
  throw new UpstreamError('UPSTREAM_MISBEHAVED', 'a file of the layout is no regular file');
}

function isAbsence(error: unknown): boolean {
  const code = systemCodeOf(error);
  return code === 'ENOENT' || code === 'ENOTDIR';
}

function noLayout(folder: string, cause: unknown): UpstreamError {
  return new UpstreamError(
    'UPSTREAM_UNREACHABLE',
    `${folder} has no index.json that can be read: it is no image layout`,
    { cause },
  );
}
