import { open } from 'node:fs/promises';
import { isObject, JsonError, readJson } from '../kernel/json.ts';
import { systemCodeOf } from '../kernel/tagged-error.ts';
import { intoStore } from './file-failure.ts';
import type { StoreFiles } from './store-files.ts';

/** One line of `audit.log`: what was imported, or why it was not. */
export type AuditLine = Readonly<Record<string, string | number | undefined>>;

const tailBytes = 64 * 1024;

/** Appends a line; the same as the last one (but for its time) is not written again. */
export async function writeAudit(
  { audit }: Pick<StoreFiles, 'audit'>,
  at: Date,
  line: AuditLine,
): Promise<void> {
  await intoStore(audit, async () => {
    const text = JSON.stringify(line);
    const last = await lastLine(audit);
    if (last !== undefined && withoutTime(last) === text) return;
    // A torn line must not swallow this one.
    const gap = last === undefined || last.endsWith('\n') || last === '' ? '' : '\n';
    const handle = await open(audit, 'a', 0o600);
    try {
      await handle.writeFile(`${gap}${JSON.stringify({ at: at.toISOString(), ...line })}\n`);
      await handle.sync();
    } finally {
      await handle.close();
    }
  });
}

/** With its end, if it has one; undefined: there is no log. */
async function lastLine(audit: string): Promise<string | undefined> {
  const handle = await open(audit, 'r').catch((error: unknown) => {
    if (systemCodeOf(error) === 'ENOENT') return undefined;
    throw error;
  });
  if (handle === undefined) return undefined;
  try {
    const { size } = await handle.stat();
    const bytes = Buffer.alloc(Math.min(size, tailBytes));
    await handle.read(bytes, 0, bytes.length, size - bytes.length);
    const text = bytes.toString('utf8');
    return text.slice(text.slice(0, -1).lastIndexOf('\n') + 1);
  } finally {
    await handle.close();
  }
}

function withoutTime(line: string): string | undefined {
  try {
    const json = readJson(line);
    if (!isObject(json)) return undefined;
    const { at: _, ...rest } = json;
    return JSON.stringify(rest);
  } catch (error) {
    if (error instanceof JsonError) return undefined;
    throw error;
  }
}
