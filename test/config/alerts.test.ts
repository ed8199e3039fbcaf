import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { parse } from 'yaml';
import { metricList } from '../../src/observe/metric-list.ts';
import { makeMetrics } from '../../src/observe/metrics.ts';

const root = join(import.meta.dirname, '..', '..');
const folder = join(root, 'deploy', 'prometheus');

interface Rule {
  readonly alert: string;
  readonly expr: string;
  readonly labels: { readonly severity: string };
  readonly annotations: Readonly<Record<string, string>>;
}

interface Scenarios {
  readonly tests: readonly {
    readonly name: string;
    readonly input_series: readonly { readonly series: string }[];
    readonly promql_expr_test?: readonly {
      readonly exp_samples: readonly { readonly labels: string }[];
    }[];
  }[];
}

const { groups } = parse(await readFile(join(folder, 'alerts.yaml'), 'utf8')) as {
  groups: readonly { readonly rules: readonly Rule[] }[];
};
const rules = groups.flatMap(({ rules }) => rules);
const files = ['alerts.test.yaml', 'alerts-days.test.yaml'].map(async (name) => {
  const { tests } = parse(await readFile(join(folder, name), 'utf8')) as Scenarios;
  return tests;
});
const scenarios = (await Promise.all(files)).flat();

/** Labels that a metric of ours has, and those of the scrape. */
const labels = new Map<string, ReadonlySet<string>>(
  metricList.map(({ name, labels }) => [name, new Set([...labels, 'job', 'instance'])]),
);
const ofTheProcess = new Set(
  [...(await makeMetrics().render()).matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name!),
);

t.test('alerts are about metrics and labels that there are', async (t) => {
  t.ok(rules.length >= 20);
  const texts = [
    ...rules.map(({ alert, expr }) => [alert, expr]),
    ...scenarios.flatMap(({ name, input_series: all }) => all.map(({ series }) => [name, series])),
  ] as const;
  for (const [name = '', text = ''] of texts) {
    const selectors = [...text.matchAll(/\b(assay_\w+)(?:\{([^}]*)\})?/g)];
    t.ok(selectors.length > 0 || /\bup\{/.test(text), `${name} is about something`);
    for (const [, metric = '', matchers = ''] of selectors) {
      t.ok(labels.has(metric) || ofTheProcess.has(metric), `${name}: ${metric}`);
      const known = labels.get(metric) ?? new Set(['job', 'instance']);
      for (const [, label = ''] of matchers.matchAll(/(\w+)\s*(?:=~|!~|!=|=)\s*"/g)) {
        t.ok(known.has(label), `${name}: ${metric} has no label ${label}`);
      }
    }
  }
});

t.test('every alert says what it is, how grave, and where to read on', async (t) => {
  const page = await readFile(join(root, 'docs', 'operations.md'), 'utf8');
  const headings = [...page.matchAll(/^### (Assay\w+)/gm)].map(([, name]) => name!);
  const anchors = new Set(headings.map((name) => `docs/operations.md#${name.toLowerCase()}`));
  for (const { alert, labels, annotations } of rules) {
    t.match(labels.severity, /^(?:warning|critical)$/, alert);
    t.strictSame(Object.keys(annotations).toSorted(), ['description', 'runbook', 'summary']);
    t.ok(anchors.has(annotations['runbook'] ?? ''), `${alert}: ${annotations['runbook']}`);
  }
  const named = new Set(rules.map(({ annotations }) => annotations['runbook']));
  t.strictSame(named, anchors, 'and the page explains no other');
});

t.test('every alert has a scenario in which it fires, and one in which nothing does', async (t) => {
  const expected = scenarios
    .flatMap(({ promql_expr_test: checks = [] }) => checks)
    .map(({ exp_samples: samples }) => samples.map(({ labels }) => labels).join());
  for (const { alert } of rules) {
    t.ok(
      expected.some((text) => text.includes(`alertname="${alert}"`)),
      alert,
    );
  }
  t.ok(expected.filter((text) => text === '').length >= 20);
});
