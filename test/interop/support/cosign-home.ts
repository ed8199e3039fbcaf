import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Ended, mustRun, runCommand } from './process.ts';

/** `tags`: as cosign 2 writes them, under tags; `bundles`: as cosign 3 does, as referrers. */
export type CosignScheme = 'tags' | 'bundles';

/** A folder of the real cosign with one key, and no network beside the registry. */
export interface CosignHome {
  /** PEM file. */
  readonly publicKey: string;
  sign(reference: string, scheme: CosignScheme): Promise<void>;
  /** Attaches a statement with some predicate of that type. */
  attest(reference: string, type: string, scheme: CosignScheme): Promise<void>;
  verify(reference: string, scheme: CosignScheme): Promise<Ended>;
  verifyAttestation(reference: string, type: string, scheme: CosignScheme): Promise<Ended>;
}

/** `program` is cosign of version 3 for `bundles`, and any for `tags`. */
export async function makeCosignHome(program: string, folder: string): Promise<CosignHome> {
  mkdirSync(folder, { recursive: true });
  const options = { cwd: folder, env: { HOME: folder, COSIGN_PASSWORD: '', TUF_ROOT: folder } };
  await mustRun(program, ['generate-key-pair'], options);
  const isThree = /v3\./.test((await runCommand(program, ['version'], options)).output);
  const formatOf = (scheme: CosignScheme): readonly string[] =>
    isThree ? [`--new-bundle-format=${scheme === 'bundles'}`] : [];
  const writing = (scheme: CosignScheme): readonly string[] => [
    '--key=cosign.key',
    '--tlog-upload=false',
    '--yes',
    '--allow-http-registry',
    ...(isThree ? ['--use-signing-config=false'] : []),
    ...formatOf(scheme),
  ];
  const reading = (scheme: CosignScheme): readonly string[] => [
    '--key=cosign.pub',
    '--insecure-ignore-tlog=true',
    '--allow-http-registry',
    ...formatOf(scheme),
  ];
  const predicate = join(folder, 'predicate.json');
  writeFileSync(predicate, JSON.stringify({ buildType: 'https://example.com/build' }));
  return {
    publicKey: join(folder, 'cosign.pub'),
    async sign(reference, scheme) {
      await mustRun(program, ['sign', ...writing(scheme), reference], options);
    },
    async attest(reference, type, scheme) {
      const what = [`--predicate=${predicate}`, `--type=${type}`];
      await mustRun(program, ['attest', ...writing(scheme), ...what, reference], options);
    },
    verify: (reference, scheme) =>
      runCommand(program, ['verify', ...reading(scheme), reference], options),
    verifyAttestation: (reference, type, scheme) =>
      runCommand(
        program,
        ['verify-attestation', ...reading(scheme), `--type=${type}`, reference],
        options,
      ),
  };
}
