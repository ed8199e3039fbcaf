import { spawn } from 'node:child_process';
import { isObject, readJson } from '../../kernel/json.ts';
import { quoted } from '../../kernel/quoted.ts';
import { UpstreamError } from '../upstream-error.ts';
import type { Credential } from './credential.ts';

/** Runs `docker-credential-NAME get` for a server; undefined where it knows none. */
export type RunHelper = (name: string, server: string) => Promise<Credential | undefined>;

const timeoutMs = 10_000;
const maxOutputBytes = 64 * 1024;
const namePattern = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/;
/** The protocol's own words for "none", which come with exit code 1 (docker-credential-helpers). */
const notFound = 'credentials not found in native keychain';
/** What helpers of the large clouds look at; nothing else of our environment is theirs. */
const passed =
  /^(?:PATH|HOME|XDG_(?:CONFIG_HOME|RUNTIME_DIR)|DOCKER_CONFIG|AWS_.*|GOOGLE_.*|CLOUDSDK_.*|AZURE_.*|DBUS_SESSION_BUS_ADDRESS)$/;

/**
 * Runs a helper without a shell: looked up in PATH by a name that is a single word, for at most
 * 10 s, of whose output at most 64 KiB are read, and whose errors are not repeated, as they may
 * hold secrets.
 */
export const runHelper: RunHelper = async (name, server) => {
  if (!namePattern.test(name)) throw failure(name, 'has a name that is no single word');
  const { exitCode, output } = await run(`docker-credential-${name}`, server).catch(
    (cause: unknown) => {
      throw failure(name, 'can not be run', cause);
    },
  );
  if (exitCode !== 0) {
    if (output.toString().trim() === notFound) return undefined;
    throw failure(name, `ends with exit code ${exitCode}`);
  }
  return readHelperOutput(name, output);
};

interface HelperRun {
  /** Null after a signal. */
  readonly exitCode: number | null;
  readonly output: Buffer;
}

function run(command: string, input: string): Promise<HelperRun> {
  const { promise, resolve, reject } = Promise.withResolvers<HelperRun>();
  const environment = Object.entries(process.env).filter(([key]) => passed.test(key));
  const child = spawn(command, ['get'], {
    env: Object.fromEntries(environment),
    stdio: ['pipe', 'pipe', 'ignore'],
    signal: AbortSignal.timeout(timeoutMs),
    killSignal: 'SIGKILL',
    shell: false,
  });
  const chunks: Buffer[] = [];
  let length = 0;
  child.stdout.on('data', (chunk: Buffer) => {
    length += chunk.length;
    if (length <= maxOutputBytes) {
      chunks.push(chunk);
      return;
    }
    child.kill('SIGKILL');
    reject(new Error('it says too much'));
  });
  child.on('error', reject);
  // A child of its own may hold the output after the kill.
  child.on('error', () => child.stdout.destroy());
  child.on('close', (exitCode) => resolve({ exitCode, output: Buffer.concat(chunks) }));
  // A helper that exits without reading its input is no failure of ours.
  child.stdin.on('error', () => undefined);
  child.stdin.end(input);
  return promise;
}

function readHelperOutput(name: string, output: Buffer): Credential {
  try {
    const document = readJson(output);
    if (isObject(document)) {
      const { Username: username, Secret: secret } = document;
      if (typeof username === 'string' && typeof secret === 'string') {
        // `<token>` says that the secret is an identity token (docker-credential-helpers).
        return username === '<token>'
          ? { kind: 'identity-token', username: '', secret }
          : { kind: 'password', username, secret };
      }
    }
  } catch {
    // Without the cause: a parser quotes what it read.
  }
  throw failure(name, 'answers with what is no credential');
}

function failure(name: string, what: string, cause?: unknown): UpstreamError {
  return new UpstreamError(
    'UPSTREAM_UNAUTHORIZED',
    `the credential helper ${quoted(name)} ${what}`,
    { cause },
  );
}
