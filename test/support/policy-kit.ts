import { type Problem } from '../../src/files/problem.ts';
import { readYaml } from '../../src/files/yaml.ts';
import { type Digest, digestOf } from '../../src/oci/digest.ts';
import {
  makeReport,
  type Place,
  type ReportProblem as Complain,
} from '../../src/policies/document-reader.ts';
import { PolicyError } from '../../src/policies/policy-error.ts';
import { type LoadedTrustPolicy, loadTrustPolicy } from '../../src/policies/trust-policy.ts';
import type { Identity } from '../../src/verdict/identity.ts';
import type { Report } from '../../src/verdict/report.ts';

/** The root of a YAML text, and a list that fills with `PATH: MESSAGE` as readers complain. */
export function placeOf(yaml: string): {
  readonly place: Place;
  readonly report: Complain;
  readonly messages: () => readonly string[];
} {
  const problems: Problem[] = [];
  const { root } = readYaml(yaml);
  if (root === undefined) throw new TypeError(`no YAML: ${yaml}`);
  return {
    place: { node: root, path: '$' },
    report: makeReport(problems),
    messages: () => problems.map(({ path, message }) => `${path}: ${message}`),
  };
}

/** Identities `a` to `e` by keys of their own stores. */
export const fiveIdentities = ['a', 'b', 'c', 'd', 'e']
  .map(
    (name) => `  ${name}: { notation: { trustStores: ["ca:${name}"], trustedIdentities: ["*"] } }`,
  )
  .join('\n');

export function loadPolicy(
  text: string,
  files: Readonly<Record<string, string>> = {},
): Promise<LoadedTrustPolicy> {
  return loadTrustPolicy(text, 'policy.yaml', async (path) => {
    const content = files[path];
    if (content === undefined) throw new Error(`there is no ${path}`);
    return content;
  });
}

/** A policy of version 1 with five identities and these rules. */
export function loadRules(rules: string): Promise<LoadedTrustPolicy> {
  return loadPolicy(`version: 1\nidentities:\n${fiveIdentities}\nrules:\n${rules}`);
}

/** What is wrong in a policy; empty where it loads. */
export async function problemsIn(
  text: string,
  files: Readonly<Record<string, string>> = {},
): Promise<readonly string[]> {
  try {
    await loadPolicy(text, files);
    return [];
  } catch (error) {
    if (error instanceof PolicyError) return error.messages;
    throw error;
  }
}

export function certificateIdentity(key: string): Identity {
  return {
    kind: 'certificate',
    subject: `CN=${key}`,
    issuer: 'CN=ca',
    certificateFingerprint: `certificate of ${key}`,
    keyFingerprint: key,
  };
}

export function signatureDigest(name: string): Digest {
  return digestOf(Buffer.from(name));
}

/** A trusted report: `identity` is proven by `key`. */
export function trustedReport(identity: string, key = `key of ${identity}`): Report {
  return {
    format: 'notation-jws',
    signature: signatureDigest(key),
    identity,
    outcome: 'trusted',
    checks: [],
    signer: certificateIdentity(key),
    loggedFailures: 0,
  };
}

export function failedReport(
  identity: string,
  outcome: 'untrusted' | 'inconclusive',
  overrides: Partial<Report> = {},
): Report {
  return {
    format: 'notation-jws',
    signature: signatureDigest(`${outcome} for ${identity}`),
    identity,
    outcome,
    checks: [],
    loggedFailures: 0,
    ...overrides,
  };
}
