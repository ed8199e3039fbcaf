import type { Readiness, ReadinessProbe } from '../admin/health.ts';
import { AirgapError } from '../airgap/airgap-error.ts';
import { describeAge, type Freshness, freshnessOf } from '../airgap/freshness.ts';
import { type Published, readPublished } from '../airgap/published.ts';
import { makeStoreFiles } from '../airgap/store-files.ts';
import type { Config } from '../config/schema.ts';
import type { Seal } from '../gate/sealed.ts';
import { messageOf } from '../kernel/tagged-error.ts';
import { systemFiles } from '../storage/file-system.ts';
import type { ContentSource } from '../upstream/content-source.ts';
import { makeLayoutSource } from '../upstream/layout-source.ts';
import { repeat } from './repeat.ts';
import { StartupError } from './startup-error.ts';
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
  observed: Observed,
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

type MaxAge = NonNullable<Config['airgap']>['revocationMaxAge'];

function makeZone(root: string, { warn, deny }: MaxAge, seal: Seal, observed: Observed) {
  const { metrics, log, clock } = observed;
  const store = makeStoreFiles(root);
  const sources = new Map<string, ContentSource>();
  let published: Published | undefined;
  let seen: string | undefined;
  let problem: string | undefined;
  const current = () => {
    const generation = published?.generation ?? 0;
    return { version: String(generation), generation: store.generation(generation) };
  };
  const freshness = (): Freshness | undefined =>
    published && freshnessOf(published, { warnMs: warn?.ms, denyMs: deny?.ms }, clock.now());
  const publishMetrics = (): void => {
    const age = freshness();
    if (published === undefined || age === undefined) return;
    metrics.set('assay_airgap_generation', {}, published.generation);
    metrics.set('assay_airgap_sequence', {}, published.sequence);
    metrics.set('assay_airgap_revocation_age_seconds', {}, age.ageMs / 1000);
  };
  const read = async (): Promise<void> => {
    const fingerprint = await fingerprintOf(store.published);
    if (fingerprint !== seen) {
      const next = await readPublished(store, seal, systemFiles);
      const isOther = next?.generation !== published?.generation;
      published = next ?? published;
      seen = fingerprint;
      if (isOther && published !== undefined) {
        const { generation, sequence, images } = published;
        log.info({ generation, sequence, images }, 'what was imported is served');
      }
    }
    problem = undefined;
    publishMetrics();
  };
  const upstreams = { has: (key: string) => published?.upstreams.includes(key) === true };
  return {
    published: () => published,
    upstreams,
    freshness,
    read,
    source(upstream: string) {
      if (!upstreams.has(upstream)) return undefined;
      const source =
        sources.get(upstream) ??
        makeLayoutSource(
          { name: upstream, folder: makeZoneLayout(root, upstream, current) },
          { metrics },
        );
      sources.set(upstream, source);
      return source;
    },
    async look() {
      try {
        await read();
      } catch (error) {
        const because = messageOf(error);
        if (because !== problem) {
          const code = error instanceof AirgapError ? error.code : undefined;
          log.error({ because, code }, 'what was imported can not be read; the last stays');
        }
        problem = because;
        publishMetrics();
      }
    },
    probe: {
      name: 'air gap',
      check: async () => describe(published, freshness(), problem),
    },
  } satisfies Zone & { readonly read: () => Promise<void> };
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
  const says = `generation ${generation}, bundle ${sequence}${left}; ${known}${trouble}`;
  return { ok: true, says };
}

/** What was imported goes before what is configured under the same name. */
export function withZone(upstreams: Upstreams, zone: Zone | undefined): Upstreams {
  if (zone === undefined) return upstreams;
  return { ...upstreams, get: (name) => zone.source(name) ?? upstreams.get(name) };
}

/** The keys that names may begin with. */
export function upstreamKeys(config: Pick<Config, 'upstreams'>, zone: Zone | undefined): string[] {
  return [...new Set([...Object.keys(config.upstreams), ...(zone?.published()?.upstreams ?? [])])];
}
