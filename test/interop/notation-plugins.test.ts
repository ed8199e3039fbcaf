import { chmodSync, copyFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { systemClock } from '../../src/kernel/clock.ts';
import { makePlugins, noPlugins } from '../../src/plugins/plugins.ts';
import type { PluginQuestion } from '../../src/plugins/verification-plugin.ts';
import { loadTrustMaterial } from '../../src/trust/load.ts';
import { type FakeRegistry, startFakeRegistry } from '../support/fake-registry.ts';
import {
  answerOf,
  metadataOf,
  pluginName,
  writePlugin,
  type WrittenPlugin,
} from '../support/plugin-kit.ts';
import { requireTool } from '../support/require-tool.ts';
import type { NotationOverrides } from '../support/sign-notation.ts';
import { formats, image, makeCase, signature, type Statement } from './notation/case.ts';
import { openAssaySide } from './notation/run-assay.ts';
import { runNotation, writeConfiguration } from './notation/run-notation.ts';

// The real notation and Assay run the same plugin over the same signature.
t.setTimeout(200_000);

const identity = 'SIGNATURE_VERIFIER.TRUSTED_IDENTITY';
const revocation = 'SIGNATURE_VERIFIER.REVOCATION_CHECK';
const label = 'io.cncf.notary.verificationPlugin';
const extended = { 'com.example.a': 'b' };
const yes = { success: true };
const no = { success: false, reason: 'no' };

interface PluginRow {
  /** What get-plugin-metadata answers otherwise. */
  readonly metadata?: Readonly<Record<string, unknown>>;
  /** What verify-signature answers otherwise. */
  readonly answer?: Readonly<Record<string, unknown>>;
  /** What it does in place of an answer. */
  readonly verify?: string;
  readonly critical?: Readonly<Record<string, string>>;
  readonly sign?: NotationOverrides;
  readonly policy?: Statement;
  readonly installed?: false;
  readonly accepted: boolean;
  /** Where Assay does the opposite, on purpose: docs/differences.md. */
  readonly difference?: true;
}

const others: Statement = { trustedIdentities: ['x509.subject: C=US, ST=WA, O=others'] };
const processed = { processedAttributes: Object.keys(extended) };
const resultsOf = (verificationResults: object) => ({ verificationResults });

const rows: Readonly<Record<string, PluginRow>> = {
  'says yes': { accepted: true },
  'says yes about a signer that the policy does not list': { policy: others, accepted: true },
  'is not there': { installed: false, accepted: false },
  'says no about the signer': {
    answer: resultsOf({ [identity]: no, [revocation]: yes }),
    accepted: false,
  },
  'says that it is revoked': {
    answer: resultsOf({ [identity]: yes, [revocation]: no }),
    accepted: false,
  },
  'says that it is revoked, which the policy logs': {
    answer: resultsOf({ [identity]: yes, [revocation]: no }),
    policy: { signatureVerification: { level: 'permissive' } },
    accepted: true,
  },
  'has processed a critical attribute': { critical: extended, answer: processed, accepted: true },
  'has not processed a critical attribute': { critical: extended, accepted: false },
  'has not been asked about an attribute, as the policy skips all that it can': {
    critical: extended,
    metadata: { capabilities: [revocation] },
    answer: resultsOf({}),
    policy: { signatureVerification: { level: 'strict', override: { revocation: 'skip' } } },
    accepted: true,
    difference: true,
  },
  'gives no answer about revocation': { answer: resultsOf({ [identity]: yes }), accepted: false },
  'checks revocation alone, of a signer that the policy does not list': {
    metadata: { capabilities: [revocation] },
    answer: resultsOf({ [revocation]: yes }),
    policy: others,
    accepted: false,
  },
  'is of the least version': { critical: { [`${label}MinVersion`]: '1.2.0' }, accepted: true },
  'is too old': { critical: { [`${label}MinVersion`]: '1.2.1' }, accepted: false },
  'is asked for in a version that is none': {
    critical: { [`${label}MinVersion`]: 'latest' },
    accepted: false,
  },
  'has another name': { metadata: { name: 'com.example.other' }, accepted: false },
  'has no capability to verify': {
    metadata: { capabilities: ['SIGNATURE_GENERATOR.RAW'] },
    accepted: false,
  },
  crashes: { verify: 'exit 1', accepted: false },
  'answers with what is no JSON': { verify: 'echo yes', accepted: false },
  'says yes to a signature that has expired': {
    sign: { expiry: '2026-06-01T00:00:00Z' },
    accepted: false,
  },
};

const notation = requireTool(t, 'notation');
if (notation !== undefined) {
  const registry = await startFakeRegistry({ referrers: 'api' });
  t.teardown(() => registry.close());
  for (const format of formats) {
    for (const [index, [what, row]] of Object.entries(rows).entries()) {
      t.test(`both judge a ${format} signature alike whose plugin ${what}`, async (t) => {
        await judge(t, format, row, { notation, registry, path: `acme/${format}-${index}` });
      });
    }
  }
}

async function judge(
  t: Test,
  format: (typeof formats)[number],
  row: PluginRow,
  court: { readonly notation: string; readonly registry: FakeRegistry; readonly path: string },
): Promise<void> {
  const { registry, path } = court;
  const { metadata, answer, verify = `echo '${answerOf(answer)}'` } = row;
  const script = { metadata: metadataOf(metadata), verify };
  const [theirPlugin, ourPlugin] = [writePlugin(t, script), writePlugin(t, script)];
  const criticalMembers = { [label]: pluginName, ...row.critical };
  const made = signature(format, { criticalMembers, ...row.sign });
  const { policy = {} } = row;
  const one = makeCase('plugin', [made], 'accepts', { policy });
  for (const artifact of [image, made]) registry.put(path, artifact);
  const folder = t.testdir({});
  writeConfiguration(folder, one, `${registry.host}/${path}`);
  if (row.installed !== false) install(folder, theirPlugin);
  const reference = `${registry.host}/${path}@${image.descriptor.digest}`;
  const theirs = await runNotation(court.notation, folder, reference);
  const clock = systemClock;
  const plugins =
    row.installed === false
      ? noPlugins
      : makePlugins([ourPlugin], { clock, onRun: () => undefined });
  const assay = openAssaySide(registry, loadTrustMaterial, plugins);
  t.teardown(() => assay.close());
  const ours = await assay.verify(folder, path, image);
  t.equal(theirs.accepted, row.accepted, theirs.said);
  t.equal(ours.accepted, row.accepted !== (row.difference === true), ours.said);
  if (row.accepted && row.difference === undefined) {
    const [ourQuestions, theirQuestions] = [ourPlugin, theirPlugin].map(gistOf);
    t.same(ourQuestions, theirQuestions, 'it was asked the same');
  }
}

/**
 * What both say of the signature. notation writes an expiry that is not there as Go's zero time and
 * empty lists as `null`, and leaves the plugin's own attributes out, which the contract has.
 */
function gistOf(plugin: WrittenPlugin): readonly unknown[] {
  return (plugin.questions() as PluginQuestion[]).map(({ signature: asked, trustPolicy }) => {
    const { contentType, signingScheme, extendedAttributes } = asked.criticalAttributes;
    return {
      contentType,
      signingScheme,
      extendedAttributes: extendedAttributes ?? {},
      unprocessedAttributes: asked.unprocessedAttributes ?? [],
      certificateChain: asked.certificateChain,
      trustPolicy,
    };
  });
}

/** As notation finds it. */
function install(folder: string, { path }: WrittenPlugin): void {
  const place = join(folder, 'notation', 'plugins', pluginName);
  mkdirSync(place, { recursive: true });
  const file = join(place, `notation-${pluginName}`);
  copyFileSync(path, file);
  chmodSync(file, 0o755);
}
