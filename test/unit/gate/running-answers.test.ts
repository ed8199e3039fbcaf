import t from 'tap';
import { mergeDenials } from '../../../src/gate/denial-set.ts';
import { makeDenyList } from '../../../src/gate/deny-list.ts';
import { makeRunningAnswers } from '../../../src/gate/running-answers.ts';
import type { Digest } from '../../../src/oci/digest.ts';
import type { DenyTarget } from '../../../src/verdict/denial.ts';
import type { Report } from '../../../src/verdict/report.ts';
import { denialOf } from '../../support/deny-kit.ts';
import { makeAdmission, makeVerdict } from '../../support/fake-gate.ts';
import { makeFakeClock } from '../../support/fake-clock.ts';
import { app } from '../../support/gate-kit.ts';
import { makeCountingMetrics } from '../../support/silence.ts';

const digest = `sha256:${'1'.repeat(64)}` as Digest;
const root = `sha256:${'2'.repeat(64)}` as Digest;
const other = `sha256:${'3'.repeat(64)}` as Digest;
const report: Report = {
  format: 'toy',
  signature: `sha256:${'4'.repeat(64)}` as Digest,
  identity: 'alice',
  outcome: 'trusted',
  checks: [],
  loggedFailures: 0,
  signer: { kind: 'key', subject: 'alice.pub', keyFingerprint: 'a'.repeat(64) },
};
const verdict = makeVerdict({ kind: 'trusted', subject: root, reports: [report] });
const sent = {
  descriptor: { digest },
  admission: makeAdmission({ verdict, through: [root] }),
};

function setUp() {
  const list = makeDenyList(makeFakeClock());
  const metrics = makeCountingMetrics();
  const running = makeRunningAnswers(list, metrics);
  const deny = (target: DenyTarget): void => {
    const next = mergeDenials(list.all().values(), [denialOf(target)]);
    list.replace(next, list.epoch() + 1);
  };
  return { running, deny, metrics };
}

const cutting: readonly DenyTarget[] = [
  { kind: 'digest', digest },
  { kind: 'digest', digest: root },
  { kind: 'repository', repository: 'reg/app' },
  { kind: 'key', fingerprint: 'a'.repeat(64) },
  { kind: 'digest', digest: report.signature },
];

t.test('an answer is cut by a denial of all that it rests on, once', (t) => {
  for (const target of cutting) {
    const { running, deny, metrics } = setUp();
    const cuts: string[] = [];
    running.watch(app, sent, (because) => cuts.push(because));
    t.same(cuts, []);
    deny(target);
    deny(target);
    t.equal(cuts.length, 1);
    t.match(cuts[0], /is on the deny list: INC-1/);
    t.equal(metrics.counted('assay_answers_cut_total'), 1);
  }
  t.end();
});

t.test('one that begins when it is denied already is cut at once', (t) => {
  for (const target of cutting) {
    const { running, deny } = setUp();
    const cuts: string[] = [];
    deny(target);
    running.watch(app, sent, (because) => cuts.push(because));
    t.equal(cuts.length, 1);
  }
  t.end();
});

t.test('others go on', (t) => {
  const { running, deny } = setUp();
  const cuts: string[] = [];
  running.watch(app, sent, (because) => cuts.push(because));
  deny({ kind: 'digest', digest: other });
  deny({ kind: 'repository', repository: 'reg/other' });
  deny({ kind: 'key', fingerprint: 'b'.repeat(64) });
  t.same(cuts, []);
  t.end();
});

t.test('one that has ended is not cut any more', (t) => {
  const { running, deny } = setUp();
  const cuts: string[] = [];
  const end = running.watch(app, sent, (because) => cuts.push(because));
  end();
  deny({ kind: 'digest', digest });
  t.same(cuts, []);
  t.end();
});
