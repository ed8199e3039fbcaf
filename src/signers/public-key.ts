import { createPublicKey } from 'node:crypto';
import { resolve } from 'node:path';
import { quoted } from '../kernel/quoted.ts';
import { readKeyFile, schemeOf, withoutQuery } from './key-file.ts';
import type { SignerKind } from './signer.ts';
import { SignerError } from './signer-error.ts';

/** A public key in a file, `public:PATH`: of somebody who signs elsewhere. */
export const publicKeyFile: SignerKind = {
  scheme: 'public',
  async open(uri, { base }) {
    const [, written] = /^public:([^?#]+)$/.exec(uri) ?? [];
    if (written === undefined) {
      throw new SignerError('KEY_URI_UNUSABLE', `${quoted(withoutQuery(uri))} is not public:PATH`);
    }
    const path = resolve(base, written);
    const pem = await readKeyFile(path);
    const key = readPublic(pem, path);
    const scheme = schemeOf(key, path);
    const publicKey = key.export({ format: 'pem', type: 'spki' }).toString();
    const sign = (): Promise<never> =>
      Promise.reject(new SignerError('SIGNING_FAILED', `${path} is a public key: it can not sign`));
    return { publicKey, scheme, sign };
  },
};

function readPublic(pem: string, path: string) {
  // Out of a private one as well, which is then in the wrong hands.
  const isPublic = pem.includes('-----BEGIN PUBLIC KEY-----') && !pem.includes('PRIVATE KEY');
  if (!isPublic) {
    throw new SignerError('KEY_UNSUPPORTED', `${path} has no PUBLIC KEY, or more than that`);
  }
  try {
    return createPublicKey(pem);
  } catch (cause) {
    const message = `${path} is no public key that can be read`;
    throw new SignerError('KEY_UNREADABLE', message, { cause });
  }
}
