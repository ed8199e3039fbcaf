import { quoted } from '../kernel/quoted.ts';
import type {
  SigstoreCertificate,
  SigstoreKeys,
  SigstoreRequirement,
} from '../verdict/sigstore-requirement.ts';
import {
  type Fields,
  type Place,
  readFields,
  readInteger,
  readItems,
  readOneOf,
  readSpan,
  readText,
  type ReportProblem,
} from './document-reader.ts';
import { readPublicKeys } from './public-keys.ts';
import type { Referred } from './referred.ts';
import { certificateKeys, readCertificate } from './sigstore-certificate.ts';

/** The name of the root of identities that name none. */
export const defaultRoot = 'default';

const maxNames = 64;
const rootName = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/;
// A repository without tag or digest, or the first part of one.
const registryName = /^[a-z0-9][a-z0-9.-]*(?::\d{1,5})?(?:\/[a-z0-9]+(?:[._-]+[a-z0-9]+)*)*$/;

const thresholdKeys = ['transparencyLog', 'timestamps', 'certificateTransparency'] as const;
const optional = [
  'publicKeys',
  ...certificateKeys,
  ...thresholdKeys,
  'root',
  'maxRootAge',
  'signedAs',
];

/** Reads `sigstore:` of an identity, with the keys that it names. */
export async function readSigstore(
  place: Place,
  referred: Referred,
  report: ReportProblem,
): Promise<SigstoreRequirement | undefined> {
  const fields = readFields(place, { optional }, report);
  if (fields === undefined) return undefined;
  const signer = await readSigner(fields, place, referred, report);
  const thresholds = readThresholds(fields, fields.has('publicKeys'), report);
  const signedAs = readSignedAs(fields.get('signedAs'), report);
  if (thresholds === undefined) return undefined;
  const usesRoot = !fields.has('publicKeys') || thresholds.minLogs + thresholds.minTimestamps > 0;
  const root = readRoot(fields.get('root'), usesRoot, report);
  const age = readRootAge(fields.get('maxRootAge'), usesRoot, report);
  if (signer === undefined || signedAs === undefined || age === undefined) return undefined;
  if (usesRoot && root === undefined) return undefined;
  return { signer, ...thresholds, root, ...age, signedAs };
}

async function readSigner(
  fields: Fields,
  place: Place,
  referred: Referred,
  report: ReportProblem,
): Promise<SigstoreKeys | SigstoreCertificate | undefined> {
  const keys = fields.get('publicKeys');
  if (keys === undefined) return readCertificate(fields, place, report);
  for (const key of [...certificateKeys, 'certificateTransparency']) {
    const stray = fields.get(key);
    if (stray !== undefined)
      report(stray, 'has no meaning beside publicKeys: make it two identities');
  }
  return await readPublicKeys(keys, referred, report);
}

type Thresholds = Pick<SigstoreRequirement, 'minLogs' | 'minTimestamps' | 'minCertificateLogs'>;

function readThresholds(
  fields: Fields,
  isByKey: boolean,
  report: ReportProblem,
): Thresholds | undefined {
  const logs = fields.get('transparencyLog');
  const minLogs = logs === undefined ? 1 : readThreshold(logs, report);
  const timestamps = fields.get('timestamps');
  const minTimestamps = timestamps === undefined ? 0 : readThreshold(timestamps, report);
  const certificateLogs = fields.get('certificateTransparency');
  const asked = certificateLogs === undefined ? 1 : readThreshold(certificateLogs, report);
  const minCertificateLogs = isByKey ? 0 : asked;
  if (minLogs === undefined || minTimestamps === undefined) return undefined;
  if (minCertificateLogs === undefined) return undefined;
  if (logs !== undefined && !isByKey && minLogs === 0 && minTimestamps === 0) {
    const why = 'proves nothing with a certificate that lives for minutes';
    return report(logs, `not-required ${why}: add timestamps: required`);
  }
  return { minLogs, minTimestamps, minCertificateLogs };
}

/** How many distinct witnesses there must be: one where they are required. */
function readThreshold(place: Place, report: ReportProblem): number | undefined {
  if (place.node.kind === 'map') {
    const threshold = readFields(place, { required: ['threshold'] }, report)?.get('threshold');
    return threshold && readInteger(threshold, 1, report);
  }
  const word = readOneOf(place, ['required', 'not-required'], report);
  return word === undefined ? undefined : Number(word === 'required');
}

const rootless = 'has no meaning with keys and neither transparencyLog nor timestamps';

function readRoot(
  place: Place | undefined,
  usesRoot: boolean,
  report: ReportProblem,
): string | undefined {
  if (place === undefined) return usesRoot ? defaultRoot : undefined;
  if (!usesRoot) return report(place, rootless);
  const name = readText(place, report);
  if (name === undefined || rootName.test(name)) return name;
  return report(
    place,
    `${quoted(name)} is no name of a root: letters, digits, \`.\`, \`_\`, \`-\``,
  );
}

function readRootAge(
  place: Place | undefined,
  usesRoot: boolean,
  report: ReportProblem,
): Pick<SigstoreRequirement, 'maxRootAgeMs'> | undefined {
  if (place === undefined) return {};
  if (!usesRoot) return report(place, rootless);
  const maxRootAgeMs = readSpan(place, report);
  return maxRootAgeMs === undefined ? undefined : { maxRootAgeMs };
}

function readSignedAs(
  place: Place | undefined,
  report: ReportProblem,
): readonly string[] | undefined {
  if (place === undefined) return [];
  const names = readItems(place, maxNames, report)?.map((item) => {
    const name = readText(item, report);
    if (name === undefined || registryName.test(name)) return name;
    return report(
      item,
      `${quoted(name)} is no repository: write it without scheme, tag and digest`,
    );
  });
  const known = names?.filter((name) => name !== undefined);
  return known?.length === names?.length ? known : undefined;
}
