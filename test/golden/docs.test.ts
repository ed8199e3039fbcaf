import t from 'tap';
import { renderJsonSchema } from '../../src/config/json-schema.ts';
import { renderConfigurationReference } from '../../src/config/reference.ts';
import { renderMetricsReference } from '../../src/observe/metrics-reference.ts';
import { renderReasonReference } from '../../src/verdict/reason-reference.ts';
import { matchesGolden } from '../support/golden.ts';

t.test('the page of the configuration says what the schema says', async (t) => {
  matchesGolden(t, 'docs/configuration.md', renderConfigurationReference());
});

t.test('the JSON Schema of the configuration is published', async (t) => {
  matchesGolden(t, 'docs/assay.schema.json', renderJsonSchema());
});

t.test('the page of metrics says what the list of metrics says', async (t) => {
  matchesGolden(t, 'docs/metrics.md', renderMetricsReference());
});

t.test('the page of reasons says what the table of reasons says', async (t) => {
  matchesGolden(t, 'docs/reasons.md', renderReasonReference());
});
