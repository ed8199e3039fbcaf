import { readPem } from '../crypto/pem.ts';
import { readPublicKey, readRsaPublicKey } from '../crypto/public-key.ts';
import { algorithmsOf } from '../crypto/sigstore-key.ts';
import { isNonEmpty } from '../kernel/non-empty.ts';
import { quoted } from '../kernel/quoted.ts';
import { messageOf } from '../kernel/tagged-error.ts';
import type { SigstoreKeys, TrustedKey } from '../verdict/sigstore-requirement.ts';
import {
  type Fields,
  type Place,
  readFields,
  readInstant,
  readItems,
  readText,
  type ReportProblem,
} from './document-reader.ts';
import type { Referred } from './referred.ts';

const maxKeys = 64;
/** Where keys live that are no files; what each takes to become one. */
const keySchemes: ReadonlyMap<string, string> = new Map([
  ['awskms', 'export it (`cosign public-key --key URI`) and name the file'],
  ['gcpkms', 'export it (`cosign public-key --key URI`) and name the file'],
  ['azurekms', 'export it (`cosign public-key --key URI`) and name the file'],
  ['hashivault', 'export it (`cosign public-key --key URI`) and name the file'],
  ['pkcs11', 'export it (`cosign public-key --key URI`) and name the file'],
  ['k8s', 'mount the secret and name the file of its entry cosign.pub'],
]);

/** Reads `publicKeys:`, with the keys themselves. */
export async function readPublicKeys(
  place: Place,
  referred: Referred,
  report: ReportProblem,
): Promise<SigstoreKeys | undefined> {
  const items = readItems(place, maxKeys, report);
  if (items === undefined) return undefined;
  const keys: TrustedKey[] = [];
  for (const item of items) {
    const key = await readKey(item, referred, report);
    if (key === undefined) continue;
    const twin = keys.find((other) => other.keyFingerprint === key.keyFingerprint);
    if (twin === undefined) keys.push(key);
    else report(item, `is the same key as ${quoted(twin.name)}`);
  }
  return isNonEmpty(keys) && keys.length === items.length ? { kind: 'keys', keys } : undefined;
}

async function readKey(
  place: Place,
  referred: Referred,
  report: ReportProblem,
): Promise<TrustedKey | undefined> {
  if (place.node.kind !== 'map') return await readNamedKey(place, {}, referred, report);
  const known = { required: ['key'], optional: ['validFrom', 'validUntil'] };
  const fields = readFields(place, known, report);
  const keyPlace = fields?.get('key');
  const validity = fields && readValidity(fields, report);
  if (keyPlace === undefined || validity === undefined) return undefined;
  return await readNamedKey(keyPlace, validity, referred, report);
}

type Validity = Pick<TrustedKey, 'validFrom' | 'validUntil'>;

function readValidity(fields: Fields, report: ReportProblem): Validity | undefined {
  const fromPlace = fields.get('validFrom');
  const untilPlace = fields.get('validUntil');
  const validFrom = fromPlace && readInstant(fromPlace, report);
  const validUntil = untilPlace && readInstant(untilPlace, report);
  if (isUnread(fromPlace, validFrom) || isUnread(untilPlace, validUntil)) return undefined;
  if (untilPlace && validFrom && validUntil && validUntil < validFrom) {
    return report(untilPlace, 'is before validFrom');
  }
  return { ...(validFrom && { validFrom }), ...(validUntil && { validUntil }) };
}

function isUnread(place: Place | undefined, time: Date | undefined): boolean {
  return place !== undefined && time === undefined;
}

async function readNamedKey(
  place: Place,
  validity: Validity,
  referred: Referred,
  report: ReportProblem,
): Promise<TrustedKey | undefined> {
  const name = readText(place, report, 4096);
  if (name === undefined) return undefined;
  const pem = await fetchKey(name, place, referred, report);
  if (pem === undefined) return undefined;
  const key = parsePublicKey(pem);
  if ('problem' in key) return report(place, `${quoted(name)} ${key.problem}`);
  return { name, ...key, ...validity };
}

async function fetchKey(
  name: string,
  place: Place,
  { readFile, readKey: fetch }: Referred,
  report: ReportProblem,
): Promise<string | undefined> {
  const [, scheme] = /^([a-z][a-z0-9+.-]*):/.exec(name) ?? [];
  try {
    if (scheme === undefined) return await readFile(name);
    const instead = keySchemes.get(scheme);
    if (instead === undefined) {
      const known = [...keySchemes.keys()].join(', ');
      return report(place, `${quoted(name)} is no file and no key service; known are ${known}`);
    }
    const fetched = await fetch?.(name);
    if (fetched !== undefined) return fetched;
    return report(place, `keys of ${scheme}: can not be fetched by this version: ${instead}`);
  } catch (error) {
    return report(place, `${quoted(name)} can not be read: ${messageOf(error)}`);
  }
}

type ParsedKey = Pick<TrustedKey, 'publicKey' | 'keyFingerprint'>;

/** One public key in PEM (RFC 7468), of a kind that Sigstore signs with. */
export function parsePublicKey(pem: string): ParsedKey | { readonly problem: string } {
  try {
    const [block, another] = readPem(pem);
    if (block === undefined) return { problem: 'is not a public key in PEM' };
    if (another !== undefined) return { problem: 'has more than one PEM block' };
    const { label, der } = block;
    if (label.endsWith('PRIVATE KEY')) {
      return { problem: 'holds a private key: name its public key, and keep this one to yourself' };
    }
    if (label !== 'PUBLIC KEY' && label !== 'RSA PUBLIC KEY') {
      return { problem: `holds a ${label}: name a PUBLIC KEY` };
    }
    const { key, fingerprint } =
      label === 'PUBLIC KEY' ? readPublicKey(der) : readRsaPublicKey(der);
    algorithmsOf(key);
    return { publicKey: key, keyFingerprint: fingerprint };
  } catch (error) {
    return { problem: `is no key to verify with: ${messageOf(error)}` };
  }
}
