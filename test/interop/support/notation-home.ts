import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Chain } from '../../support/test-ca.ts';
import { type Ended, mustRun, runCommand } from './process.ts';

/** A configuration folder of the real notation: keys, trust store, trust policy. */
export interface NotationHome {
  /** Makes a key and a self-signed certificate that notation itself would sign with. */
  makeSigner(name: string): Promise<Signer>;
  /** Lets notation sign with a chain of ours, of which the root is what is trusted. */
  addSigner(name: string, chain: Chain): Signer;
  sign(reference: string, options: SignOptions): Promise<void>;
  /**
   * Verifies under a policy that trusts these signers' own certificates everywhere, and always asks
   * for a timestamp if there is an authority.
   */
  verify(reference: string, trusted: readonly Signer[], authority?: string): Promise<Ended>;
}

export interface Signer {
  readonly name: string;
  /** PEM file. */
  readonly certificate: string;
  /** As in a trust policy. */
  readonly subject: string;
}

export interface SignOptions {
  readonly signer: Signer;
  readonly envelope: 'jws' | 'cose';
  /** `tag`: notation also writes the index under the fallback tag, whatever the registry can do. */
  readonly referrers: 'api-if-there' | 'tag';
  /** Where a timestamp is asked for, and the PEM file of the authority's root. */
  readonly timestamp?: { readonly url: string; readonly root: string };
}

export function makeNotationHome(program: string, folder: string): NotationHome {
  mkdirSync(folder, { recursive: true });
  const options = { env: { HOME: folder, XDG_CONFIG_HOME: folder } };
  const home = join(folder, 'notation');
  return {
    async makeSigner(name) {
      await mustRun(program, ['cert', 'generate-test', name], options);
      const certificate = join(home, 'localkeys', `${name}.crt`);
      return { name, certificate, subject: `C=US, ST=WA, L=Seattle, O=Notary, CN=${name}` };
    },
    addSigner(name, chain) {
      const place = join(home, 'localkeys');
      mkdirSync(place, { recursive: true });
      const [keyPath, certPath, certificate] = ['key', 'crt', 'root.crt'].map((kind) =>
        join(place, `${name}.${kind}`),
      ) as [string, string, string];
      const key = chain.privateKey.export({ type: 'pkcs8', format: 'pem' });
      writeFileSync(keyPath, key, { mode: 0o600 });
      writeFileSync(certPath, chain.pem);
      writeFileSync(certificate, chain.root.pem);
      const keys = [{ name, keyPath, certPath }];
      writeFileSync(join(home, 'signingkeys.json'), JSON.stringify({ keys }), { mode: 0o600 });
      return { name, certificate, subject: `C=US, ST=WA, O=acme, CN=acme release` };
    },
    async sign(reference, { signer, envelope, referrers, timestamp }) {
      const where = `--force-referrers-tag=${referrers === 'tag'}`;
      const format = ['--signature-format', envelope, '--key', signer.name];
      const stamp =
        timestamp === undefined
          ? []
          : ['--timestamp-url', timestamp.url, '--timestamp-root-cert', timestamp.root];
      const words = ['sign', '--insecure-registry', where, ...format, ...stamp, reference];
      await mustRun(program, words, options);
    },
    async verify(reference, trusted, authority) {
      const keep = (type: string, name: string, certificate: string): void => {
        const store = join(home, 'truststore', 'x509', type, name);
        mkdirSync(store, { recursive: true });
        copyFileSync(certificate, join(store, `${name}.crt`));
      };
      for (const { name, certificate } of trusted) keep('ca', name, certificate);
      if (authority !== undefined) keep('tsa', 'clock', authority);
      const stores = trusted.map(({ name }) => `ca:${name}`);
      const statement = {
        name: 'all',
        registryScopes: ['*'],
        signatureVerification: { level: 'strict' },
        trustStores: [...stores, ...(authority === undefined ? [] : ['tsa:clock'])],
        trustedIdentities: trusted.map(({ subject }) => `x509.subject: ${subject}`),
      };
      const policy = JSON.stringify({ version: '1.0', trustPolicies: [statement] });
      writeFileSync(join(home, 'trustpolicy.json'), policy, { mode: 0o600 });
      return runCommand(program, ['verify', '--insecure-registry', reference], options);
    },
  };
}
