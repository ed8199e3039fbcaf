import t, { type Test } from 'tap';
import { DeniedError, UnavailableError } from '../../../src/gate/gate-error.ts';
import { fetchAndRead } from '../../../src/gate/manifest-reader.ts';
import { makeSealedState } from '../../../src/gate/sealed.ts';
import { readTagHistory } from '../../../src/gate/tag-history.ts';
import { judgeVerdictOnTag, type TagVerdict } from '../../../src/gate/tag-verdict.ts';
import type { Tag } from '../../../src/oci/reference.ts';
import type { Reason } from '../../../src/verdict/reason.ts';
import { type Artifact, buildImage } from '../../support/build-image.ts';
import { app, by, type GateKit, makeGateKit, never } from '../../support/gate-kit.ts';
import { makeCountingMetrics, makeKeptLog } from '../../support/silence.ts';
import { toySignature } from '../../support/toy-format.ts';

const tag = 'v1' as Tag;
const older = buildImage({ name: 'older' });
const newer = buildImage({ name: 'newer' });

const rule = (tags: string, more = ''): string => `
  - repositories: ["reg/**"]
    require: { signedBy: alice }
    tags: { ${tags} }${more}`;

const pull = ({ gate }: GateKit) => gate.admitManifest(app, by('v1'), never());

/** The tag was served with the older one, then the newer one, and points at the older one again. */
async function wentBack(rules: string): Promise<GateKit> {
  const kit = await makeGateKit(rules);
  const days = [[older, '10'] as const, [newer, '11'] as const];
  for (const [image, day] of days) {
    const time = `2029-12-${day}T00:00:00Z`;
    kit.source.put(toySignature(image.descriptor, { by: 'alice', made: [time, time] }));
    await pointAt(kit, image);
    await pull(kit).catch((error: unknown) => {
      if (!(error instanceof DeniedError)) throw error;
    });
  }
  await pointAt(kit, older);
  return kit;
}

async function pointAt(kit: GateKit, image: Artifact): Promise<void> {
  kit.source.put(image, 'v1');
  kit.clock.advanceMs(60_000);
}

type Of = Parameters<typeof judgeVerdictOnTag>[3]['history']['of'];

/** As a command does, which has a state of its own. */
async function look(kit: GateKit, image: Artifact, of?: Of): Promise<TagVerdict> {
  const { verifier, source, clock, store } = kit;
  const silent = { metrics: makeCountingMetrics(), log: makeKeptLog() };
  const state = makeSealedState(store, [Buffer.alloc(32, 7)], silent);
  const history = { of: of ?? ((scope, asked) => readTagHistory(state, scope, asked)) } as const;
  const { descriptor, manifest } = await fetchAndRead(
    app,
    image.descriptor.digest,
    source,
    never(),
  );
  const verdict = await verifier.verify({ repository: app, descriptor, manifest }, never());
  t.equal(verdict.kind, 'trusted', 'the content');
  return judgeVerdictOnTag(app, tag, verdict, { verifier, history, clock, ...silent });
}

async function snapshot({ store }: GateKit): Promise<string> {
  return JSON.stringify(await store.entries('', 1000));
}

const denied: Readonly<Record<string, readonly [tags: string, reason: Reason]>> = {
  'a rollback': ['rollback: deny', 'rolled-back'],
  'signatures that are too old': ['maxSignatureAge: 5d', 'signature-too-old'],
  'the age before the rollback': ['rollback: deny, maxSignatureAge: 5d', 'signature-too-old'],
};
for (const [what, [tags, reason]] of Object.entries(denied)) {
  t.test(`${what} is told as a pull is denied, and nothing is stored`, async (t) => {
    const kit = await wentBack(rule(tags));
    const before = await snapshot(kit);
    const { verdict } = await look(kit, older);
    t.equal(await snapshot(kit), before);
    const error = await pull(kit).then(undefined, (each: unknown) => each);
    if (!(error instanceof DeniedError)) throw new TypeError('a pull is denied');
    t.equal(error.reason, reason);
    const { kind, because, subject } = verdict;
    t.same(
      { kind, reason: verdict.reason, because, subject },
      { kind: 'untrusted', reason, because: error.message, subject: older.descriptor.digest },
    );
    t.equal(verdict.waiver, undefined);
    t.equal(verdict.reports.length, 1, 'its signatures are told all the same');
  });
}

t.test('what is let pass with a warning is trusted with the same warning', async (t) => {
  const until = '2030-02-01T00:00:00Z';
  const { digest } = older.descriptor;
  const entry = `{ digest: "${digest}", reason: INC-7, owner: sre@acme.example, until: ${until} }`;
  for (const tags of ['rollback: warn', `rollback: deny, allowedRollbacks: [${entry}]`]) {
    const kit = await wentBack(rule(tags));
    const { verdict, warnings } = await look(kit, older);
    t.equal(verdict.kind, 'trusted');
    t.equal(warnings.length, 1);
    t.same((await pull(kit)).admission.warnings, warnings);
  }
});

t.test('in audit mode it is untrusted, and would be served', async (t) => {
  const until = new Date('2030-02-01T00:00:00Z');
  const audit = `\n    mode: audit\n    until: ${until.toISOString()}`;
  const kit = await wentBack(rule('rollback: deny, maxSignatureAge: 5d', audit));
  const { verdict, warnings } = await look(kit, older);
  t.match(verdict, { kind: 'untrusted', reason: 'signature-too-old' });
  t.same(verdict.waiver, { kind: 'audit', until });
  t.match(warnings, [/^rolled-back: tag v1 went back from /]);
  t.ok(await pull(kit));
});

t.test('what is not bound by a rule for tags stays as it was', async (t) => {
  const kit = await wentBack(rule('rollback: allow'));
  const { verdict, warnings } = await look(kit, older);
  t.equal(verdict.kind, 'trusted');
  t.same(warnings, []);
});

t.test('it holds until its signatures are too old', async (t) => {
  const kit = await wentBack(rule('maxSignatureAge: 529h'));
  const { verdict } = await look(kit, older);
  t.equal(verdict.kind, 'trusted');
  t.same(verdict.expiresAt, new Date('2030-01-01T01:00:00Z'));
});

t.test('a tag of which nothing is remembered is trusted, and that is said', async (t) => {
  const kit = await wentBack(rule('rollback: deny'));
  const { verdict, warnings } = await look(kit, older, async () => []);
  t.equal(verdict.kind, 'trusted');
  t.match(warnings, [/^nothing is remembered of this tag/]);
});

t.test('a history that can not be read is inconclusive, also in audit mode', async (t) => {
  const away = () => Promise.reject(new UnavailableError('UNAVAILABLE', 'the state is away'));
  const audit = '\n    mode: audit\n    until: 2030-02-01T00:00:00Z';
  for (const more of ['', audit]) {
    const kit = await wentBack(rule('rollback: deny', more));
    const { verdict } = await look(kit, newer, away);
    t.match(verdict, { kind: 'inconclusive', reason: 'not-verifiable', waiver: undefined });
    t.match(verdict.because, /v1 was served with before could not be read: the state is away/);
  }
});

t.test('a mistake of ours is no verdict', async (t: Test) => {
  const kit = await wentBack(rule('rollback: deny'));
  await t.rejects(
    look(kit, newer, () => Promise.reject(new TypeError('a bug'))),
    TypeError,
  );
});
