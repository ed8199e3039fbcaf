import { createHash } from 'node:crypto';
import type { CarriedTrust } from '../airgap/trust-files.ts';
import { readFileBounded } from '../files/read-file.ts';
import { getAnswer, type RevocationCache } from '../trust/revocation-cache.ts';
import { loadRevocationFiles } from '../trust/revocation-files.ts';
import type { RevocationStatus } from '../trust/revocation-source.ts';

/** In PEM a list takes a third more than its 32 MiB. */
const maxFileBytes = 64 * 1024 * 1024;

/** Takes down what was said of certificates, so that it can be said again where nobody is asked. */
export interface RevocationRecorder {
  readonly cache: RevocationCache;
  readonly onStatus: (status: RevocationStatus) => void;
  /** What was said, in the form in which `trust.revocation.files` are read. */
  carried(): Promise<readonly CarriedTrust[]>;
}

/** `folder`: that of `trust.revocation.files`, if it is configured. */
export function makeRevocationRecorder(folder: string | undefined): RevocationRecorder {
  const entries = new Map<string, Uint8Array>();
  const sources = new Set<string>();
  const cache: RevocationCache = {
    get: async (key) => entries.get(key),
    put: async (key, value) => void entries.set(key, value),
    // What ended is left out when it is carried.
    delete: async (key) => void entries.delete(key),
    keys: async (prefix, limit) =>
      [...entries.keys()].filter((key) => key.startsWith(prefix)).slice(0, limit),
  };
  return {
    cache,
    onStatus(status) {
      if ('source' in status) sources.add(status.source);
    },
    async carried() {
      const answers = await Promise.all([...entries.keys()].map((key) => answerIn(cache, key)));
      const files = folder === undefined ? [] : await filesIn(folder, sources);
      return [...answers.flat(), ...files];
    },
  };
}

async function answerIn(cache: RevocationCache, key: string): Promise<readonly CarriedTrust[]> {
  const [, source, kind] = /^answer ((ocsp|crl) .+)$/.exec(key) ?? [];
  const answer = source === undefined ? undefined : await getAnswer(cache, source);
  return answer === undefined ? [] : [toFile(answer.bytes, kind === 'crl' ? 'crl' : 'ocsp')];
}

function toFile(bytes: Uint8Array, extension: 'crl' | 'ocsp'): CarriedTrust {
  const name = createHash('sha256').update(bytes).digest('hex').slice(0, 32);
  return { path: `trust/revocation/${name}.${extension}`, kind: 'revocation', bytes };
}

/** Those that told something: an answer names the files that it came from, with commas between. */
async function filesIn(
  folder: string,
  sources: ReadonlySet<string>,
): Promise<readonly CarriedTrust[]> {
  const { responses, lists } = await loadRevocationFiles(folder);
  const files = new Set([...responses, ...lists].map(({ file }) => file));
  const told = [...sources].flatMap((source) => [source, ...source.split(', ')]);
  const carried: CarriedTrust[] = [];
  for (const file of new Set(told.filter((each) => files.has(each)))) {
    const bytes = await readFileBounded(file, maxFileBytes);
    carried.push(toFile(bytes, file.endsWith('.crl') ? 'crl' : 'ocsp'));
  }
  return carried;
}

/** The oldest that files of revocation data say of themselves; undefined where there are none. */
export async function revocationAsOf(folder: string): Promise<Date | undefined> {
  const { responses, lists } = await loadRevocationFiles(folder);
  const times = [
    ...lists.map(({ value }) => value.thisUpdate),
    ...responses.flatMap(({ value }) => value.responses.map(({ thisUpdate }) => thisUpdate)),
  ];
  const oldest = Math.min(...times.map((time) => time.getTime()));
  return times.length === 0 ? undefined : new Date(oldest);
}
