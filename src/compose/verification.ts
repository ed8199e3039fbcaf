import type { Config } from '../config/schema.ts';
import type { DenyList } from '../gate/deny-list.ts';
import { NotFoundError } from '../gate/gate-error.ts';
import { fetchAndRead } from '../gate/manifest-reader.ts';
import { judgeVerdictOnTag } from '../gate/tag-verdict.ts';
import { fromUpstream } from '../gate/upstream-failure.ts';
import { type Clock, systemClock } from '../kernel/clock.ts';
import type { Digest } from '../oci/digest.ts';
import { MalformedError } from '../oci/malformed-error.ts';
import { type Reference, referenceSuffix } from '../oci/reference.ts';
import { type Repository, scopeOf } from '../oci/repository.ts';
import type { Log } from '../observe/log.ts';
import type { Metrics } from '../observe/metric-list.ts';
import type { RevocationCache } from '../trust/revocation-cache.ts';
import type { RevocationSource, RevocationStatus } from '../trust/revocation-source.ts';
import type { TrustMaterial } from '../trust/trust-material.ts';
import type { ContentSource } from '../upstream/content-source.ts';
import { describeDenial } from '../verdict/denial.ts';
import { noRuleFor, refusal } from '../verdict/refusal.ts';
import type { Verdict } from '../verdict/verdict.ts';
import type { Verifier } from '../verifier/verifier.ts';
import { readDenyList } from './deny.ts';
import { readImageName } from './image-name.ts';
import { verificationLimits } from './limits.ts';
import type { Address } from './listen.ts';
import { loadWholeBasis } from './load-basis.ts';
import { openRevocation } from './revocation.ts';
import { storedTagHistory } from './stored-tag-history.ts';
import { refreshEndedRoots } from './sigstore-refresh.ts';
import { openUpstreams, type Upstreams } from './upstreams.ts';
import { makeConfiguredVerifier, type Observed } from './verifier.ts';
import { openWorkApart } from './worker-threads.ts';
import { openZoneBeside, upstreamKeys, withZone } from './zone.ts';

/** A verdict, and the way to it. */
export interface Examined {
  /** The name in full, with the tag or digest that was asked for. */
  readonly reference: string;
  readonly verdict: Verdict;
  /** What a pull would be warned of, and what a person should know beside the verdict. */
  readonly warnings: readonly string[];
}

/** What `verify` and `explain` need: no listener, and of the state only a look; it runs beside a live server. */
export interface Verification {
  /**
   * Verifies what the name leads to now; undefined when it does not exist upstream. Throws
   * `ImageNameError` and the gate's `UnavailableError`.
   */
  examine(name: string, signal: AbortSignal): Promise<Examined | undefined>;
  close(): Promise<void>;
}

/** So long a Sigstore root that has ended is waited for. */
const rootsMs = 20_000;
const silentLog: Log = { debug() {}, info() {}, warn() {}, error() {} };
const noMetrics: Metrics = { count() {}, time() {}, set() {} };

/** What is not as the configuration says. */
export interface VerificationOverrides {
  /** In place of those that are configured; whoever opened them closes them. */
  readonly upstreams?: Pick<Upstreams, 'get'>;
  readonly denied?: DenyList;
  /** Where answers about revocation are kept, and looked for before anybody is asked. */
  readonly answers?: RevocationCache;
  /** Told of each answer about a certificate. */
  readonly onStatus?: (status: RevocationStatus) => void;
}

/** Loads policy and trust material and opens the upstreams. Throws `StartupError`. */
export async function openVerification(
  config: Config,
  clock: Clock = systemClock,
  overrides: VerificationOverrides = {},
): Promise<Verification> {
  const silent = { clock, metrics: noMetrics, log: silentLog };
  // A live server beside us is none of the hosts that anybody may send us to.
  const ownListeners = (): readonly Address[] => [config.listen, config.admin];
  await refreshEndedRoots(config, { ...silent, ownListeners }, AbortSignal.timeout(rootsMs));
  const basis = { ...(await loadWholeBasis(config, async () => undefined)), generation: 1 };
  const opened = new AsyncDisposableStack();
  const zone = await openZoneBeside(config, silent, opened);
  const upstreams =
    overrides.upstreams ?? withZone(await openOwnUpstreams(config, silent, opened), zone);
  const trust = (): TrustMaterial => basis.trust;
  const { answers: cache, onStatus } = overrides;
  const asked = openRevocation(config, { ...silent, trust, ownListeners, cache }, opened);
  const revocation = onStatus === undefined ? asked : telling(asked, onStatus);
  const denied = overrides.denied ?? (await readDenyList(config, clock));
  const observed = { ...silent, revocation, denied, ...openWorkApart(opened) };
  const history = storedTagHistory(config);
  const verifier = makeConfiguredVerifier(config, () => basis, upstreams, observed, {
    ...verificationLimits,
    // A person reads them all.
    maxReports: 10_000,
  });
  return {
    async examine(image, signal) {
      const { repository, reference } = readImageName(image, upstreamKeys(config, zone));
      const source = upstreams.get(repository.upstream);
      if (source === undefined) throw new TypeError(`no source for ${repository.upstream}`);
      const verdict = verifier.hasRuleIn(repository)
        ? await reach(repository, reference, { source, verifier, denied, clock }, signal)
        : refusal(noRuleFor(scopeOf(repository)), clock.now());
      if (verdict === undefined) return undefined;
      const name = `${scopeOf(repository)}${referenceSuffix(reference)}`;
      if ('digest' in reference) return { reference: name, verdict, warnings: [] };
      const using = { verifier, history, ...silent };
      const judged = await judgeVerdictOnTag(repository, reference.tag, verdict, using);
      return { reference: name, ...judged };
    },
    close: () => opened.disposeAsync(),
  };
}

async function openOwnUpstreams(
  config: Config,
  silent: Observed,
  opened: AsyncDisposableStack,
): Promise<Upstreams> {
  const upstreams = await openUpstreams(config, { ...silent, ownListeners: () => [] });
  opened.defer(() => upstreams.close());
  return upstreams;
}

function telling(
  asked: RevocationSource,
  onStatus: (status: RevocationStatus) => void,
): RevocationSource {
  return {
    async statusOf(certificate, issuer, signal) {
      const status = await asked.statusOf(certificate, issuer, signal);
      onStatus(status);
      return status;
    },
  };
}

async function pin(
  { path }: Repository,
  reference: Reference,
  source: ContentSource,
  signal: AbortSignal,
): Promise<Digest | undefined> {
  if ('digest' in reference) return reference.digest;
  return await fromUpstream(source.resolveTag(path, reference.tag, signal), signal);
}

interface Using {
  readonly source: ContentSource;
  readonly verifier: Verifier;
  readonly denied: DenyList;
  readonly clock: Clock;
}

async function reach(
  repository: Repository,
  reference: Reference,
  using: Using,
  signal: AbortSignal,
): Promise<Verdict | undefined> {
  const digest = await pin(repository, reference, using.source, signal);
  if (digest === undefined) return undefined;
  const scope = scopeOf(repository);
  const denial = using.denied.onDigest(digest) ?? using.denied.onRepository(scope);
  if (denial !== undefined) {
    const because = describeDenial(denial);
    const why = { reason: 'denylisted', because } as const;
    return refusal({ scope, subject: digest, ...why }, using.clock.now());
  }
  try {
    const { descriptor, manifest } = await fetchAndRead(repository, digest, using.source, signal);
    return await using.verifier.verify({ repository, descriptor, manifest }, signal);
  } catch (error) {
    if (error instanceof NotFoundError) return undefined;
    if (!(error instanceof MalformedError)) throw error;
    const of = { scope: scopeOf(repository), subject: digest };
    const why = { reason: 'malformed-manifest', because: error.message } as const;
    return refusal({ ...of, ...why }, using.clock.now());
  }
}
