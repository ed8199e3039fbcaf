import type { KeyObject } from 'node:crypto';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Ended, mustRun, runCommand } from './process.ts';

/** `tags`: as cosign 2 writes them, under tags; `bundles`: as cosign 3 does, as referrers. */
export type CosignScheme = 'tags' | 'bundles';

/** A folder of the real cosign with one key, and no network beside the registry. */
export interface CosignHome {
  /** PEM file. */
  readonly publicKey: string;
  sign(reference: string, scheme: CosignScheme, options?: SignOptions): Promise<void>;
  /** Attaches a statement with some predicate of that type, or the one in the file. */
  attest(
    reference: string,
    type: string,
    scheme: CosignScheme,
    predicateFile?: string,
  ): Promise<void>;
  /** Attaches a signature that somebody else made over a payload, both in files. */
  attach(reference: string, payload: string, signature: string): Promise<void>;
  verify(reference: string, scheme: CosignScheme, options?: VerifyOptions): Promise<Ended>;
  /** The same for whoever runs it otherwise, with `env`. */
  verifyWords(reference: string, scheme: CosignScheme, options?: VerifyOptions): readonly string[];
  readonly env: Readonly<Record<string, string>>;
  verifyAttestation(
    reference: string,
    type: string,
    scheme: CosignScheme,
    options?: VerifyOptions,
  ): Promise<Ended>;
}

export interface VerifyOptions {
  /** PEM file of another key than its own. */
  readonly publicKey?: string;
  /** What `--signature-digest-algorithm` says; cosign takes every key for one of SHA-256. */
  readonly hash?: 'sha384' | 'sha512';
}

export interface SignOptions {
  /** Signed along, by name. */
  readonly annotations?: Readonly<Record<string, string>>;
  /** The repository that the signature names instead of the one that it is pushed to. */
  readonly identity?: string;
}

/**
 * `program` is cosign of version 3 for `bundles`, and any for `tags`. It makes a key of its own, on
 * P-256, unless it is given one, or the folder has one already.
 */
export async function makeCosignHome(
  program: string,
  folder: string,
  privateKey?: KeyObject,
): Promise<CosignHome> {
  mkdirSync(folder, { recursive: true });
  const options = { cwd: folder, env: { HOME: folder, COSIGN_PASSWORD: '', TUF_ROOT: folder } };
  const version = runCommand(program, ['version'], options);
  const isNew = !existsSync(join(folder, 'cosign.key'));
  if (isNew && privateKey === undefined) await mustRun(program, ['generate-key-pair'], options);
  if (isNew && privateKey !== undefined) {
    const pem = privateKey.export({ type: 'pkcs8', format: 'pem' });
    writeFileSync(join(folder, 'plain.pem'), pem, { mode: 0o600 });
    const words = ['import-key-pair', '--key=plain.pem', '--output-key-prefix=cosign', '--yes'];
    await mustRun(program, words, options);
  }
  const isThree = /v3\./.test((await version).output);
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
  const publicKey = join(folder, 'cosign.pub');
  const reading = (scheme: CosignScheme, how: VerifyOptions = {}): readonly string[] => [
    `--key=${how.publicKey ?? publicKey}`,
    `--signature-digest-algorithm=${how.hash ?? 'sha256'}`,
    '--insecure-ignore-tlog=true',
    '--allow-http-registry',
    ...formatOf(scheme),
  ];
  const predicate = join(folder, 'predicate.json');
  const verifyWords: CosignHome['verifyWords'] = (reference, scheme, how) => [
    'verify',
    ...reading(scheme, how),
    reference,
  ];
  writeFileSync(predicate, JSON.stringify({ buildType: 'https://example.com/build' }));
  return {
    publicKey,
    async sign(reference, scheme, { annotations = {}, identity } = {}) {
      const said = Object.entries(annotations).map(
        ([name, value]) => `--annotations=${name}=${value}`,
      );
      const named = identity === undefined ? [] : [`--sign-container-identity=${identity}`];
      await mustRun(program, ['sign', ...writing(scheme), ...said, ...named, reference], options);
    },
    async attest(reference, type, scheme, predicateFile = predicate) {
      const what = [`--predicate=${predicateFile}`, `--type=${type}`];
      await mustRun(program, ['attest', ...writing(scheme), ...what, reference], options);
    },
    async attach(reference, payload, signature) {
      const files = [`--payload=${payload}`, `--signature=${signature}`];
      const words = ['attach', 'signature', '--allow-http-registry', ...files, reference];
      await mustRun(program, words, options);
    },
    verify: (...words) => runCommand(program, verifyWords(...words), options),
    verifyWords,
    env: options.env,
    verifyAttestation: (reference, type, scheme, how) =>
      runCommand(
        program,
        ['verify-attestation', ...reading(scheme, how), `--type=${type}`, reference],
        options,
      ),
  };
}
