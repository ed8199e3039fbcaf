import type { Certificate } from '../crypto/x509.ts';
import { quoted } from '../kernel/quoted.ts';
import { messageOf } from '../kernel/tagged-error.ts';
import { type Obtain, statusByLists } from './crl-status.ts';
import { type FiledRevocation, statusByFiles } from './filed-revocation.ts';
import type { FetchBytes } from './fetch-bytes.ts';
import { ocspSource } from './ocsp-source.ts';
import type { AnswerStoreDependencies } from './answer-store.ts';
import type { RevocationSource, RevocationStatus } from './revocation-source.ts';
import { makeSignedAnswers } from './signed-answers.ts';
import type { SignedSource } from './signed-source.ts';

export interface RevocationDependencies extends AnswerStoreDependencies {
  /** Undefined: no socket is opened, and files alone answer. */
  readonly fetch?: FetchBytes | undefined;
  /** What files say, as loaded at this moment. */
  readonly filed: () => FiledRevocation | undefined;
}

export interface Revocation extends RevocationSource {
  /** A round of asking anew, in the background; never rejects. */
  refresh(): Promise<void>;
}

/**
 * Revocation as Notation has it: what files say, else OCSP, else revocation lists where OCSP could
 * not tell (Trust Store and Trust Policy specification, Certificate Revocation Evaluation).
 */
export function makeRevocation(dependencies: RevocationDependencies): Revocation {
  const { fetch, filed, clock, events, limits } = dependencies;
  const answers = makeSignedAnswers({ ...dependencies, fetch: fetch ?? neverFetch });
  const budgets = new WeakMap<AbortSignal, number>();
  // Each subject that is verified has a signal of its own.
  const mayAsk = (signal: AbortSignal): boolean => {
    const left = budgets.get(signal) ?? limits.questionsPerVerification;
    budgets.set(signal, left - 1);
    return left > 0;
  };
  return {
    async statusOf(certificate, issuer, signal) {
      const files = filed();
      const said = files && (await statusByFiles(certificate, issuer, files, clock.now()));
      const hasSource = certificate.ocspUrls.length + certificate.crlUrls.length > 0;
      if (said?.kind === 'revoked' || (said?.kind === 'good' && hasSource)) {
        events.reused(said.by, 'file', said.ageSeconds);
        return said.status;
      }
      if (!hasSource) return { kind: 'not-revocable' };
      if (fetch === undefined) return notAsked(certificate, said?.because);
      const obtain: Obtain = <T>(source: SignedSource<T>) =>
        answers.obtain(source, () => mayAsk(signal), signal);
      const status = await statusOver(certificate, issuer, obtain, dependencies);
      signal.throwIfAborted();
      return status;
    },
    async refresh() {
      if (fetch !== undefined) await answers.refresh();
    },
  };
}

const neverFetch: FetchBytes = () => Promise.reject(new Error('no socket may be opened'));

async function statusOver(
  certificate: Certificate,
  issuer: Certificate,
  obtain: Obtain,
  { limits }: RevocationDependencies,
): Promise<RevocationStatus> {
  const byOcsp =
    certificate.ocspUrls.length === 0
      ? undefined
      : await statusByOcsp(ocspSource(certificate, issuer, limits), obtain);
  if (byOcsp !== undefined && byOcsp.kind !== 'unknown') return byOcsp;
  const byLists =
    certificate.crlUrls.length === 0
      ? undefined
      : await statusByLists(certificate, issuer, obtain, limits);
  if (byLists !== undefined && byLists.kind !== 'unknown') return byLists;
  const problems = [byOcsp, byLists].flatMap((status) => status?.because ?? []);
  return unknown(certificate, problems.join('; '));
}

type ByOcsp = ReturnType<typeof ocspSource>;

async function statusByOcsp(
  source: ByOcsp,
  obtain: Obtain,
): Promise<Exclude<RevocationStatus, { kind: 'not-revocable' }>> {
  try {
    const { value, validUntil } = await obtain(source);
    if (value.kind === 'unknown') {
      return { kind: 'unknown', because: 'the OCSP responder does not know it' };
    }
    return { ...value, source: 'OCSP', validUntil };
  } catch (error) {
    return { kind: 'unknown', because: `OCSP: ${messageOf(error)}` };
  }
}

function notAsked(certificate: Certificate, because: string | undefined): RevocationStatus {
  const files = because === undefined ? 'no file tells' : `files do not tell: ${because}`;
  return unknown(certificate, `${files}, and offline nobody is asked`);
}

function unknown({ subject }: Certificate, because: string): RevocationStatus {
  const name = quoted(subject.text, 200);
  return { kind: 'unknown', because: `certificate ${name}: ${because}`.slice(0, 2000) };
}
