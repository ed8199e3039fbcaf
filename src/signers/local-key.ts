import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  sign,
} from 'node:crypto';
import { open } from 'node:fs/promises';
import { resolve } from 'node:path';
import { readPem } from '../crypto/pem.ts';
import { quoted } from '../kernel/quoted.ts';
import { messageOf, systemCodeOf } from '../kernel/tagged-error.ts';
import { readKeyFile, schemeOf, withoutQuery } from './key-file.ts';
import type { Signer, SignerContext, SignerKind } from './signer.ts';
import { SignerError } from './signer-error.ts';

/**
 * A private key in a file: PEM of PKCS #8 (RFC 5958), Ed25519 or ECDSA on P-256. The URI is
 * `file:PATH`, with `?passphrase-file=PATH` or `?passphrase-env=NAME` for one that is encrypted.
 */
export const localKey: SignerKind = {
  scheme: 'file',
  async open(uri, context) {
    const { path, passphrase } = await readUri(uri, context);
    return toSigner(await readPrivateKey(path, passphrase), path);
  },
};

/** Makes an Ed25519 key in a new file, which only its owner may read. Throws `SignerError`. */
export async function makeLocalKey(path: string): Promise<void> {
  const { privateKey } = generateKeyPairSync('ed25519');
  const pem = privateKey.export({ format: 'pem', type: 'pkcs8' });
  try {
    const handle = await open(path, 'wx', 0o600);
    try {
      await handle.writeFile(pem);
      await handle.sync();
    } finally {
      await handle.close();
    }
  } catch (cause) {
    if (systemCodeOf(cause) === 'EEXIST') {
      throw new SignerError('KEY_EXISTS', `${path} is there already`, { cause });
    }
    const message = `${path} can not be written: ${messageOf(cause)}`;
    throw new SignerError('KEY_UNREADABLE', message, { cause });
  }
}

interface KeyPlace {
  readonly path: string;
  readonly passphrase: Buffer | undefined;
}

async function readUri(uri: string, context: SignerContext): Promise<KeyPlace> {
  const [, written = '', query = ''] = /^file:([^?#]+)(?:\?([^#]*))?$/.exec(uri) ?? [];
  const path = parsePath(written);
  const [[name, value] = [], ...more] = [...new URLSearchParams(query)];
  if (path === undefined || more.length > 0) throw unusable(uri);
  const place = resolve(context.base, path);
  if (name === undefined) return { path: place, passphrase: undefined };
  const read = passphraseReaders[name];
  if (read === undefined || value === undefined || value === '') throw unusable(uri);
  return { path: place, passphrase: await read(value, context) };
}

const passphraseReaders: Readonly<
  Record<string, (value: string, context: SignerContext) => Buffer | Promise<Buffer>>
> = {
  'passphrase-env': fromEnvironment,
  'passphrase-file': fromFile,
};

async function fromFile(path: string, { base }: SignerContext): Promise<Buffer> {
  const text = await readKeyFile(resolve(base, path));
  // As an editor leaves it.
  return Buffer.from(text.replace(/\n$/, ''));
}

function fromEnvironment(name: string, { environment }: SignerContext): Buffer {
  const passphrase = environment[name];
  if (passphrase !== undefined && passphrase !== '') return Buffer.from(passphrase);
  const message = `the environment has no ${quoted(name)}, which is to have a passphrase`;
  throw new SignerError('PASSPHRASE_UNUSABLE', message);
}

/** `file:a.pem`, `file:/a.pem` and `file:///a.pem`; undefined for one on another host. */
function parsePath(written: string): string | undefined {
  const path = written.replace(/^\/\/(?=\/)/, '');
  if (path === '' || path.startsWith('//')) return undefined;
  try {
    return decodeURIComponent(path);
  } catch {
    return undefined;
  }
}

async function readPrivateKey(path: string, passphrase: Buffer | undefined): Promise<KeyObject> {
  const pem = await readKeyFile(path);
  const label = labelOf(pem, path);
  if (label === 'ENCRYPTED PRIVATE KEY' && passphrase === undefined) {
    const message = `${path} is encrypted: name its passphrase, by ?passphrase-file=… or ?passphrase-env=…`;
    throw new SignerError('PASSPHRASE_UNUSABLE', message);
  }
  try {
    return createPrivateKey({ key: pem, format: 'pem', ...(passphrase && { passphrase }) });
  } catch (cause) {
    const isWrong = passphrase !== undefined;
    // What OpenSSL says of a key may be about its secrets.
    throw isWrong
      ? new SignerError('PASSPHRASE_UNUSABLE', `${path} does not open with its passphrase`)
      : new SignerError('KEY_UNREADABLE', `${path} is no private key that can be read`, { cause });
  }
}

/** Of the one block; PKCS #8 alone, whose label says nothing of the algorithm. */
function labelOf(pem: string, path: string): string {
  let labels: readonly string[];
  try {
    labels = readPem(pem).map(({ label }) => label);
  } catch (cause) {
    throw new SignerError('KEY_UNREADABLE', `${path} ${messageOf(cause)}`, { cause });
  }
  const [label = 'nothing', ...more] = labels;
  if (more.length === 0 && /^(?:ENCRYPTED )?PRIVATE KEY$/.test(label)) return label;
  const found = more.length === 0 ? label : `${labels.length} blocks`;
  throw new SignerError(
    'KEY_UNSUPPORTED',
    `${path} has ${found}, not one PRIVATE KEY in PKCS #8 (openssl pkcs8 -topk8 makes one)`,
  );
}

function toSigner(key: KeyObject, path: string): Signer {
  const scheme = schemeOf(key, path);
  const publicKey = createPublicKey(key).export({ format: 'pem', type: 'spki' }).toString();
  const hash = scheme === 'ed25519' ? null : 'sha256';
  return {
    publicKey,
    scheme,
    async sign(message, signal) {
      signal.throwIfAborted();
      return sign(hash, message, key);
    },
  };
}

function unusable(uri: string): SignerError {
  const form = 'file:PATH, file:PATH?passphrase-file=PATH or file:PATH?passphrase-env=NAME';
  return new SignerError('KEY_URI_UNUSABLE', `${quoted(withoutQuery(uri))} is not ${form}`);
}
