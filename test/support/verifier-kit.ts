import { verificationLimits } from '../../src/compose/limits.ts';
import type { SignatureFormat } from '../../src/formats/signature-format.ts';
import type { NonEmpty } from '../../src/kernel/non-empty.ts';
import type { Descriptor } from '../../src/oci/descriptor.ts';
import { readManifest } from '../../src/oci/manifest.ts';
import type { RepositoryPath } from '../../src/oci/repository.ts';
import type { JudgeStatement } from '../../src/policies/attestation.ts';
import { decide } from '../../src/policies/decide.ts';
import type { RequireRule, TrustPolicy } from '../../src/policies/policy.ts';
import { noPlugins } from '../../src/plugins/plugins.ts';
import type { TrustMaterial } from '../../src/trust/trust-material.ts';
import { unaskedRevocation } from './unasked-revocation.ts';
import type { ContentSource } from '../../src/upstream/content-source.ts';
import type { IdentityRequirement } from '../../src/verdict/identity-requirement.ts';
import type { Verdict } from '../../src/verdict/verdict.ts';
import type { VerificationLimits } from '../../src/verifier/verifier.ts';
import { makeVerifier } from '../../src/verifier/verification.ts';
import type { Artifact } from './build-image.ts';
import { makeDenyList } from '../../src/gate/deny-list.ts';
import { type FakeClock, makeFakeClock } from './fake-clock.ts';
import { app, never } from './gate-kit.ts';
import { makeMemorySource, type MemorySource } from './memory-source.ts';
import { meetsNothing } from './meets-nothing.ts';
import { readHere } from './read-here.ts';
import { enforcementOf, makeTrust } from './notation-case.ts';
import { makeCountingMetrics, makeKeptLog } from './silence.ts';
import { toyCosign, toyFormat } from './toy-format.ts';
import { referrerDescriptor } from './write-layout.ts';

export interface VerifierKitOptions {
  /** Who must have signed, with the family that proves it: any one of them. */
  readonly signers?: Readonly<Record<string, IdentityRequirement['family']>>;
  readonly formats?: readonly SignatureFormat[];
  readonly limits?: Partial<VerificationLimits>;
  readonly signatureRepository?: string;
  readonly trust?: TrustMaterial;
  readonly judge?: JudgeStatement;
  /** In place of the one in memory. */
  readonly remote?: ContentSource;
}

export interface VerifierKit {
  readonly source: MemorySource;
  readonly clock: FakeClock;
  verify(of: Artifact): Promise<Verdict>;
  /** The same as after a change of policy or trust material. */
  changeBasis(): void;
  /** Calls that read from the source, since the last question. */
  takeCalls(): readonly string[];
}

/** The real verifier over a source in memory, for a rule that names identities of any family. */
export function makeVerifierKit(options: VerifierKitOptions = {}): VerifierKit {
  const { signers = { alice: 'notation' }, trust = makeTrust({}) } = options;
  const source = makeMemorySource();
  const clock = makeFakeClock();
  let generation = 1;
  const policy = policyFor(signers);
  const verifier = makeVerifier({
    basis: () => ({ policy, trust, generation }),
    source: () => options.remote ?? source,
    signatureRepository: () => options.signatureRepository as RepositoryPath | undefined,
    aliases: () => [],
    formats: options.formats ?? [toyFormat, toyCosign],
    sources: { revocation: unaskedRevocation, plugins: noPlugins, readApart: readHere },
    decide,
    judge: options.judge ?? meetsNothing,
    denied: makeDenyList(clock),
    clock,
    lifetimes: { trustedMs: 86_400_000, untrustedMs: 10_000 },
    limits: { ...verificationLimits, ...options.limits },
    metrics: makeCountingMetrics(),
    log: makeKeptLog(),
  });
  return {
    source,
    clock,
    verify({ descriptor, bytes }) {
      const manifest = readManifest(bytes, descriptor.mediaType);
      return verifier.verify({ repository: app, descriptor, manifest }, never());
    },
    changeBasis: () => void (generation += 1),
    takeCalls: () => source.calls.splice(0),
  };
}

/** Lists the artifacts in this order, as a registry does with their types and annotations. */
export function listInOrder(source: MemorySource, artifacts: readonly Artifact[]): void {
  const found: readonly Descriptor[] = artifacts.map(referrerDescriptor);
  const { listReferrers } = source;
  source.listReferrers = async (...asked) => {
    await listReferrers(...asked);
    return { found };
  };
}

function policyFor(signers: NonNullable<VerifierKitOptions['signers']>): TrustPolicy {
  const [first, ...others] = Object.keys(signers);
  if (first === undefined) throw new TypeError('nobody may sign');
  const identities: NonEmpty<string> = [first, ...others];
  const [one, ...more] = identities;
  const rule: RequireRule = {
    kind: 'require',
    name: 'rule 1',
    digest: 'rule',
    until: undefined,
    requirement: {
      anyOf: [{ signedBy: one }, ...more.map((name) => ({ signedBy: name }))],
    },
    covers: 'index',
    audit: undefined,
    tags: undefined,
    trustStores: [],
    sigstoreRoots: [],
    identities,
    attestations: [],
  };
  return {
    digest: 'policy',
    revision: undefined,
    rules: [rule],
    ruleFor: () => rule,
    hasRuleIn: () => true,
    requirementOf: (name) => {
      const family = signers[name];
      return family && requirementOf(name, family);
    },
  };
}

function requirementOf(name: string, family: IdentityRequirement['family']): IdentityRequirement {
  if (family === 'sigstore')
    return { family, name, sigstore: {} } as unknown as IdentityRequirement;
  const notation = {
    level: 'strict',
    enforcement: enforcementOf.strict,
    verifyTimestamp: 'always',
    revocationTime: 'now',
    trustStores: ['ca:acme'],
    trustedIdentities: '*',
  } as const;
  return { family, name, notation };
}
