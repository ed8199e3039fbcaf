import { readdir } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { type CarriedTrust, carriedName, isCarriedPath } from '../airgap/trust-files.ts';
import type { Config } from '../config/schema.ts';
import { readFileBounded, readTextFileBounded } from '../files/read-file.ts';
import {
  type LoadedTrustPolicy,
  loadTrustPolicy,
  maxPolicyBytes,
} from '../policies/trust-policy.ts';
import { openKeyReader } from './key-references.ts';
import { storesOf } from './policy-stores.ts';

/** Of one certificate file, in bytes. */
const maxCertificateBytes = 1024 * 1024;
const certificateFile = /\.(?:pem|crt|cer)$/i;
/** Names that other trust material has. */
const taken = new Set(['policy.yaml', 'x509', 'sigstore', 'revocation']);

export interface CarriedPolicy {
  readonly policy: LoadedTrustPolicy;
  /** The policy, and all files that it names. */
  readonly files: readonly CarriedTrust[];
}

/**
 * The policy in force with the files and keys that it names, as it will be read where nobody can be
 * asked: what lies outside its folder, and what a key service has, comes along under another name,
 * which the policy has then. Throws `PolicyError`.
 */
export async function carryPolicy(
  config: Pick<Config, 'trustPolicy' | 'trust'>,
): Promise<CarriedPolicy> {
  const { trustPolicy } = config;
  const referred = new Map<string, string>();
  const note = (name: string, text: string): string => {
    referred.set(name, text);
    return text;
  };
  const read = (path: string): Promise<string> =>
    readTextFileBounded(resolve(dirname(trustPolicy), path), maxPolicyBytes);
  const readKey = openKeyReader(config.trust);
  const text = await read(trustPolicy);
  const policy = await loadTrustPolicy(
    text,
    trustPolicy,
    async (path) => note(path, await read(path)),
    async (uri) => {
      const key = await readKey(uri);
      return key === undefined ? undefined : note(uri, key);
    },
  );
  let carried = text;
  const files: CarriedTrust[] = [];
  // The longest first: one name may be the beginning of another.
  for (const [name, content] of [...referred].toSorted(([a], [b]) => b.length - a.length)) {
    const bytes = Buffer.from(content);
    const path = pathFor(name, bytes);
    if (path !== name) carried = rename(carried, name, path);
    const kind = content.includes('PUBLIC KEY-----') ? 'key' : 'policy';
    files.push({ path: `trust/${path}`, kind, bytes });
  }
  const own: CarriedTrust = {
    path: 'trust/policy.yaml',
    kind: 'policy',
    bytes: Buffer.from(carried),
  };
  return { policy, files: [own, ...files] };
}

function pathFor(name: string, bytes: Buffer): string {
  const clean = name.replace(/^\.\//, '');
  const [first = ''] = clean.toLowerCase().split('/');
  if (isCarriedPath(clean) && !taken.has(first)) return clean;
  return `referred/${carriedName('', bytes, name.endsWith('.json') ? '.json' : '.pem')}`;
}

/** Where it stands by itself; a policy that means something else then does not verify. */
function rename(text: string, from: string, to: string): string {
  const literal = from.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  return text.replace(new RegExp(`(?<![\\w./:-])${literal}(?![\\w./:-])`, 'g'), () => to);
}

/** The trust stores that the policy relies upon, file by file. */
export async function carryStores(
  { store }: Pick<Config['trust'], 'store'>,
  policy: LoadedTrustPolicy,
): Promise<readonly CarriedTrust[]> {
  const carried: CarriedTrust[] = [];
  for (const name of [...storesOf(policy)].toSorted()) {
    const [type = '', ...rest] = name.split(':');
    const place = join('x509', type, rest.join(':'));
    const names = (await readdir(join(store, place))).filter((each) => !each.startsWith('.'));
    for (const each of names.filter((file) => certificateFile.test(file)).toSorted()) {
      const bytes = await readFileBounded(join(store, place, each), maxCertificateBytes);
      const file = carriedName(each, bytes, '.pem');
      carried.push({ path: `trust/${place}/${file}`, kind: 'certificate', bytes });
    }
  }
  return carried;
}
