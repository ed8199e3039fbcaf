import { dirname, resolve } from 'node:path';
import { readTextFileBounded } from '../files/read-file.ts';
import type { Position, Problem } from '../files/problem.ts';
import { messageOf } from '../kernel/tagged-error.ts';
import { readYaml } from '../files/yaml.ts';
import { ConfigError, invalidConfig } from './config-error.ts';
import { checkAcross } from './cross-checks.ts';
import type { Environment } from './environment.ts';
import { limits } from './limits.ts';
import { type Config, ConfigSchema } from './schema.ts';
import { type ReadableSchema, readBySchema, type Reading } from './schema-reader.ts';

export interface LoadOptions {
  /** Where `${NAME}` is looked up (the process's own). */
  readonly environment?: Environment;
}

/** Loads a configuration file. Throws `ConfigError` with all that is wrong in it. */
export async function loadConfig(file: string, options: LoadOptions = {}): Promise<Config> {
  const absolute = resolve(file);
  let text: string;
  try {
    text = await readTextFileBounded(absolute, limits.maxConfigBytes);
  } catch (cause) {
    const message = `${file} can not be read: ${messageOf(cause)}`;
    throw new ConfigError('CONFIG_UNREADABLE', [message], { cause });
  }
  return readConfig(text, file, { folder: dirname(absolute), ...options });
}

/** Reads a configuration's text; `file` stands in its problems. */
export async function readConfig(
  text: string,
  file: string,
  { folder, environment = process.env }: LoadOptions & { readonly folder: string },
): Promise<Config> {
  const { root, problems: found } = readYaml(text, limits.maxConfigValues);
  const problems: Problem[] = [...found];
  if (root === undefined) throw invalidConfig(file, problems);
  const positions = new Map<string, Position>();
  const reading: Reading = {
    environment,
    folder,
    readSecretFile: (secretFile) => readTextFileBounded(secretFile, limits.maxSecretBytes),
    report: (at, path, message) => {
      problems.push({ at, path, message });
      return undefined;
    },
    positions,
  };
  const config = await readBySchema(root, ConfigSchema as ReadableSchema, '', reading);
  checkAcross(config ?? {}, (path, message) => {
    reading.report(positions.get(path) ?? root.at, path, message);
  });
  if (problems.length > 0) throw invalidConfig(file, problems);
  return config as Config;
}
