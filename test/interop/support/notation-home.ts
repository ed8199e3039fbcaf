import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Ended, mustRun, runCommand } from './process.ts';

/** A configuration folder of the real notation: keys, trust store, trust policy. */
export interface NotationHome {
  /** Makes a key and a self-signed certificate that notation itself would sign with. */
  makeSigner(name: string): Promise<Signer>;
  sign(reference: string, options: SignOptions): Promise<void>;
  /** Verifies under a policy that trusts these signers' own certificates everywhere. */
  verify(reference: string, trusted: readonly Signer[]): Promise<Ended>;
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
    async sign(reference, { signer, envelope, referrers }) {
      const where = `--force-referrers-tag=${referrers === 'tag'}`;
      const format = ['--signature-format', envelope, '--key', signer.name];
      await mustRun(program, ['sign', '--insecure-registry', where, ...format, reference], options);
    },
    async verify(reference, trusted) {
      for (const { name, certificate } of trusted) {
        const store = join(home, 'truststore', 'x509', 'ca', name);
        mkdirSync(store, { recursive: true });
        copyFileSync(certificate, join(store, `${name}.crt`));
      }
      const statement = {
        name: 'all',
        registryScopes: ['*'],
        signatureVerification: { level: 'strict' },
        trustStores: trusted.map(({ name }) => `ca:${name}`),
        trustedIdentities: trusted.map(({ subject }) => `x509.subject: ${subject}`),
      };
      const policy = JSON.stringify({ version: '1.0', trustPolicies: [statement] });
      writeFileSync(join(home, 'trustpolicy.json'), policy, { mode: 0o600 });
      return runCommand(program, ['verify', '--insecure-registry', reference], options);
    },
  };
}
