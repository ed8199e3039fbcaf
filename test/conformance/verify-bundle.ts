import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { sigstoreBundle } from '../../src/formats/sigstore-bundle.ts';
import type { Clock } from '../../src/kernel/clock.ts';
import { type Digest, parseDigest } from '../../src/oci/digest.ts';
import { noPlugins } from '../../src/plugins/plugins.ts';
import { parsePublicKey } from '../../src/policies/public-keys.ts';
import { exactly } from '../../src/policies/text-match.ts';
import { publicGood } from '../../src/trust/sigstore/root-source.ts';
import { readTrustedRoot } from '../../src/trust/sigstore/trusted-root.ts';
import type { SigstoreRequirement } from '../../src/verdict/sigstore-requirement.ts';
import { type ChecksRun, runChecks } from '../../src/verifier/run-checks.ts';
import { makeTrust } from '../support/notation-case.ts';
import { readHere } from '../support/read-here.ts';
import { unaskedRevocation } from '../support/unasked-revocation.ts';

/** What the client protocol of sigstore-conformance asks. */
export interface BundleQuestion {
  /** File names; relative ones are below `folder`. */
  readonly bundle: string;
  readonly trustedRoot?: string;
  readonly signer:
    | { readonly key: string }
    | { readonly certificateIdentity: string; readonly certificateOidcIssuer: string };
  /** The name of a file, or `sha256:HEX`. */
  readonly artifact: string;
  readonly folder: string;
}

/** Holds the bundle against the signer with the format's own checks, as the proxy does. */
export async function verifyBundle(question: BundleQuestion, clock: Clock): Promise<ChecksRun> {
  const { folder, trustedRoot, bundle, artifact } = question;
  const read = (file: string): Promise<Buffer> => readFile(resolve(folder, file));
  const untrusted = { bytes: await read(bundle), annotations: {} };
  const document = trustedRoot === undefined ? publicGood('').seed : await read(trustedRoot);
  const root = readTrustedRoot(document ?? new Uint8Array());
  const requirement = {
    family: 'sigstore',
    name: 'signer',
    sigstore: {
      ...(await readSigner(question.signer, read)),
      minLogs: 1,
      minTimestamps: 0,
      root: 'default',
      signedAs: [],
    },
  } as const;
  const context = {
    now: clock.now(),
    trust: {
      ...makeTrust({}),
      sigstoreRoot: () => ({ root, from: trustedRoot ?? 'public good', kind: 'file' as const }),
    },
    scope: 'example.test/artifact',
    aliases: [],
    signal: new AbortController().signal,
    revocation: unaskedRevocation,
    plugins: noPlugins,
    readApart: readHere,
  };
  const runs: ChecksRun[] = [];
  for (const digest of await digestsOf(artifact, folder)) {
    const subject = { mediaType: 'application/octet-stream', digest, size: 0 };
    const run = await runChecks(
      sigstoreBundle.examine(untrusted, subject, requirement, context).steps,
    );
    if (run.outcome === 'trusted') return run;
    runs.push(run);
  }
  const [first] = runs;
  if (first === undefined) throw new TypeError('there is no artifact');
  return first;
}

async function readSigner(
  signer: BundleQuestion['signer'],
  read: (file: string) => Promise<Buffer>,
): Promise<Pick<SigstoreRequirement, 'signer' | 'minCertificateLogs'>> {
  if ('certificateIdentity' in signer) {
    const issuer = exactly(signer.certificateOidcIssuer);
    const subject = exactly(signer.certificateIdentity);
    const certificate = { kind: 'certificate', issuer, subject, claims: new Map() } as const;
    return { signer: certificate, minCertificateLogs: 1 };
  }
  const key = parsePublicKey((await read(signer.key)).toString('latin1'));
  if ('problem' in key) throw new TypeError(`${signer.key} ${key.problem}`);
  const keys = [{ name: signer.key, ...key }] as const;
  return { signer: { kind: 'keys', keys }, minCertificateLogs: 0 };
}

/** By every hash that a bundle may state: the file is read, and never held. */
async function digestsOf(artifact: string, folder: string): Promise<readonly Digest[]> {
  const given = parseDigest(artifact);
  if (given !== undefined) return [given];
  const hashes = ['sha256', 'sha384', 'sha512'].map((name) => ({ name, hash: createHash(name) }));
  await pipeline(createReadStream(resolve(folder, artifact)), async (chunks) => {
    for await (const chunk of chunks as AsyncIterable<Buffer>) {
      for (const { hash } of hashes) hash.update(chunk);
    }
  });
  // Registries have no digest by SHA-384, bundles have.
  return hashes.map(({ name, hash }) => `${name}:${hash.digest('hex')}` as Digest);
}
