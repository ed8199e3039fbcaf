import type { Readiness, ReadinessProbe } from '../admin/health.ts';
import type { Clock } from '../kernel/clock.ts';
import { quoted } from '../kernel/quoted.ts';
import { messageOf } from '../kernel/tagged-error.ts';
import type { BlobStore } from '../storage/blob-store.ts';
import type { KeyValue } from '../storage/key-value.ts';
import { type Anchor, anchorState, daysLeft } from './anchors.ts';
import type { Basis } from './basis.ts';

/** A write that was seen to work is believed for so long. */
const believedMs = 5_000;

/** Whether the state takes a write and gives it back to this process. */
export function makeStateProbe(store: KeyValue, clock: Clock, worker?: number): ReadinessProbe {
  // Each process of a host writes its own.
  const probeKey = worker === undefined ? 'readiness' : `readiness ${worker}`;
  let believedUntilMs = -Infinity;
  const works: Readiness = { ok: true, says: 'takes writes' };
  const look = async (): Promise<Readiness> => {
    const written = Buffer.from(clock.now().toISOString());
    try {
      await store.put(probeKey, written);
      const found = await store.get(probeKey);
      if (found === undefined || !written.equals(found)) return { ok: false, says: 'lost a write' };
      believedUntilMs = clock.monotonicMs() + believedMs;
      return works;
    } catch (error) {
      return { ok: false, says: messageOf(error) };
    }
  };
  return {
    name: 'state',
    check: async () => (clock.monotonicMs() < believedUntilMs ? works : await look()),
  };
}

/**
 * A disk that takes no content makes nothing unservable: what is stored is served, and the rest
 * passes through as verified as ever. Taking this process out of service would lose all of that,
 * so it is told, and no more.
 */
export function makeContentProbe(store: Pick<BlobStore, 'health'>): ReadinessProbe {
  return {
    name: 'content',
    async check() {
      const health = store.health();
      if (health.state === 'writable') return { ok: true, says: 'is stored' };
      const says = `new content passes through and is not stored for a while: ${health.because}`;
      return { ok: true, says };
    },
  };
}

/** What ends takes nothing out of service that other anchors prove; it is told ahead of time. */
export function makeAnchorProbe(anchors: () => readonly Anchor[], clock: Clock): ReadinessProbe {
  return {
    name: 'trust anchors',
    check: async () => ({ ok: true, says: describeAnchors(anchors(), clock.now()) }),
  };
}

function describeAnchors(anchors: readonly Anchor[], at: Date): string {
  const valid = anchors.filter(({ certificate }) => anchorState(certificate, at) === 'valid');
  const counts = `${valid.length} of ${anchors.length} are valid`;
  const [first] = valid;
  if (first === undefined) return counts;
  const { subject } = first.certificate;
  const left = daysLeft(first.certificate, at);
  return `${counts}; the first ends in ${left} days (${first.store}, ${quoted(subject.text, 120)})`;
}

/** Loaded it is, or the process would not run; a change that does not load is said, and no more. */
export function makeBasisProbe(basis: Basis): ReadinessProbe {
  return {
    name: 'policy and trust',
    async check() {
      const inForce = `policy ${basis.current().policy.digest.slice(0, 12)} is in force`;
      const problem = basis.problem();
      const says =
        problem === undefined ? inForce : `${inForce}; a change does not load: ${problem}`;
      return { ok: true, says };
    },
  };
}
