import { execFile } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Case } from './case.ts';

export interface NotationAnswer {
  readonly accepted: boolean;
  /** Everything it wrote to standard error. */
  readonly said: string;
}

/** Writes the case's trust policy and trust store as notation wants to find them. */
export function writeConfiguration(folder: string, one: Case, scope: string): void {
  const home = join(folder, 'notation');
  mkdirSync(home, { recursive: true });
  writeFileSync(join(home, 'trustpolicy.json'), one.policy(scope), { mode: 0o600 });
  for (const [path, content] of Object.entries(one.trustStore)) {
    const file = join(home, 'truststore', 'x509', path);
    mkdirSync(dirname(file), { recursive: true });
    if (!path.endsWith('/')) writeFileSync(file, content);
    else mkdirSync(file, { recursive: true });
  }
}

/** `notation verify` on the reference, with the configuration in the folder. */
export function runNotation(
  binary: string,
  folder: string,
  reference: string,
): Promise<NotationAnswer> {
  const { promise, resolve, reject } = Promise.withResolvers<NotationAnswer>();
  execFile(
    binary,
    ['verify', '--verbose', '--insecure-registry', reference],
    { env: { HOME: folder, XDG_CONFIG_HOME: folder }, timeout: 30_000 },
    (error, _output, said) => {
      if (error !== null && typeof error.code !== 'number') reject(error);
      else resolve({ accepted: error === null, said });
    },
  );
  return promise;
}
