import { isObject, type Json, type JsonObject, JsonError, readJson } from '../../kernel/json.ts';
import { quoted } from '../../kernel/quoted.ts';

/** What a statement says but for its predicate: what it is about, and of which type. */
export interface StatementHead {
  readonly predicateType: string;
  /** Hashes of each subject by algorithm, in lower-case hex as they were written. */
  readonly subjects: readonly ReadonlyMap<string, string>[];
}

export interface HeadProblem {
  readonly problem: string;
}

// in-toto Attestation Framework, Statement v1 and v0.1.
const statementTypes = ['https://in-toto.io/Statement/v1', 'https://in-toto.io/Statement/v0.1'];
/** SBOMs nest components. */
const maxDepth = 64;
/**
 * An SBOM of 30 MB has fewer, also where each component has little more than a name and a license: 17
 * bytes a value. JSON.parse makes objects of 3 bytes each where nothing bounds them, and where a
 * thread's heap ends in the middle of it, the process ends with the thread: the worst that this many
 * were seen to take is 425 of its 512 MB, where each object has another name in it.
 */
const maxStatementValues = 2_000_000;
const maxSubjects = 1024;
const maxDigests = 32;
const maxTypeLength = 1024;

/**
 * Reads a statement up to its predicate; what is wrong with it is a value, because it may be read in
 * another thread. GHSA-cq38-jh5f-37mq: at most 1024 subjects, at most 32 hashes of each.
 */
export function readStatementHead(payload: Uint8Array): StatementHead | HeadProblem {
  try {
    const statement = readJson(payload, maxDepth, maxStatementValues);
    return isObject(statement) ? readHead(statement) : { problem: 'it is no object' };
  } catch (error) {
    if (error instanceof JsonError) return { problem: error.message };
    throw error;
  }
}

function readHead({ _type, predicateType, subject }: JsonObject): StatementHead | HeadProblem {
  if (typeof _type !== 'string' || !statementTypes.includes(_type)) {
    return { problem: 'its _type is not of an in-toto statement' };
  }
  if (typeof predicateType !== 'string' || predicateType === '') {
    return { problem: 'its predicateType is missing or no text' };
  }
  if (predicateType.length > maxTypeLength) return { problem: 'its predicateType is too long' };
  if (!Array.isArray(subject) || subject.length === 0) return { problem: 'it has no subject' };
  if (subject.length > maxSubjects) return { problem: `it has more than ${maxSubjects} subjects` };
  const subjects: ReadonlyMap<string, string>[] = [];
  for (const [index, item] of (subject as readonly Json[]).entries()) {
    const digests = readDigests(item);
    if ('problem' in digests) return { problem: `subject[${index}] ${digests.problem}` };
    subjects.push(digests);
  }
  return { predicateType, subjects };
}

function readDigests(item: Json): ReadonlyMap<string, string> | HeadProblem {
  const digest = isObject(item) ? item['digest'] : undefined;
  // Statement v1 lets a subject be without: then it names nothing that we know.
  if (digest === undefined && isObject(item)) return new Map();
  if (!isObject(digest)) return { problem: 'has no map of hashes' };
  const entries = Object.entries(digest);
  if (entries.length > maxDigests) return { problem: `has more than ${maxDigests} hashes` };
  const digests = new Map<string, string>();
  for (const [algorithm, value] of entries) {
    if (typeof value !== 'string') return { problem: `has a ${quoted(algorithm)} that is no text` };
    digests.set(algorithm, value);
  }
  return digests;
}
