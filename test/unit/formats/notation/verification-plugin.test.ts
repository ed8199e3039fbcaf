import t from 'tap';
import { examineNotation } from '../../../../src/formats/notation/examination.ts';
import { readCoseEnvelope } from '../../../../src/formats/notation-cose.ts';
import { readJwsEnvelope } from '../../../../src/formats/notation-jws.ts';
import { PluginError } from '../../../../src/plugins/plugin-error.ts';
import type {
  PluginAnswer,
  PluginMetadata,
  PluginQuestion,
  VerificationPlugins,
} from '../../../../src/plugins/verification-plugin.ts';
import type { NotationRequirement } from '../../../../src/verdict/identity-requirement.ts';
import { buildImage } from '../../../support/build-image.ts';
import { makeCase, type TestStores } from '../../../support/notation-case.ts';
import { runSteps } from '../../../support/run-steps.ts';
import {
  type HeaderValue,
  type NotationFormat,
  type NotationOverrides,
  notationSignature,
} from '../../../support/sign-notation.ts';
import { makeChain } from '../../../support/test-ca.ts';

const identity = 'SIGNATURE_VERIFIER.TRUSTED_IDENTITY';
const revocation = 'SIGNATURE_VERIFIER.REVOCATION_CHECK';
const name = 'com.example.plugin';
const label = 'io.cncf.notary.verificationPlugin';

const { descriptor: of } = buildImage();
const chain = makeChain();
const askingForOcsp = makeChain({ leaf: { ocspUrls: ['http://a/'] } });
/** Nobody: the chain's leaf has another name. */
const others: Partial<NotationRequirement> = {
  trustedIdentities: [
    new Map([
      ['C', 'US'],
      ['ST', 'WA'],
      ['O', 'others'],
    ]),
  ],
};
const skipRevocation: Partial<NotationRequirement> = {
  enforcement: {
    authenticity: 'enforce',
    authenticTimestamp: 'enforce',
    expiry: 'enforce',
    revocation: 'skip',
  },
};

interface FakePlugin {
  readonly metadata?: Partial<PluginMetadata>;
  readonly answer?: (question: PluginQuestion) => PluginAnswer;
}

/** Says yes to all that it is asked, and processes every attribute. */
function yesTo({ signature, trustPolicy }: PluginQuestion): PluginAnswer {
  const asked = trustPolicy.signatureVerification;
  return {
    results: new Map(asked.map((capability) => [capability, { success: true }])),
    processedAttributes: new Set(signature.unprocessedAttributes),
  };
}

interface Plan extends FakePlugin {
  readonly critical?: Readonly<Record<string, HeaderValue>>;
  readonly sign?: NotationOverrides;
  readonly format?: NotationFormat;
  readonly requirement?: Partial<NotationRequirement>;
  readonly chain?: typeof chain;
  readonly stores?: TestStores;
}

async function run(plan: Plan) {
  const { metadata, answer = yesTo, critical, format = 'jws', requirement = {} } = plan;
  const signer = plan.chain ?? chain;
  const questions: PluginQuestion[] = [];
  let described = 0;
  const plugin = {
    async describe() {
      described += 1;
      return { name, version: '1.2.0', capabilities: [identity, revocation] as const, ...metadata };
    },
    async verify(question: PluginQuestion) {
      questions.push(question);
      return answer(question);
    },
  };
  const plugins: VerificationPlugins = { get: (wanted) => (wanted === name ? plugin : undefined) };
  const { envelope } = notationSignature({
    of,
    format,
    chain: signer,
    criticalMembers: { [label]: name, ...critical },
    ...plan.sign,
  });
  const { stores } = plan;
  const made = makeCase({ of, chain: signer, requirement, ...(stores && { stores }) });
  const ran = await runSteps(
    examineNotation({
      ...made,
      untrustedEnvelope: envelope,
      read: format === 'jws' ? readJwsEnvelope : readCoseEnvelope,
      context: { ...made.context, plugins },
    }),
  );
  return { ...ran, questions, described: () => described };
}

t.test('a signature without a plugin asks none, and the check says so', async (t) => {
  const { findings, described } = await run({ sign: { criticalMembers: {} } });
  t.match(findings['verification-plugin'], {
    outcome: 'passed',
    evidence: { plugin: 'none asked for' },
  });
  t.equal(described(), 0);
});

for (const format of ['jws', 'cose'] as const) {
  t.test(`a plugin is told what a ${format} says, and takes over two checks`, async (t) => {
    const { stoppedBy, findings, proven, questions } = await run({
      format,
      chain: askingForOcsp,
      requirement: others,
      critical: { [`${label}MinVersion`]: '1.2.0', 'com.example.a': 'b', 'com.example.n': 7 },
      sign: { expiry: '2031-01-01T00:00:00Z' },
    });
    t.equal(stoppedBy, undefined, JSON.stringify(findings));
    t.same(questions, [
      {
        signature: {
          criticalAttributes: {
            contentType: 'application/vnd.cncf.notary.payload.v1+json',
            signingScheme: 'notary.x509',
            expiry: '2031-01-01T00:00:00Z',
            verificationPlugin: name,
            verificationPluginMinVersion: '1.2.0',
            extendedAttributes: { 'com.example.a': 'b', 'com.example.n': 7 },
          },
          unprocessedAttributes: ['com.example.a', 'com.example.n'],
          certificateChain: askingForOcsp.ders.map((der) => Buffer.from(der).toString('base64')),
        },
        trustPolicy: {
          trustedIdentities: ['x509.subject: C=US, ST=WA, O=others'],
          signatureVerification: [identity, revocation],
        },
      },
    ]);
    t.match(findings, {
      'verification-plugin': { outcome: 'passed', evidence: { plugin: `${name} 1.2.0` } },
      'trusted-identity': { outcome: 'passed', evidence: { checkedBy: 'verification plugin' } },
      revocation: { outcome: 'passed', evidence: { checkedBy: 'verification plugin' } },
    });
    t.same(proven.validUntil, new Date('2030-01-01T01:00:00Z'), 'revocation is asked again');
  });
}

t.test('the time of a signing authority is told', async (t) => {
  const { questions, stoppedBy } = await run({
    sign: { scheme: 'notary.x509.signingAuthority', signingTime: '2026-01-01T00:00:00Z' },
    requirement: { trustStores: ['signingAuthority:acme'] },
    stores: { 'signingAuthority:acme': [chain.root.der] },
  });
  t.equal(stoppedBy, undefined);
  t.match(questions[0]?.signature.criticalAttributes, {
    signingScheme: 'notary.x509.signingAuthority',
    authenticSigningTime: '2026-01-01T00:00:00Z',
  });
});

interface Refusal extends Plan {
  readonly at: string;
  readonly outcome?: 'failed' | 'inconclusive';
  readonly reason: string;
  readonly because: RegExp;
  /** Whether it was asked about the signature; true unless told. */
  readonly asked?: boolean;
}

const no = { success: false, untrustedReason: 'because' };

const refusals: Readonly<Record<string, Refusal>> = {
  'by a plugin that does not trust the signer': {
    answer: (question) => ({ ...yesTo(question), results: new Map([[identity, no]]) }),
    metadata: { capabilities: [identity] },
    at: 'trusted-identity',
    reason: 'no-trusted-signer',
    because: /does not trust the signer: "because"/,
  },
  'by a plugin that says that it is revoked': {
    answer: (question) => ({ ...yesTo(question), results: new Map([[revocation, no]]) }),
    metadata: { capabilities: [revocation] },
    at: 'revocation',
    reason: 'certificate-revoked',
    because: /says that it is revoked: "because"/,
  },
  'for an attribute that the plugin leaves unprocessed': {
    critical: { 'com.example.a': 'b', 'com.example.b': 'c' },
    answer: (question) => ({
      ...yesTo(question),
      processedAttributes: new Set(['com.example.a']),
    }),
    at: 'verification-plugin',
    reason: 'signature-invalid',
    because:
      /"com\.example\.b" is critical, and the plugin com\.example\.plugin did not process it/,
  },
  'for a plugin that is too old': {
    critical: { [`${label}MinVersion`]: '1.2.1' },
    at: 'verification-plugin',
    reason: 'plugin-needed',
    because: /asks for com\.example\.plugin "1\.2\.1" or later, and "1\.2\.0" is here/,
    asked: false,
  },
  'for a plugin that is not quite the least version': {
    critical: { [`${label}MinVersion`]: '1.2.0' },
    metadata: { version: '1.2.0-rc.1' },
    at: 'verification-plugin',
    reason: 'plugin-needed',
    because: /or later/,
    asked: false,
  },
  'for a plugin whose version is none': {
    metadata: { version: 'latest' },
    at: 'verification-plugin',
    outcome: 'inconclusive',
    reason: 'not-verifiable',
    because: /has a version that is none: "latest"/,
    asked: false,
  },
  'of a plugin that is not allowed': {
    critical: { [label]: 'com.example.other' },
    at: 'critical-attributes',
    reason: 'plugin-needed',
    because: /allow it under trust\.plugins/,
    asked: false,
  },
  'of a stranger, without asking': {
    stores: { 'ca:acme': [makeChain({ authority: 'stranger' }).root.der] },
    at: 'trusted-store',
    reason: 'no-trusted-signer',
    because: /no certificate of the chain/,
    asked: false,
  },
  'of a signer who is not listed, without asking, where the plugin leaves names to us': {
    metadata: { capabilities: [revocation] },
    requirement: others,
    at: 'verification-plugin',
    reason: 'no-trusted-signer',
    because: /is not listed/,
    asked: false,
  },
  'that has expired, whatever the plugin says': {
    sign: { expiry: '2029-01-01T00:00:00Z' },
    at: 'expiry',
    reason: 'signature-expired',
    because: /expired at 2029/,
  },
  'without a valid certificate, whatever the plugin says': {
    chain: makeChain({ leaf: { notAfter: '2029-01-01T00:00:00Z' } }),
    at: 'authentic-timestamp',
    reason: 'certificate-expired',
    because: /not valid now/,
  },
  'that does not verify, without asking': {
    sign: {
      signWith: makeChain({ authority: 'stranger', leaf: { key: 'EC-256' } }).root.privateKey,
    },
    at: 'signature-verifies',
    reason: 'signature-invalid',
    because: /does not verify/,
    asked: false,
  },
  'whose revocation the plugin leaves to us': {
    metadata: { capabilities: [identity] },
    chain: askingForOcsp,
    at: 'revocation',
    outcome: 'inconclusive',
    reason: 'revocation-unknown',
    because: /not asked/,
  },
  'with an attribute that no plugin can be told of': {
    format: 'cose',
    critical: { 'com.example.a': new Uint8Array([1]) },
    at: 'critical-attributes',
    reason: 'signature-invalid',
    because: /"com\.example\.a" is no text, integer or truth value/,
    asked: false,
  },
};

for (const [what, plan] of Object.entries(refusals)) {
  t.test(`a signature is refused ${what}`, async (t) => {
    const { at, outcome = 'failed', reason, because, asked = true } = plan;
    const { stoppedBy, findings, questions } = await run(plan);
    t.equal(stoppedBy, at, JSON.stringify(findings));
    t.match(findings[at], { outcome, reason, because });
    t.equal(questions.length, asked ? 1 : 0);
  });
}

t.test('a plugin that finds nothing out lets nothing pass', async (t) => {
  const answer = (): never => {
    throw new PluginError('PLUGIN_TIMEOUT', 'no answer');
  };
  await t.rejects(run({ answer }), { code: 'PLUGIN_TIMEOUT' });
});

t.test('a revocation that is only logged stops nothing, and is told', async (t) => {
  const { stoppedBy, findings } = await run({
    requirement: { level: 'permissive' },
    answer: (question) => ({
      ...yesTo(question),
      results: new Map([
        [identity, { success: true }],
        [revocation, { success: false }],
      ]),
    }),
  });
  t.equal(stoppedBy, undefined);
  t.match(findings['revocation'], { outcome: 'failed', reason: 'certificate-revoked' });
});

t.test('a revocation that the policy skips is not asked for', async (t) => {
  const { stoppedBy, questions } = await run({ requirement: skipRevocation });
  t.equal(stoppedBy, undefined);
  t.same(questions[0]?.trustPolicy.signatureVerification, [identity]);
});

t.test('whatever a plugin vouches for, it is asked again after an hour', async (t) => {
  const end = new Date('2030-01-01T01:00:00Z');
  const named = { requirement: skipRevocation, metadata: { capabilities: [identity] as const } };
  t.strictSame((await run(named)).proven.validUntil, end, 'the name of the signer');
  const only = { requirement: skipRevocation, metadata: { capabilities: [revocation] as const } };
  const critical = { 'com.example.a': true };
  t.strictSame((await run({ ...only, critical })).proven.validUntil, end, 'an attribute');
  const unasked = (await run(only)).proven.validUntil?.getTime() ?? Infinity;
  t.ok(unasked > end.getTime(), 'but for nothing');
});

t.test('a plugin with nothing left to do is not asked', async (t) => {
  const only = { requirement: skipRevocation, metadata: { capabilities: [revocation] as const } };
  const { stoppedBy, questions, findings } = await run(only);
  t.equal(stoppedBy, undefined);
  t.equal(questions.length, 0);
  t.match(findings['verification-plugin'], { evidence: { asked: /nothing/ } });
});

t.test('but for attributes that only it knows it is, even then', async (t) => {
  const only = { requirement: skipRevocation, metadata: { capabilities: [revocation] as const } };
  const critical = { 'com.example.a': true };
  const { stoppedBy, questions } = await run({ ...only, critical });
  t.equal(stoppedBy, undefined);
  t.equal(questions.length, 1);
  const ignoring = (question: PluginQuestion): PluginAnswer => ({
    ...yesTo(question),
    processedAttributes: new Set(),
  });
  t.equal((await run({ ...only, critical, answer: ignoring })).stoppedBy, 'verification-plugin');
});
