import { existsSync } from 'node:fs';
import type { Readiness, ReadinessProbe } from '../admin/health.ts';
import { describeAge, type Freshness, freshnessOf } from '../airgap/freshness.ts';
import { type ForwardClock, makeForwardClock } from '../airgap/forward-clock.ts';
import { type Published, readPublished } from '../airgap/published.ts';
import { makeStoreFiles, type StoreFiles } from '../airgap/store-files.ts';
import type { Config } from '../config/schema.ts';
import { makeSeal, type Seal } from '../gate/sealed.ts';
import type { Staleness } from '../gate/stale-knowledge.ts';
import { messageOf } from '../kernel/tagged-error.ts';
import type { Metrics } from '../observe/metric-list.ts';
import { systemFiles } from '../storage/file-system.ts';
import type { Repository } from '../oci/repository.ts';
import type { ContentSource } from '../upstream/content-source.ts';
import { makeLayoutSource } from '../upstream/layout-source.ts';
import { repeat } from './repeat.ts';
import { StartupError } from './startup-error.ts';
import { openSealKeys } from './state-folder.ts';
import type { Upstreams } from './upstreams.ts';
import type { Observed } from './verifier.ts';
import { fingerprintOf } from './watch-files.ts';
import { makeZoneLayout } from './zone-layout.ts';

/** What was imported over an air gap, as it is served. */
export interface Zone {
  /** Undefined before the first import. */
  published(): Published | undefined;
  /** Keys of the upstreams that something was imported of. */
  readonly upstreams: Pick<ReadonlySet<string>, 'has'>;
  /** Undefined for another upstream. */
  source(upstream: string): ContentSource | undefined;
  /** Undefined before the first import. */
  freshness(): Freshness | undefined;
  /** Takes over what was published meanwhile; never rejects. */
  look(): Promise<void>;
  readonly probe: ReadinessProbe;
}

/** How often it is looked whether another generation is in force. */
const lookIntervalMs = 1_000;

/**
 * The store that the configuration names; undefined where it names none. Looked at again and again
 * until `opened` is closed. Throws `StartupError` where it can't be believed.
 */
export async function openZone(
  { airgap }: Pick<Config, 'airgap'>,
  seal: Seal,
  observed: Observed & { readonly clock: ForwardClock },
  opened: AsyncDisposableStack,
): Promise<Zone | undefined> {
  if (airgap?.store === undefined) return undefined;
  const zone = makeZone(airgap.store, airgap.revocationMaxAge, seal, observed);
  await zone.read().catch((cause: unknown) => {
    throw new StartupError('STATE_UNUSABLE', `airgap.store: ${messageOf(cause)}`, { cause });
  });
  const rounds = repeat(() => zone.look(), lookIntervalMs);
  opened.defer(() => rounds.close());
  return zone;
}

/** The same for a command, which brings no state of its own. */
export async function openZoneBeside(
  config: Config,
  observed: Observed,
  opened: AsyncDisposableStack,
): Promise<Zone | undefined> {
  if (config.airgap?.store === undefined || !existsSync(config.airgap.store)) return undefined;
  const seal = makeSeal(await openSealKeys(config));
  const clock = makeForwardClock(observed.clock);
  return openZone(config, seal, { ...observed, clock }, opened);
}

type MaxAge = NonNullable<Config['airgap']>['revocationMaxAge'];

/** What was last read of `published.json`. */
interface Seen {
  published: Published | undefined;
  fingerprint: string | undefined;
  problem: string | undefined;
}

function makeZone(
  root: string,
  maxAge: MaxAge,
  seal: Seal,
  observed: Observed & { readonly clock: ForwardClock },
) {
  const { metrics, log, clock } = observed;
  const store = makeStoreFiles(root);
  const seen: Seen = { published: undefined, fingerprint: undefined, problem: undefined };
  const maxAges = { warnMs: maxAge.warn?.ms, denyMs: maxAge.deny?.ms };
  const freshness = (): Freshness | undefined =>
    seen.published && freshnessOf(seen.published, maxAges, clock.now());
  const read = async (): Promise<void> => {
    await readAnew(store, seal, seen, log);
    seen.problem = undefined;
    // Whoever sets the clock back must not have what has ended count again.
    // Without a bundle nobody has signed a time.
    if (seen.published !== undefined && seen.published.sequence > 0)
      clock.raise(new Date(seen.published.importedAt));
    publishMetrics(seen.published, freshness(), metrics);
  };
  return {
    published: () => seen.published,
    ...makeSources(store, seen, metrics),
    freshness,
    read,
    async look() {
      try {
        await read();
      } catch (error) {
        const because = messageOf(error);
        if (because !== seen.problem) {
          log.error({ because }, 'what was imported can not be read; the last that could be stays');
        }
        seen.problem = because;
        publishMetrics(seen.published, freshness(), metrics);
      }
    },
    probe: {
      name: 'air gap',
      check: async () => describe(seen.published, freshness(), seen.problem),
    },
  } satisfies Zone & { readonly read: () => Promise<void> };
}

async function readAnew(
  store: StoreFiles,
  seal: Seal,
  seen: Seen,
  log: Observed['log'],
): Promise<void> {
  const fingerprint = await fingerprintOf(store.published);
  if (fingerprint === seen.fingerprint) return;
  const next = await readPublished(store, seal, systemFiles);
  const isOther = next?.generation !== seen.published?.generation;
  seen.published = next ?? seen.published;
  seen.fingerprint = fingerprint;
  if (!isOther || next === undefined) return;
  const { generation, sequence, images } = next;
  log.info({ generation, sequence, images }, 'what was imported is served');
}

function makeSources(store: StoreFiles, seen: Pick<Seen, 'published'>, metrics: Metrics) {
  const sources = new Map<string, ContentSource>();
  const upstreams = { has: (key: string) => seen.published?.upstreams.includes(key) === true };
  const current = () => {
    const generation = seen.published?.generation ?? 0;
    return { version: String(generation), generation: store.generation(generation) };
  };
  return {
    upstreams,
    source(name: string): ContentSource | undefined {
      if (!upstreams.has(name)) return undefined;
      const folder = makeZoneLayout(store.root, name, current);
      const source = sources.get(name) ?? makeLayoutSource({ name, folder }, { metrics });
      sources.set(name, source);
      return source;
    },
  };
}

function publishMetrics(
  published: Published | undefined,
  freshness: Freshness | undefined,
  metrics: Metrics,
): void {
  if (published === undefined || freshness === undefined) return;
  metrics.set('assay_airgap_generation', {}, published.generation);
  metrics.set('assay_airgap_sequence', {}, published.sequence);
  metrics.set('assay_airgap_revocation_age_seconds', {}, freshness.ageMs / 1000);
}

/** What is old is refused one by one, with its reason: no other replica has anything newer. */
function describe(
  published: Published | undefined,
  freshness: Freshness | undefined,
  problem: string | undefined,
): Readiness {
  const trouble = problem === undefined ? '' : `; ${problem}`;
  if (published === undefined || freshness === undefined) {
    return { ok: problem === undefined, says: `nothing was imported yet${trouble}` };
  }
  const { generation, sequence, leftOut } = published;
  const { state, asOf, ageMs } = freshness;
  const left = leftOut === 0 ? '' : `, ${leftOut} images left out`;
  const aged = {
    fresh: '',
    old: ', older than airgap.revocationMaxAge.warn',
    stale: ', older than airgap.revocationMaxAge.deny: refused',
  };
  const known = `revocations as of ${asOf.toISOString()}, ${describeAge(ageMs)} ago${aged[state]}`;
  // Before the first there may be plain layouts.
  const bundle = sequence === 0 ? 'no bundle' : `bundle ${sequence}`;
  const says = `generation ${generation}, ${bundle}${left}; ${known}${trouble}`;
  return { ok: true, says };
}

/** What was imported goes before what is configured under the same name. */
export function withZone(upstreams: Upstreams, zone: Zone | undefined): Upstreams {
  if (zone === undefined) return upstreams;
  return { ...upstreams, get: (name) => zone.source(name) ?? upstreams.get(name) };
}

/** What of the knowledge behind it is to be said of what is served from there. */
export function stalenessIn(zone: Zone, { upstream }: Repository): Staleness | undefined {
  const freshness = zone.upstreams.has(upstream) ? zone.freshness() : undefined;
  if (freshness === undefined || freshness.state === 'fresh') return undefined;
  const { asOf, ageMs } = freshness;
  const age = `what is known of revocations is ${describeAge(ageMs)} old`;
  const because = `${age}, as of ${asOf.toISOString()}: import a newer bundle`;
  return { serving: freshness.state === 'stale' ? 'refused' : 'warned', because };
}

/** The keys that names may begin with. */
export function upstreamKeys(config: Pick<Config, 'upstreams'>, zone: Zone | undefined): string[] {
  return [...new Set([...Object.keys(config.upstreams), ...(zone?.published()?.upstreams ?? [])])];
}
