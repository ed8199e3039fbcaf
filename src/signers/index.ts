import { quoted } from '../kernel/quoted.ts';
import { withoutQuery } from './key-file.ts';
import { localKey } from './local-key.ts';
import { publicKeyFile } from './public-key.ts';
import type { Signer, SignerContext, SignerKind } from './signer.ts';
import { SignerError } from './signer-error.ts';

/** Where keys may be kept. To add one: write its file, add its line. */
export const signerKinds = [localKey, publicKeyFile] as const satisfies readonly SignerKind[];

/** Kinds that people know from other tools. */
const laterSchemes = ['pkcs11', 'hashivault', 'awskms', 'gcpkms', 'azurekms', 'exec'];

/** The key that a URI such as `file:root.pem` names. Throws `SignerError`. */
export async function openSigner(uri: string, context: SignerContext): Promise<Signer> {
  const [, scheme = ''] = /^([a-z][a-z0-9+.-]*):/.exec(uri) ?? [];
  const kind = signerKinds.find((each) => each.scheme === scheme);
  if (kind !== undefined) return await kind.open(uri, context);
  const known = signerKinds.map((each) => `${each.scheme}:…`).join(', ');
  const why = laterSchemes.includes(scheme)
    ? `${scheme}: comes later`
    : `${quoted(withoutQuery(uri))} is no URI of a key`;
  throw new SignerError('KEY_URI_UNUSABLE', `${why}; a key is ${known}`);
}
