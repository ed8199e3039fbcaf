import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { verificationLimits } from '../../../src/compose/limits.ts';
import { openRevocation } from '../../../src/compose/revocation.ts';
import { signatureFormats } from '../../../src/formats/index.ts';
import { makeDenyList } from '../../../src/gate/deny-list.ts';
import { systemClock } from '../../../src/kernel/clock.ts';
import { readManifest } from '../../../src/oci/manifest.ts';
import { parseRepositoryPath } from '../../../src/oci/repository.ts';
import { decide } from '../../../src/policies/decide.ts';
import { PolicyError } from '../../../src/policies/policy-error.ts';
import { loadTrustPolicy } from '../../../src/policies/trust-policy.ts';
import { noPlugins } from '../../../src/plugins/plugins.ts';
import type { VerificationPlugins } from '../../../src/plugins/verification-plugin.ts';
import { TrustError } from '../../../src/trust/trust-error.ts';
import type { TrustMaterial } from '../../../src/trust/trust-material.ts';
import { makeRemoteSource } from '../../../src/upstream/remote-source.ts';
import type { Verdict } from '../../../src/verdict/verdict.ts';
import { makeVerifier } from '../../../src/verifier/verification.ts';
import type { Verifier, VerificationBasis } from '../../../src/verifier/verifier.ts';
import type { Artifact } from '../../support/build-image.ts';
import type { FakeRegistry } from '../../support/fake-registry.ts';
import { meetsNothing } from '../../support/meets-nothing.ts';
import { readHere } from '../../support/read-here.ts';
import { makeCountingMetrics, makeKeptLog } from '../../support/silence.ts';

export interface AssayAnswer {
  readonly accepted: boolean;
  /** The reason and the checks that were not passed, or why the configuration was refused. */
  readonly said: string;
}

export type Judge = (path: string, image: Artifact) => Promise<AssayAnswer>;

/** Assay's verifier as it is put together for `serve`, on the files that notation reads. */
export interface AssaySide {
  /**
   * Reads policy and trust store once, for verifiers of which each remembers nothing. The policy
   * hands everything to Notation's own unless told.
   */
  openFolder(folder: string, policyText?: string): Promise<() => Judge>;
  verify(folder: string, path: string, image: Artifact): Promise<AssayAnswer>;
  close(): Promise<void>;
}

/** A trust policy that hands everything to Notation's own file, with its scopes and levels. */
const trustPolicy = `
version: 1
identities:
  acme: { notation: { policyFile: trustpolicy.json } }
rules:
  - repositories: ["**"]
    require: { signedBy: acme }
`;

export function openAssaySide(
  registry: Pick<FakeRegistry, 'host' | 'url'>,
  loadTrustMaterial: (folder: string) => Promise<TrustMaterial>,
  plugins: VerificationPlugins = noPlugins,
): AssaySide {
  const { host, url } = registry;
  const source = makeRemoteSource(
    { name: host, url, plainHttp: 'allowed' },
    { clock: systemClock },
  );
  const opened = new AsyncDisposableStack();
  opened.defer(() => source.close());
  const revocation = openRevocation(
    { trust: { offline: false }, egress: { allowPrivate: ['127.0.0.0/8'] } },
    {
      clock: systemClock,
      metrics: makeCountingMetrics(),
      log: makeKeptLog(),
      trust: () => ({}),
      ownListeners: () => [],
    },
    opened,
  );
  const verifierFor = (basis: VerificationBasis): Verifier =>
    makeVerifier({
      basis: () => basis,
      source: () => source,
      signatureRepository: () => undefined,
      aliases: () => [],
      formats: signatureFormats,
      sources: { revocation, plugins, readApart: readHere },
      decide,
      judge: meetsNothing,
      denied: makeDenyList(systemClock),
      clock: systemClock,
      lifetimes: { trustedMs: 60_000, untrustedMs: 1000 },
      limits: verificationLimits,
      metrics: makeCountingMetrics(),
      log: makeKeptLog(),
    });
  const openFolder = async (folder: string, text = trustPolicy): Promise<() => Judge> => {
    const home = join(folder, 'notation');
    const policy = await loadTrustPolicy(text, 'trust-policy.yaml', (file) =>
      readFile(join(home, file), 'utf8'),
    );
    const trust = await loadTrustMaterial(join(home, 'truststore'));
    return () => {
      const verifier = verifierFor({ policy, trust, generation: 1 });
      return async (path, image) =>
        toAnswer(await verifier.verify(subjectOf(host, path, image), AbortSignal.timeout(20_000)));
    };
  };
  return {
    openFolder,
    async verify(folder, path, image) {
      try {
        const makeJudge = await openFolder(folder);
        return await makeJudge()(path, image);
      } catch (error) {
        if (!(error instanceof PolicyError || error instanceof TrustError)) throw error;
        return { accepted: false, said: `configuration refused: ${error.message}` };
      }
    },
    close: () => opened.disposeAsync(),
  };
}

function subjectOf(
  upstream: string,
  path: string,
  image: Artifact,
): Parameters<Verifier['verify']>[0] {
  const parsed = parseRepositoryPath(path);
  if (parsed === undefined) throw new TypeError(`${path} is no repository`);
  const { descriptor, bytes } = image;
  const manifest = readManifest(bytes, descriptor.mediaType);
  return { repository: { upstream, path: parsed }, descriptor, manifest };
}

function toAnswer({ kind, reason, because, reports }: Verdict): AssayAnswer {
  const checks = reports.flatMap((report) =>
    report.checks
      .filter(({ outcome }) => outcome === 'failed' || outcome === 'inconclusive')
      .map(({ id, outcome, because: why }) => `${id} ${outcome}: ${why}`),
  );
  return {
    accepted: kind === 'trusted',
    said: [`${kind} ${reason}: ${because}`, ...checks].join('; '),
  };
}
