import type { JsonObject } from '../kernel/json.ts';
import {
  askForObject,
  checkCredential,
  type KeyServiceAccess,
  malformed,
  misbehaved,
  notConfigured,
  objectIn,
  pemOf,
  readCas,
  textIn,
  variable,
} from './key-service.ts';

/** What the configuration says; what it leaves out is in Vault's own variables. */
export interface VaultSettings {
  /** `VAULT_ADDR`. */
  readonly url?: string | undefined;
  /** `VAULT_TOKEN`. */
  readonly token?: (() => string) | undefined;
  /** The path of the transit engine; `TRANSIT_SECRET_ENGINE_PATH`, as cosign has it, or `transit`. */
  readonly mount?: string | undefined;
  /** A PEM file of the CAs that vouch for it. */
  readonly caFile?: string | undefined;
  readonly plainHttp?: 'allowed' | undefined;
}

const form = /^hashivault:\/\/(\w(?:[\w.-]{0,126}\w)?)(?:\/versions\/([1-9]\d{0,8}))?$/;
const mountForm = /^[\w-][\w.-]*(?:\/[\w-][\w.-]*)*$/;

/**
 * The public key of Vault's transit engine (GET /v1/MOUNT/keys/KEY): `hashivault://KEY`, its latest
 * version, or `hashivault://KEY/versions/N`.
 */
export async function readVaultKey(
  uri: string,
  access: KeyServiceAccess,
  settings: VaultSettings,
): Promise<string> {
  const [, name, stated] = form.exec(uri) ?? [];
  if (name === undefined) throw malformed('hashivault://KEY or hashivault://KEY/versions/N');
  const answer = await askForObject(access.ask, {
    method: 'GET',
    url: `${addressOf(access, settings)}/v1/${mountOf(access, settings)}/keys/${name}`,
    authorization: `Bearer ${tokenOf(access, settings)}`,
    ca: settings.caFile && (await readCas(settings.caFile, access)),
  });
  const key = objectIn(answer, 'data');
  if (key['name'] !== name) throw misbehaved('the answer is another key');
  return publicKeyOf(key, stated);
}

function publicKeyOf(key: JsonObject, stated: string | undefined): string {
  const latest = key['latest_version'];
  if (typeof latest !== 'number' || !Number.isSafeInteger(latest))
    throw misbehaved("the answer's latest_version is no number");
  const version = stated ?? String(latest);
  const versions = objectIn(key, 'keys');
  if (versions[version] === undefined) throw misbehaved(`the key has no version ${version}`);
  const type = textIn(key, 'type');
  // Of a symmetric key there is its time alone.
  if (typeof versions[version] === 'number') throw misbehaved('the key has no public half');
  const publicKey = textIn(objectIn(versions, version), 'public_key');
  return type === 'ed25519' ? pemOfEd25519(publicKey) : publicKey;
}

/** Vault writes this one kind as its 32 bytes; RFC 8410, section 4, puts them into a key. */
function pemOfEd25519(base64: string): string {
  const bytes = Buffer.from(base64, 'base64');
  if (bytes.length !== 32 || bytes.toString('base64') !== base64) {
    throw misbehaved('the key is no Ed25519 key of 32 bytes');
  }
  const prefix = Buffer.from('302a300506032b6570032100', 'hex');
  return pemOf(Buffer.concat([prefix, bytes]).toString('base64'));
}

function addressOf(access: KeyServiceAccess, settings: VaultSettings): string {
  const text = settings.url ?? variable(access, 'VAULT_ADDR');
  if (text === undefined) {
    throw notConfigured('neither trust.keyReferences.vault.url nor VAULT_ADDR is set');
  }
  const url = URL.parse(text);
  if (url === null || url.username !== '' || url.search !== '' || url.hash !== '') {
    throw notConfigured('the address of Vault is no URL of scheme, host, port and path');
  }
  // Who stands between would get the token, and could answer with a key of his own.
  const isPlain = url.protocol === 'http:' && settings.plainHttp === 'allowed';
  if (url.protocol !== 'https:' && !isPlain) {
    throw notConfigured(
      'Vault is asked by https, or by http with trust.keyReferences.vault.plainHttp: allowed',
    );
  }
  return `${url.origin}${url.pathname}`.replace(/\/+$/, '');
}

function mountOf(access: KeyServiceAccess, settings: VaultSettings): string {
  const text = settings.mount ?? variable(access, 'TRANSIT_SECRET_ENGINE_PATH') ?? 'transit';
  const mount = text.replace(/^\/+|\/+$/g, '');
  if (mountForm.test(mount)) return mount;
  throw notConfigured('the mount of Vault is no path such as transit');
}

function tokenOf(access: KeyServiceAccess, settings: VaultSettings): string {
  const token = settings.token?.() ?? variable(access, 'VAULT_TOKEN');
  if (token === undefined) {
    throw notConfigured('neither trust.keyReferences.vault.token nor VAULT_TOKEN is set');
  }
  return checkCredential(token, 'the token for Vault');
}
