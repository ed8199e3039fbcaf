import { createHash } from 'node:crypto';
import { constants, type Stats } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { messageOf } from '../kernel/tagged-error.ts';
import { PluginError } from './plugin-error.ts';

/** Plugins are single binaries of some 10 MiB; it bounds what the hash costs. */
const maxFileBytes = 256 * 1024 * 1024;
const writableByOthers = 0o022;

/**
 * Opens the file for a run and hashes it through what it opened, so that what is run is the file
 * that was hashed, wherever its name leads meanwhile. Its bytes could only be changed in place,
 * which its owner alone may do: root, or the user that Assay runs as. The caller closes it. Throws
 * `PluginError`.
 */
export async function openPluginFile(path: string, sha256: string): Promise<FileHandle> {
  const handle = await openRegular(path);
  try {
    const refusal = refusalOf(await handle.stat());
    if (refusal !== undefined) throw new PluginError('PLUGIN_UNUSABLE', `${path} ${refusal}`);
    const found = await hashOf(handle);
    if (found !== sha256) {
      const message = `${path} has SHA-256 ${found}, and ${sha256} is the one that is allowed`;
      throw new PluginError('PLUGIN_CHANGED', message);
    }
    return handle;
  } catch (error) {
    await handle.close();
    throw error;
  }
}

async function openRegular(path: string): Promise<FileHandle> {
  try {
    const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = constants;
    return await open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  } catch (cause) {
    const isLink = (cause as NodeJS.ErrnoException).code === 'ELOOP';
    const message = isLink ? `${path} is a symbolic link` : messageOf(cause);
    throw new PluginError('PLUGIN_UNUSABLE', message, { cause });
  }
}

function refusalOf(stats: Stats): string | undefined {
  if (!stats.isFile()) return 'is no regular file';
  if ((stats.mode & writableByOthers) !== 0) return 'may be written by its group or by anybody';
  if (stats.uid !== 0 && stats.uid !== process.getuid?.()) return 'belongs to another user';
  if (stats.size > maxFileBytes) return `is larger than ${maxFileBytes} bytes`;
  return undefined;
}

async function hashOf(handle: FileHandle): Promise<string> {
  const hash = createHash('sha256');
  const bytes = handle.createReadStream({ autoClose: false, start: 0, end: maxFileBytes });
  for await (const chunk of bytes) hash.update(chunk as Buffer);
  return hash.digest('hex');
}
