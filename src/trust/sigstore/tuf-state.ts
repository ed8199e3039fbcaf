import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { type JsonFields, readJsonFields } from '../../crypto/json-fields.ts';
import { parseRfc3339 } from '../../crypto/rfc3339.ts';
import { readFileBounded } from '../../files/read-file.ts';
import { randomHex } from '../../kernel/clock.ts';
import { messageOf } from '../../kernel/tagged-error.ts';
import { TrustError } from '../trust-error.ts';

export const tufRoles = ['root', 'timestamp', 'snapshot', 'targets'] as const;
export type TufRole = (typeof tufRoles)[number];

/**
 * What the last good update of a TUF repository left: its metadata, which the next update may not
 * fall behind, and the trusted root. One file, replaced whole: nobody ever reads half of it.
 */
export interface TufState {
  readonly url: string;
  /** SHA-256 of the root.json that trust began with, lower-case hex: another one begins anew. */
  readonly begunWith: string;
  readonly verifiedAt: Date;
  /** Of the repository's top-level roles, as text. */
  readonly metadata: Readonly<Record<TufRole, string>>;
  readonly trustedRoot: Uint8Array;
}

const maxStateBytes = 16 * 1024 * 1024;

/** Undefined where there is none. Throws `TrustError` for one that is damaged. */
export async function readTufState(file: string): Promise<TufState | undefined> {
  let bytes: Uint8Array;
  try {
    bytes = await readFileBounded(file, maxStateBytes);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw unavailable(`${file} can not be read: ${messageOf(cause)}`, cause);
  }
  const fields = readJsonFields(bytes, (why, cause) => damaged(file, why, cause));
  const verifiedAt = parseRfc3339(fields.text('verifiedAt'));
  if (verifiedAt === undefined) throw damaged(file, 'verifiedAt is no time');
  return {
    url: fields.text('url'),
    begunWith: fields.text('begunWith'),
    verifiedAt,
    metadata: readMetadata(fields.object('metadata')),
    trustedRoot: fields.bytes('trustedRoot'),
  };
}

function readMetadata(fields: JsonFields): TufState['metadata'] {
  const [root, timestamp, snapshot, targets] = tufRoles.map((role) => fields.text(role));
  return { root, timestamp, snapshot, targets } as TufState['metadata'];
}

/** Puts the state in place of the last one, and makes the folder where it is not there. */
export async function writeTufState(file: string, state: TufState): Promise<void> {
  const { trustedRoot, verifiedAt, ...rest } = state;
  const text = JSON.stringify({
    ...rest,
    verifiedAt: verifiedAt.toISOString(),
    trustedRoot: Buffer.from(trustedRoot).toString('base64'),
  });
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  const draft = `${file}.${randomHex(8)}`;
  try {
    await writeFile(draft, text, { mode: 0o600, flag: 'wx', flush: true });
    await rename(draft, file);
  } finally {
    await rm(draft, { force: true });
  }
}

/**
 * When trust in the state ends: with the first of its roles. Where nothing may be fetched, the
 * roles that say only that nothing newer is out, timestamp and snapshot, can't be had fresh and do
 * not count (TUF specification, section 5.4.4, is about what a repository serves).
 */
export function expiryOf(
  metadata: Readonly<Partial<Record<TufRole, string>>>,
  mode: 'refreshed' | 'offline',
): Date {
  const counted = tufRoles.filter((role) =>
    mode === 'refreshed' ? true : role === 'root' || role === 'targets',
  );
  const ends = counted.flatMap((role) => {
    const text = metadata[role];
    return text === undefined ? [] : [readExpiry(text, role)];
  });
  return new Date(Math.min(...ends.map((end) => end.getTime())));
}

function readExpiry(text: string, role: TufRole): Date {
  const fields = readJsonFields(text, (why, cause) => damaged(`the ${role} metadata`, why, cause));
  const expires = parseRfc3339(fields.object('signed').text('expires'));
  if (expires === undefined) throw damaged(`the ${role} metadata`, 'expires is no time');
  return expires;
}

function damaged(what: string, why: string, cause?: unknown): TrustError {
  return new TrustError('SIGSTORE_ROOT_MALFORMED', `${what} is damaged: ${why}`, { cause });
}

function unavailable(message: string, cause: unknown): TrustError {
  return new TrustError('SIGSTORE_ROOT_UNAVAILABLE', message, { cause });
}
