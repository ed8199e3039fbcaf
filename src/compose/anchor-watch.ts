import type { Clock } from '../kernel/clock.ts';
import type { Log } from '../observe/log.ts';
import { type Anchor, daysLeft, soonDays } from './anchors.ts';

/** Says ahead of time that trust anchors end. */
export interface AnchorWatch {
  /** Those that count from now on; looks at them at once. */
  take(anchors: readonly Anchor[]): void;
  /** Looks at them again. */
  look(): void;
  close(): void;
}

/** In days; one that has ended is below all of them. */
const thresholds = [0, 1, 7, soonDays];

/**
 * Warns in the log when an anchor has 30, 7 and 1 days left and when it has ended, once each for as
 * long as it is in its store. Looks every `intervalMs`.
 */
export function watchAnchors(
  { clock, log }: { readonly clock: Clock; readonly log: Log },
  intervalMs: number,
): AnchorWatch {
  let anchors: readonly Anchor[] = [];
  /** The threshold that was last warned of, by store and fingerprint. */
  let warned = new Map<string, number>();
  const look = (): void => {
    const at = clock.now();
    for (const anchor of anchors) {
      const left = daysLeft(anchor.certificate, at);
      const threshold = thresholds.find((days) => left < days);
      if (threshold === undefined || threshold >= (warned.get(nameOf(anchor)) ?? Infinity))
        continue;
      warned.set(nameOf(anchor), threshold);
      const message = left < 0 ? 'a trust anchor has ended' : 'a trust anchor ends soon';
      log.warn(toFields(anchor, left), message);
    }
  };
  const timer = setInterval(look, intervalMs);
  timer.unref();
  return {
    take(next) {
      anchors = next;
      const names = new Set(next.map(nameOf));
      warned = new Map([...warned].filter(([name]) => names.has(name)));
      look();
    },
    look,
    close: () => clearInterval(timer),
  };
}

function nameOf({ store, certificate }: Anchor): string {
  return `${store} ${certificate.fingerprint}`;
}

function toFields({ store, certificate }: Anchor, left: number): Record<string, unknown> {
  const { subject, fingerprint, notAfter } = certificate;
  return { store, subject: subject.text, fingerprint, ends: notAfter, daysLeft: left };
}
