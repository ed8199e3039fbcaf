import { stat } from 'node:fs/promises';
import type { Clock } from '../../kernel/clock.ts';
import { readFileBounded } from '../../files/read-file.ts';
import { quoted } from '../../kernel/quoted.ts';
import { UpstreamError } from '../upstream-error.ts';
import type { Credential } from './credential.ts';
import type { RunHelper } from './credential-helper.ts';
import { helperServerOf, readDockerConfig } from './docker-config.ts';

/** Where the credentials of one upstream come from. */
export type CredentialOptions =
  | { readonly username: string; readonly password: string }
  /** Path of a docker `config.json`, read again when it changes. */
  | { readonly dockerConfig: string }
  /** NAME of `docker-credential-NAME`. */
  | { readonly credentialHelper: string };

/** The credentials for one origin. */
export interface CredentialSource {
  readonly origin: string;
  /** Undefined: pull anonymously. */
  current(): Promise<Credential | undefined>;
  /** They were refused: ask anew next time, where they can be asked for. */
  forget(): void;
}

export interface CredentialDependencies {
  readonly clock: Clock;
  readonly runHelper: RunHelper;
}

/** What a helper said is believed for so long: it is a process, and clouds' tokens last hours. */
const helperLifeMs = 5 * 60_000;
const maxConfigBytes = 1024 * 1024;

export function makeCredentialSource(
  origin: string,
  options: CredentialOptions | undefined,
  { clock, runHelper }: CredentialDependencies,
): CredentialSource {
  const { host } = new URL(origin);
  if (options === undefined) return fixed(origin, undefined);
  if ('username' in options) {
    const { username, password: secret } = options;
    return fixed(origin, { kind: 'password', username, secret });
  }
  const helpers = rememberHelpers(runHelper, clock);
  if ('credentialHelper' in options) {
    const { credentialHelper } = options;
    const server = helperServerOf(host);
    return { origin, current: () => helpers.run(credentialHelper, server), forget: helpers.forget };
  }
  const readConfig = rememberFile(options.dockerConfig);
  return {
    origin,
    async current() {
      const entry = readDockerConfig(await readConfig(), host);
      if (entry === undefined) return undefined;
      return 'helper' in entry ? helpers.run(entry.helper, entry.server) : entry.credential;
    },
    forget: helpers.forget,
  };
}

function fixed(origin: string, credential: Credential | undefined): CredentialSource {
  return { origin, current: () => Promise.resolve(credential), forget: () => undefined };
}

function rememberHelpers(
  runHelper: RunHelper,
  clock: Clock,
): { readonly run: RunHelper; readonly forget: () => void } {
  let held: { name: string; untilMs: number; result: ReturnType<RunHelper> } | undefined;
  const forget = (): void => {
    held = undefined;
  };
  return {
    run(name, server) {
      if (held?.name === name && clock.monotonicMs() < held.untilMs) return held.result;
      const result = runHelper(name, server);
      const entry = { name, untilMs: clock.monotonicMs() + helperLifeMs, result };
      held = entry;
      // A failure is not remembered.
      result.catch(() => {
        if (held === entry) held = undefined;
      });
      return result;
    },
    forget,
  };
}

function rememberFile(file: string): () => Promise<Uint8Array> {
  let held: { readonly version: string; readonly bytes: Uint8Array } | undefined;
  return async () => {
    try {
      const { mtimeMs, size, ino } = await stat(file);
      const version = `${mtimeMs} ${size} ${ino}`;
      if (held?.version !== version) {
        held = { version, bytes: await readFileBounded(file, maxConfigBytes) };
      }
      return held.bytes;
    } catch (cause) {
      throw new UpstreamError(
        'UPSTREAM_UNAUTHORIZED',
        `the credentials in ${quoted(file, 300)} can not be read`,
        { cause },
      );
    }
  };
}
