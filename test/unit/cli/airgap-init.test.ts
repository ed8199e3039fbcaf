import { createPublicKey } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { runInProcess } from '../../support/run-assay.ts';

t.test('keys and a root are made, for a person and for a script', async (t) => {
  const keys = join(t.testdir(), 'keys');
  const run = await runInProcess(['airgap', 'init', '--out', keys]);
  t.equal(run.code, 0, run.stderr);
  t.match(run.stdout, /^root 1 is in force: .*1\.root\.json\nstream [a-f0-9]{32}, until \d{4}-/);
  t.match(run.stdout, /\ntimestamp {2}1 of 1: [a-f0-9]{16}\n/);
  const root = JSON.parse(readFileSync(join(keys, '1.root.json'), 'utf8')) as {
    readonly signed: Readonly<Record<string, unknown>>;
  };
  t.match(root.signed, { _type: 'root', version: 1, 'x-assay-stream': /^[a-f0-9]{32}$/ });
  const rotated = await runInProcess([
    'airgap',
    'init',
    '--out',
    keys,
    '--rotate',
    'snapshot,timestamp',
    '--days',
    '10',
    '--json',
  ]);
  t.equal(rotated.code, 0, rotated.stderr);
  t.match(JSON.parse(rotated.stdout), {
    stream: root.signed['x-assay-stream'],
    version: 2,
    state: 'in-force',
    roles: { snapshot: { threshold: 1, keys: [/^[a-f0-9]{64}$/] } },
  });
  const renewed = await runInProcess(['airgap', 'init', '--out', keys, '--renew']);
  t.match(renewed.stdout, /^root 3 is in force: [^]*\nthe next bundle carries it/);
  t.notOk(readdirSync(keys).includes('root-3.pem'));
});

t.test('a root that others have to sign ends with 2, until they have', async (t) => {
  const parent = t.testdir();
  await runInProcess(['airgap', 'init', '--out', join(parent, 'alice')]);
  const pem = readFileSync(join(parent, 'alice', 'root-1.pem'));
  const publicKey = createPublicKey(pem).export({ format: 'pem', type: 'spki' });
  writeFileSync(join(parent, 'alice.pub'), publicKey);
  const init = (...words: readonly string[]) =>
    runInProcess(['airgap', 'init', '--out', join(parent, 'keys'), ...words]);
  const draft = await init(
    '--root-keys',
    'public:../alice.pub',
    '--timestamp-threshold',
    '2',
    '--timestamp-keys',
    'file:../alice/timestamp-1.pem,file:../alice/targets-1.pem',
  );
  t.equal(draft.code, 2, draft.stderr);
  t.match(draft.stdout, /^root 1 is a draft: .*1\.root\.json\.draft\n/);
  t.match(draft.stdout, /\ntimestamp {2}2 of 2: /);
  t.match(draft.stdout, /signed by 0, not by 1 of the root keys of root 1; sign it with --sign$/m);
  const signed = await init('--sign', 'file:../alice/root-1.pem');
  t.equal(signed.code, 0, signed.stderr);
  t.match(signed.stdout, /^root 1 is in force: /);
  const none = await init('--sign', 'file:../alice/root-1.pem');
  t.equal(none.code, 78);
  t.match(none.stderr, /2\.root\.json\.draft is not there/);
});

t.test('a folder with keys is a bad place for others', async (t) => {
  const keys = join(t.testdir(), 'keys');
  await runInProcess(['airgap', 'init', '--out', keys]);
  const before = readFileSync(join(keys, 'root-1.pem'));
  const again = await runInProcess(['airgap', 'init', '--out', keys]);
  t.equal(again.code, 78);
  t.match(again.stderr, /has a root already: keys are never written over/);
  t.ok(readFileSync(join(keys, 'root-1.pem')).equals(before));
});

for (const [words, why] of [
  [[], /--out PATH is missing/],
  [['--out', 'x', '--rotate', 'roots'], /--rotate takes root, targets, snapshot, timestamp/],
  [['--out', 'x', '--rotate', 'root,'], /--rotate has an empty name/],
  [['--out', 'x', '--renew', '--rotate', 'root'], /--rotate and --renew exclude each other/],
  [['--out', 'x', '--days', '0'], /--days takes a number from 1 to 36500/],
  [['--out', 'x', '--root-threshold', 'two'], /--root-threshold takes a number from 1 to 32/],
  [['--out', 'x', 'y'], /one argument too many/],
] as const) {
  t.test(`${words.join(' ') || 'nothing'} is a wrong command line`, async (t) => {
    const run = await runInProcess(['airgap', 'init', ...words]);
    t.equal(run.code, 64);
    t.match(run.stderr, why);
  });
}
