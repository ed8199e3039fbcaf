import { dirname, resolve } from 'node:path';
import { readTextFileBounded } from '../files/read-file.ts';
import type { Config } from '../config/schema.ts';
import { PolicyError } from '../policies/policy-error.ts';
import {
  type LoadedTrustPolicy,
  loadTrustPolicy,
  maxPolicyBytes,
} from '../policies/trust-policy.ts';
import type { Saw } from './basis.ts';
import { openKeyReader } from './key-references.ts';
import { readFailure } from './read-failure.ts';
import { StartupError } from './startup-error.ts';

/**
 * Reads a trust policy and the files that it names, relative to it; `saw` gets the path of each
 * before it is read. Key services that it names are asked as the configuration says, or, without
 * one, as the environment does. Throws `StartupError` with all problems.
 */
export async function readPolicyFile(
  file: string,
  saw: Saw,
  config?: Pick<Config, 'trust'>,
): Promise<LoadedTrustPolicy> {
  const read = async (path: string): Promise<string> => {
    await saw(path);
    return readTextFileBounded(path, maxPolicyBytes);
  };
  try {
    return await loadTrustPolicy(
      await read(file),
      file,
      (path) => read(resolve(dirname(file), path)),
      openKeyReader(config?.trust),
    );
  } catch (cause) {
    const messages =
      cause instanceof PolicyError
        ? cause.messages
        : [`the trust policy ${file} can not be read: ${readFailure(cause)}`];
    throw new StartupError('POLICY_UNUSABLE', messages, { cause });
  }
}
