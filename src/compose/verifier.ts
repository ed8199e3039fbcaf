import type { Config } from '../config/schema.ts';
import { signatureFormats } from '../formats/index.ts';
import type { Clock } from '../kernel/clock.ts';
import type { Log } from '../observe/log.ts';
import type { Metrics } from '../observe/metric-list.ts';
import { decide } from '../policies/decide.ts';
import type { RevocationSource } from '../trust/revocation-source.ts';
import { makeVerifier } from '../verifier/verification.ts';
import type { DeniedEvidence, VerificationBasis, Verifier } from '../verifier/verifier.ts';
import { verificationLimits } from './limits.ts';
import { makeConfiguredPlugins } from './plugins.ts';
import { aliasesOf } from './repository-aliases.ts';
import { signatureRepositoryOf } from './signature-repository.ts';
import type { Upstreams } from './upstreams.ts';
import type { WorkApart } from './worker-threads.ts';

/** What everything reports to, and tells the time by. */
export interface Observed {
  readonly clock: Clock;
  readonly metrics: Metrics;
  readonly log: Log;
}

/** The verifier with every format and the policy engine: the same for `serve` and for `verify`. */
export function makeConfiguredVerifier(
  config: Config,
  basis: () => VerificationBasis,
  upstreams: Pick<Upstreams, 'get'>,
  observed: Observed &
    WorkApart & { readonly revocation: RevocationSource; readonly denied: DeniedEvidence },
  limits = verificationLimits,
): Verifier {
  const { lifetimes } = config;
  return makeVerifier({
    ...observed,
    basis,
    source: (upstream) => upstreams.get(upstream),
    signatureRepository: (repository) => signatureRepositoryOf(config, repository),
    aliases: (repository) => aliasesOf(config, repository),
    formats: signatureFormats,
    sources: {
      revocation: observed.revocation,
      plugins: makeConfiguredPlugins(config, observed),
      readApart: observed.readApart,
    },
    decide,
    lifetimes: { trustedMs: lifetimes.trusted.ms, untrustedMs: lifetimes.untrusted.ms },
    limits,
  });
}
