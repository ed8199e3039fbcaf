import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import type { Examined } from '../../src/compose/verification.ts';
import { runAssay, runInProcess } from '../support/run-assay.ts';

const starter = ['--config', join(import.meta.dirname, '..', '..', 'config', 'assay.yaml')];

const verified = [
  { reference: 'demo/app:signed-jws', code: 0, first: 'trusted', reason: undefined },
  { reference: 'demo/app:signed-cose', code: 0, first: 'trusted', reason: undefined },
  { reference: 'demo/app:multi-arch', code: 0, first: 'trusted', reason: undefined },
  { reference: 'demo/chart:signed', code: 0, first: 'trusted', reason: undefined },
  { reference: 'demo/app:exempted', code: 0, first: 'exempt', reason: 'exempted' },
  { reference: 'demo/legacy:unsigned', code: 1, first: 'untrusted', reason: 'unsigned' },
  { reference: 'demo/app:unsigned', code: 1, first: 'untrusted', reason: 'unsigned' },
  { reference: 'demo/app:tampered', code: 1, first: 'untrusted', reason: 'signature-invalid' },
  { reference: 'demo/app:wrong-signer', code: 1, first: 'untrusted', reason: 'no-trusted-signer' },
  { reference: 'demo/app:expired', code: 1, first: 'untrusted', reason: 'signature-expired' },
  { reference: 'demo/cosign:signed-tag', code: 0, first: 'trusted', reason: undefined },
  { reference: 'demo/cosign:signed-bundle', code: 0, first: 'trusted', reason: undefined },
  { reference: 'demo/cosign:wrong-key', code: 1, first: 'untrusted', reason: 'no-trusted-signer' },
  { reference: 'demo/service:attested', code: 0, first: 'trusted', reason: undefined },
  { reference: 'demo/service:attested-tags', code: 0, first: 'trusted', reason: undefined },
  { reference: 'demo/service:no-sbom', code: 1, first: 'untrusted', reason: 'attestation-missing' },
  {
    reference: 'demo/service:other-builder',
    code: 1,
    first: 'untrusted',
    reason: 'attestation-condition',
  },
];

for (const { reference, code, first, reason } of verified) {
  t.test(`verify ${reference} ends with ${code}`, async (t) => {
    const plain = await runInProcess(['verify', reference, ...starter]);
    t.equal(plain.code, code);
    t.equal(plain.stderr, '');
    t.equal(plain.stdout.split('\n')[0], `${first} ${reference}`);
    const json = await runInProcess(['verify', reference, '--json', ...starter]);
    t.equal(json.code, code);
    const examined = JSON.parse(json.stdout) as Examined;
    t.equal(examined.reference, reference);
    t.equal(examined.verdict.reason, reason);
  });
}

t.test('the process ends with the exit code of the command', async (t) => {
  const [trusted, untrusted] = await Promise.all([
    runAssay(['verify', 'demo/app:signed-jws', ...starter]),
    runAssay(['verify', 'demo/app:unsigned', ...starter]),
  ]);
  t.match(trusted, { code: 0, stdout: /^trusted demo\/app:signed-jws\n/, stderr: '' });
  t.match(untrusted, { code: 1, stdout: /^untrusted demo\/app:unsigned\n/, stderr: '' });
});

t.test('verify says what audit mode and an exemption do', async (t) => {
  const audited = await runInProcess(['verify', 'demo/legacy:unsigned', ...starter]);
  t.match(audited.stdout, 'would be served: audit mode until 2036-01-01T00:00:00.000Z');
  const exempted = await runInProcess(['verify', 'demo/app:exempted', ...starter]);
  t.match(exempted.stdout, 'admitted by exemption until 2036-01-01T00:00:00.000Z');
});

t.test('explain shows the failed check and those that did not run', async (t) => {
  const { code, stdout } = await runInProcess(['explain', 'demo/app:tampered', ...starter]);
  t.equal(code, 1);
  t.match(stdout, /^demo\/app:tampered\n└─ sha256:[0-9a-f]{64}\n/);
  t.match(stdout, /✗ failed \S+: .* \[.+\]/);
  t.match(stdout, /· not run /);
  t.match(stdout, /what to do +treat it as tampered with/);
});

t.test('explain shows what an attestation says and which condition it fails', async (t) => {
  const { code, stdout } = await runInProcess([
    'explain',
    'demo/service:other-builder',
    ...starter,
  ]);
  t.equal(code, 1);
  t.match(stdout, /attests https:\/\/slsa\.dev\/provenance\/v1: meets nothing/);
  t.match(stdout, /✗ not met slsa\.builder: .*"https:\/\/demo\.example\/laptop"/);
  t.match(stdout, /✓ met sbom\.noLicense/);
});

t.test('a tag that does not exist ends with 1 and says so', async (t) => {
  const { code, stdout, stderr } = await runInProcess(['verify', 'demo/app:nope', ...starter]);
  t.equal(code, 1);
  t.equal(stdout, '');
  t.equal(stderr, 'assay: demo/app:nope does not exist upstream\n');
});

t.test('a name of no upstream is wrong usage', async (t) => {
  const { code, stderr } = await runInProcess(['verify', 'nowhere.example/app:1', ...starter]);
  t.equal(code, 64);
  t.match(stderr, /^assay: "nowhere.example" is no upstream of this configuration; /);
});

t.test('an upstream that can not be reached is inconclusive', async (t) => {
  const folder = t.testdir({
    'assay.yaml': [
      'upstreams: { closed: { url: "http://127.0.0.1:1", plainHttp: allowed } }',
      'trustPolicy: policy.yaml',
      'access: { anonymous: pull }',
    ].join('\n'),
    'policy.yaml':
      'version: 1\nrules:\n  - { digests: ["sha256:' +
      'a'.repeat(64) +
      '"], exempt: { reason: r, owner: o, until: 2036-01-01T00:00:00Z } }\n',
  });
  const { code, stdout, stderr } = await runInProcess([
    'verify',
    'closed/app:1',
    '--config',
    join(folder, 'assay.yaml'),
  ]);
  t.equal(code, 2, stderr);
  t.equal(stdout, '');
  t.match(stderr, /^assay: .*closed/);
  t.notMatch(stderr, / at .*\.ts:/, 'no stack');
});

t.test('a broken configuration names every problem by its place and ends with 78', async (t) => {
  const folder = t.testdir({
    'assay.yaml': 'upstreams: {}\nlisten: { port: 99999 }\nsurprise: 1\n',
  });
  const { code, stdout, stderr } = await runInProcess([
    'verify',
    'demo/app:1',
    '--config',
    join(folder, 'assay.yaml'),
  ]);
  t.equal(code, 78);
  t.equal(stdout, '');
  const lines = stderr.trimEnd().split('\n');
  t.ok(lines.length >= 3, stderr);
  for (const line of lines) t.match(line, /^assay: \S+assay\.yaml:\d+:\d+: /);
});

t.test('a trust store that can not be read is named and ends with 78', async (t) => {
  const folder = t.testdir({
    'assay.yaml':
      'upstreams: { demo: { layout: . } }\ntrustPolicy: p.yaml\naccess: { anonymous: pull }\n',
    'p.yaml':
      'version: 1\nidentities: { a: { notation: { trustStores: ["ca:a"], trustedIdentities: ["*"], level: strict } } }\nrules: [{ repositories: ["demo/**"], require: { signedBy: a } }]\n',
    trust: { x509: { ca: { a: { 'root.pem': 'no certificate' } } } },
  });
  const { code, stdout, stderr } = await runInProcess([
    'serve',
    '--config',
    join(folder, 'assay.yaml'),
  ]);
  t.equal(code, 78);
  t.equal(stdout, '');
  t.match(stderr, /^assay: the trust store does not load: .*root\.pem.*\n$/);
});

t.test('without a configuration it says where one is looked for', async (t) => {
  const { code, stderr } = await runAssay(['serve'], { cwd: t.testdir() });
  t.equal(code, 78);
  t.match(stderr, /neither \.\/assay\.yaml nor config\/assay\.yaml exists here/);
});

t.test('the policy of the starter is in order', async (t) => {
  const { code, stdout, stderr } = await runInProcess(['policy', 'check', ...starter]);
  t.equal(code, 0, stderr);
  t.match(stdout, /config\/trust-policy\.yaml: loads, 16 rules/);
});

t.test('what a policy probably does not mean is a finding, and no error', async (t) => {
  const policy = [
    'version: 1',
    'identities:',
    '  acme: { notation: { trustStores: ["ca:demo"], trustedIdentities: ["x509.subject: C=US, ST=WA, O=acme"], level: strict } }',
    'rules:',
    '  - { repositories: ["demo/**"], require: { signedBy: acme } }',
    '  - { repositories: ["demo/app"], require: { signedBy: acme } }',
    '  - { repositories: ["nowhere.example/**"], exempt: { reason: r, owner: o, until: 2020-01-01T00:00:00Z } }',
  ].join('\n');
  const file = join(t.testdir({ 'policy.yaml': policy }), 'policy.yaml');
  const { code, stdout } = await runInProcess(['policy', 'check', file, ...starter]);
  t.equal(code, 0);
  t.match(stdout, /rule 2 \(line 6\): never decides: rule 1 \(line 5\) matches all of it first/);
  t.match(stdout, /rule 3 \(line 7\): the exemption \(o\) ended/);
  t.match(stdout, /rule 3 \(line 7\): .* there is no upstream nowhere\.example/);
});

t.test('a trust store that a rule refers to and that is not there ends with 78', async (t) => {
  const policy = [
    'version: 1',
    'identities:',
    '  acme: { notation: { trustStores: ["ca:acme"], trustedIdentities: ["*"] } }',
    'rules:',
    '  - { repositories: ["demo/**"], require: { signedBy: acme } }',
  ].join('\n');
  const file = join(t.testdir({ 'policy.yaml': policy }), 'policy.yaml');
  const { code, stderr } = await runInProcess(['policy', 'check', file, ...starter]);
  t.equal(code, 78);
  t.match(stderr, /refers to trust store ca:acme, and .*x509\/ca\/acme holds no certificate/);
});

t.test('a policy file can be checked without any configuration', async (t) => {
  const file = join(import.meta.dirname, '..', '..', 'config', 'trust-policy.yaml');
  const { code, stdout } = await runAssay(['policy', 'check', file, '--json'], {
    cwd: t.testdir(),
  });
  t.equal(code, 0);
  t.match(JSON.parse(stdout), { file, rules: 16, findings: [] });
});

t.test('a policy with mistakes names each by its place and ends with 78', async (t) => {
  const file = join(t.testdir(), 'policy.yaml');
  await writeFile(
    file,
    'version: 2\nrules:\n  - repositories: []\n    requires: { signedBy: nobody }\n',
  );
  const plain = await runInProcess(['policy', 'check', file, ...starter]);
  t.equal(plain.code, 78);
  const lines = plain.stderr.trimEnd().split('\n');
  t.ok(lines.length >= 2, plain.stderr);
  for (const line of lines) t.match(line, /^assay: \S+policy\.yaml:\d+:\d+: /);
  const json = await runInProcess(['policy', 'check', file, '--json', ...starter]);
  t.equal(json.code, 78);
  t.match(JSON.parse(json.stdout), {
    error: { code: 'POLICY_UNUSABLE', messages: [/:1:/, /:3:/] },
  });
});

t.test('help and version go to standard output', async (t) => {
  const help = await runInProcess(['help']);
  t.match(help, { code: 0, stdout: /Commands:\n {2}serve /, stderr: '' });
  const command = await runInProcess(['verify', '--help']);
  t.match(command.stdout, /^Usage: assay verify REF .*[^]*Examples:\n {2}# /);
  t.same(await runInProcess(['help', 'verify']), command);
  const version = await runInProcess(['version', '--json']);
  t.match(JSON.parse(version.stdout), { assay: /^\d+\.\d+\.\d+/, node: /^\d+\./ });
});

t.test(
  'a token that is not there is a mistake of whoever named it, and worth no other try',
  async (t) => {
    const folder = t.testdir({ empty: '\n' });
    for (const [name, what] of [
      ['none', 'can not be read: it does not exist'],
      ['empty', 'is empty'],
    ] as const) {
      const file = join(folder, name);
      const words = ['deny', 'list', '--admin', 'http://127.0.0.1:1', '--token-file', file];
      const { code, stderr } = await runInProcess(words);
      t.equal(code, 78);
      t.equal(stderr, `assay: the token ${file} ${what}\n`);
    }
  },
);

t.test('a name without a tag is one of latest, and is told so where there is none', async (t) => {
  const { code, stderr } = await runInProcess(['verify', 'demo/app', ...starter]);
  t.equal(code, 1);
  t.equal(stderr, 'assay: demo/app:latest does not exist upstream\n');
});

t.test('the first word of several commands leads to all of them', async (t) => {
  const group = await runInProcess(['deny', '--help']);
  t.match(group, { code: 0, stderr: '' });
  t.match(group.stdout, /^Usage: assay deny COMMAND .*[^]*\n {2}deny add +\S.*\n {2}deny remove /);
  t.notMatch(group.stdout, 'serve');
  t.same(await runInProcess(['help', 'deny']), group);
  const alone = await runInProcess(['trust']);
  t.match(alone.stderr, "assay: 'trust' is no command, but 'trust list', 'trust refresh'\n");
  const unknown = await runInProcess(['trust', 'lst', '--help']);
  t.match(unknown, { code: 64, stderr: "there is no command 'trust lst'" });
});

t.test('wrong usage ends with 64 and a hint', async (t) => {
  for (const words of [
    [],
    ['frobnicate'],
    ['verify'],
    ['verify', 'a/b', 'c/d'],
    ['--frob'],
    ['policy'],
  ]) {
    const { code, stdout, stderr } = await runInProcess(words);
    t.equal(code, 64, words.join(' '));
    t.equal(stdout, '');
    t.match(stderr, /^assay: .+\nTry 'assay help'\.\n$/);
  }
});
