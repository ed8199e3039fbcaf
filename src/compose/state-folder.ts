import { existsSync } from 'node:fs';
import { link, mkdir, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Config } from '../config/schema.ts';
import { randomHex } from '../kernel/clock.ts';
import { readFileBounded } from '../files/read-file.ts';
import { isNonEmpty, type NonEmpty } from '../kernel/non-empty.ts';
import { messageOf } from '../kernel/tagged-error.ts';
import { StartupError } from './startup-error.ts';

const keyFile = 'state.key';
const keyBytes = 32;
const maxKeyFileBytes = 4096;

/** Makes the folder for content and state, for us alone, where it is not there. */
export async function makeStorageFolder(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 }).catch((cause: unknown) => {
    throw unusable(`storage.path: ${folder} can not be made: ${messageOf(cause)}`, cause);
  });
}

/** Whether the state is this machine's own and was never used: nobody makes it only to look. */
export function isStateUnused({ storage, state, redis }: Config): boolean {
  if (redis !== undefined) return false;
  return !existsSync(state === undefined ? join(storage.path, keyFile) : storage.path);
}

/** The keys that seal the state: those of the configuration, or one of our own making. */
export async function openSealKeys(config: Config): Promise<NonEmpty<Uint8Array>> {
  const configured = (config.state?.keys ?? []).map((key) => Buffer.from(key.reveal(), 'utf8'));
  if (isNonEmpty(configured)) return configured;
  const file = join(config.storage.path, keyFile);
  try {
    await makeKeyFile(file);
    return [await readKeyFile(file)];
  } catch (cause) {
    if (cause instanceof StartupError) throw cause;
    throw unusable(`the key ${file} can not be made or read: ${messageOf(cause)}`, cause);
  }
}

/** Written whole under another name first: a reader never sees half a key, and the first one wins. */
async function makeKeyFile(file: string): Promise<void> {
  const exists = await stat(file).then(
    () => true,
    () => false,
  );
  if (exists) return;
  const draft = `${file}.${randomHex(8)}`;
  await writeFile(draft, `${randomHex(keyBytes)}\n`, { mode: 0o600, flag: 'wx' });
  try {
    await link(draft, file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  } finally {
    await rm(draft, { force: true });
  }
}

async function readKeyFile(file: string): Promise<Uint8Array> {
  const { mode } = await stat(file);
  // Whoever reads the key can forge verdicts. A group may be the volume's own.
  if ((mode & 0o007) !== 0) throw unusable(`the key ${file} is open to every user: chmod 600 it`);
  const text = (await readFileBounded(file, maxKeyFileBytes)).toString('utf8').trim();
  if (!/^[0-9a-f]{64}$/.test(text)) {
    throw unusable(`the key ${file} is damaged: remove it to have a new one made`);
  }
  return Buffer.from(text, 'hex');
}

function unusable(message: string, cause?: unknown): StartupError {
  return new StartupError('STATE_UNUSABLE', message, { cause });
}
