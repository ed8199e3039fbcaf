import t from 'tap';
import { renderMetricsReference } from '../../src/observe/metrics-reference.ts';
import { renderReasonReference } from '../../src/verdict/reason-reference.ts';
import { matchesGolden } from '../support/golden.ts';

t.test('the page of metrics says what the list of metrics says', async (t) => {
  matchesGolden(t, 'docs/metrics.md', renderMetricsReference());
});

t.test('the page of reasons says what the table of reasons says', async (t) => {
  matchesGolden(t, 'docs/reasons.md', renderReasonReference());
});
