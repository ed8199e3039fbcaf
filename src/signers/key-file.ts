import type { KeyObject } from 'node:crypto';
import { open } from 'node:fs/promises';
import { readBounded } from '../kernel/bounded.ts';
import { messageOf } from '../kernel/tagged-error.ts';
import type { Signer } from './signer.ts';
import { SignerError } from './signer-error.ts';

const maxKeyBytes = 16 * 1024;

/** The text of a small file with a key or a passphrase. Throws `SignerError`. */
export async function readKeyFile(path: string): Promise<string> {
  try {
    const handle = await open(path, 'r');
    try {
      const stream = handle.createReadStream({ autoClose: false });
      return (await readBounded(stream, maxKeyBytes, path)).toString('utf8');
    } finally {
      await handle.close();
    }
  } catch (cause) {
    const message = `${path} can not be read: ${messageOf(cause)}`;
    throw new SignerError('KEY_UNREADABLE', message, { cause });
  }
}

/** How the key signs. Throws `SignerError` for one that we do not sign with. */
export function schemeOf(key: KeyObject, path: string): Signer['scheme'] {
  const { asymmetricKeyType: type, asymmetricKeyDetails: details } = key;
  if (type === 'ed25519') return 'ed25519';
  if (type === 'ec' && details?.namedCurve === 'prime256v1') return 'ecdsa-sha2-nistp256';
  const message = `${path} has a key that is neither Ed25519 nor ECDSA on P-256`;
  throw new SignerError('KEY_UNSUPPORTED', message);
}

/** A URI as it may be told: somebody may have written a passphrase into it, or a key in its place. */
export function withoutQuery(uri: string): string {
  const [place = ''] = uri.split(/[?#\s]/, 1);
  return place === uri ? uri : `${place}…`;
}
