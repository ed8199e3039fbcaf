import type { Digest } from '../oci/digest.ts';
import type { Reason } from './reason.ts';
import type { Report } from './report.ts';
import type { Search } from './search.ts';
import type { SigningTimes } from './signing-times.ts';

export type VerdictKind = 'trusted' | 'untrusted' | 'inconclusive';

/** The decision about a subject under one trust policy, with all that it rests on. */
export interface Verdict {
  /** Random, for logs, denials and `/v1/verdicts/ID`. */
  readonly id: string;
  readonly kind: VerdictKind;
  /** The repository as policies name it, such as `docker.io/library/nginx`. */
  readonly scope: string;
  /** Undefined where it was denied before anything was looked up. */
  readonly subject: Digest | undefined;
  /** Where the rule that decided stands in the policy, such as `rule 2 (line 14)`. */
  readonly rule?: string;
  /** Undefined when trusted. */
  readonly reason?: Reason;
  /** One sentence for a person: the reason with its particulars. */
  readonly because: string;
  /** What the policy says of serving it all the same. */
  readonly waiver?: Waiver;
  /** What was found, the telling ones first; `search` says how many were left out. */
  readonly reports: readonly Report[];
  /** Where signatures were looked for; undefined where nothing was. */
  readonly search?: Search;
  /** The platform children's own verdicts where the rule covers platforms. */
  readonly children: readonly Verdict[];
  /** When what it rests on was signed; only where the content is trusted, if not under this tag. */
  readonly signed?: SigningTimes;
  readonly checkedAt: Date;
  /** After this it is no longer a reason to serve. */
  readonly expiresAt: Date;
  /** Digest of everything that decided: the rule, its identities and their trust material. */
  readonly ruleDigest: string;
  /** The epoch of the deny list that it was reached under; undefined: nothing was on it. */
  readonly denyEpoch?: number;
  /** Seconds after which another try may find out; only when inconclusive. */
  readonly retryAfterSeconds?: number;
}

/** Serving without trust: visible in the answer, the log and the metrics, and never for ever. */
export type Waiver =
  | {
      readonly kind: 'exemption';
      readonly reason: string;
      readonly owner: string;
      readonly until: Date;
    }
  | { readonly kind: 'audit'; readonly until: Date };
