import { isObject, type Json, JsonError, type JsonObject, readJson } from '../kernel/json.ts';
import { messageOf, TaggedError } from '../kernel/tagged-error.ts';

export type KeyReferenceErrorCode =
  /** The URI is not of the form that its scheme has. */
  | 'KEY_REFERENCE_MALFORMED'
  /** An address or credentials are missing, or are none. */
  | 'KEY_SERVICE_NOT_CONFIGURED'
  /** It could not be asked, or refused to answer. */
  | 'KEY_SERVICE_FAILED'
  /** It answered with something else than what was asked for. */
  | 'KEY_SERVICE_MISBEHAVED';

/** Why a key could not be had. Nothing that the service said stands in it, and no credentials. */
export class KeyReferenceError extends TaggedError<KeyReferenceErrorCode> {}

export interface KeyRequest {
  readonly method: 'GET' | 'POST';
  readonly url: string;
  readonly authorization: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: { readonly type: string; readonly bytes: Uint8Array };
  /** PEM of the CAs that vouch for the service, in place of Node's. */
  readonly ca?: string | undefined;
}

export interface KeyAnswer {
  readonly status: number;
  readonly bytes: Uint8Array;
}

/** Asks a service: no redirect is followed, the answer and the time that it takes are bounded. */
export type AskKeyService = (request: KeyRequest) => Promise<KeyAnswer>;

/** What all resolvers are given. */
export interface KeyServiceAccess {
  readonly ask: AskKeyService;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly readFile: (path: string) => Promise<string>;
}

/** A variable's value; undefined where it is not set or empty. */
export function variable(access: KeyServiceAccess, name: string): string | undefined {
  return access.environment[name] || undefined;
}

/** A file's text; `what` stands in the error, which does not say what is in it. */
export async function readNamed(
  path: string,
  what: string,
  { readFile }: KeyServiceAccess,
): Promise<string> {
  try {
    return await readFile(path);
  } catch (cause) {
    throw notConfigured(`${what} can not be read from ${path}`, { cause });
  }
}

/** PEM of the CAs of a service. An empty file would be none, which is not to mean all of Node's. */
export async function readCas(path: string, access: KeyServiceAccess): Promise<string> {
  const pem = await readNamed(path, 'the CAs of the service', access);
  if (!pem.includes('-----BEGIN CERTIFICATE-----')) {
    throw notConfigured(`${path} has no certificate in PEM`);
  }
  return pem;
}

/** A credential as it can stand in a header. */
export function checkCredential(text: string, what: string): string {
  if (/^[\x21-\x7e]+$/.test(text)) return text;
  throw notConfigured(`${what} is empty, or has characters that no header may have`);
}

/** The object in an answer of status 200. */
export async function askForObject(ask: AskKeyService, request: KeyRequest): Promise<JsonObject> {
  const { status, bytes } = await ask(request).catch((cause: unknown) => {
    throw new KeyReferenceError('KEY_SERVICE_FAILED', messageOf(cause), { cause });
  });
  const host = hostOf(request.url);
  if (status !== 200) {
    throw new KeyReferenceError('KEY_SERVICE_FAILED', `${host} answers with status ${status}`);
  }
  try {
    const answer = readJson(bytes);
    if (isObject(answer)) return answer;
  } catch (cause) {
    if (!(cause instanceof JsonError)) throw cause;
    // The parser's words may quote what else is in a secret.
    throw misbehaved(`${host} answers with something that is no JSON`);
  }
  throw misbehaved(`${host} answers with JSON that is no object`);
}

/** The object at a name; throws where it is none. */
export function objectIn(object: JsonObject, name: string): JsonObject {
  const value = object[name];
  if (isObject(value)) return value;
  throw misbehaved(`the answer's ${name} is no object`);
}

/** The text at a name; throws where it is none. */
export function textIn(object: JsonObject, name: string): string {
  const value: Json | undefined = object[name];
  if (typeof value === 'string') return value;
  throw misbehaved(`the answer's ${name} is no text`);
}

/** PEM of a SubjectPublicKeyInfo in base64; whoever reads it checks the key itself. */
export function pemOf(base64: string): string {
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(base64)) throw misbehaved('the key is not in base64');
  const lines = base64.match(/.{1,64}/g) ?? [];
  return `-----BEGIN PUBLIC KEY-----\n${lines.join('\n')}\n-----END PUBLIC KEY-----\n`;
}

export function malformed(form: string): KeyReferenceError {
  return new KeyReferenceError('KEY_REFERENCE_MALFORMED', `is not of the form ${form}`);
}

export function notConfigured(message: string, options?: ErrorOptions): KeyReferenceError {
  return new KeyReferenceError('KEY_SERVICE_NOT_CONFIGURED', message, options);
}

export function misbehaved(message: string): KeyReferenceError {
  return new KeyReferenceError('KEY_SERVICE_MISBEHAVED', message);
}

function hostOf(url: string): string {
  return URL.parse(url)?.host ?? 'the service';
}
