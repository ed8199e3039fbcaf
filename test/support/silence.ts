import type { Log, LogFields } from '../../src/observe/log.ts';
import type { Metrics } from '../../src/observe/metric-list.ts';

/** Metrics for a test that asks what was counted. */
export interface CountingMetrics extends Metrics {
  /** How often the name was counted, or set, with labels that include these. */
  counted(name: string, labels?: Readonly<Record<string, string>>): number;
}

export function makeCountingMetrics(): CountingMetrics {
  const counts: { name: string; labels: Readonly<Record<string, string>>; by: number }[] = [];
  return {
    count: (name, labels, by = 1) => void counts.push({ name, labels, by }),
    time: (name, labels) => void counts.push({ name, labels, by: 1 }),
    set: (name, labels, value) => void counts.push({ name, labels, by: value }),
    counted(name, labels = {}) {
      const fits = counts.filter(
        (each) =>
          each.name === name &&
          Object.entries(labels).every(([label, value]) => each.labels[label] === value),
      );
      return fits.reduce((sum, { by }) => sum + by, 0);
    },
  };
}

/** A log that a test can read. */
export interface KeptLog extends Log {
  readonly lines: readonly { level: string; fields: LogFields; message: string }[];
}

export function makeKeptLog(): KeptLog {
  const lines: { level: string; fields: LogFields; message: string }[] = [];
  const at = (level: string) => (fields: LogFields, message: string) => {
    lines.push({ level, fields, message });
  };
  return { lines, debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
}
