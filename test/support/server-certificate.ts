import { makeChain, type BuiltCertificate } from './test-ca.ts';
import * as asn1 from './der-encoder.ts';

export interface ServerCertificate {
  /** PEMs. */
  readonly certificate: string;
  readonly key: string;
  /** The root to trust. */
  readonly ca: string;
}

/** A TLS certificate for localhost and 127.0.0.1; `client` makes one for a client instead. */
export function makeServerCertificate(use: 'server' | 'client' = 'server'): ServerCertificate {
  const purpose = use === 'server' ? '1.3.6.1.5.5.7.3.1' : '1.3.6.1.5.5.7.3.2';
  const names = asn1.sequence(
    asn1.implicit(2, Buffer.from('localhost')),
    asn1.implicit(7, Uint8Array.of(127, 0, 0, 1)),
  );
  const { leaf, root, pem } = makeChain({
    authority: 'tls',
    leaf: {
      subject: `CN=${use === 'server' ? 'localhost' : 'proxy'}`,
      extendedKeyUsage: { purposes: [purpose] },
      extensions: [{ oid: '2.5.29.17', value: names }],
    },
  });
  return { certificate: pem, key: keyPem(leaf), ca: root.pem };
}

function keyPem({ privateKey }: BuiltCertificate): string {
  return privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
}
