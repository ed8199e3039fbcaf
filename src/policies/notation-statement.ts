import { quoted } from '../kernel/quoted.ts';
import { keyPath } from '../files/problem.ts';
import type { Enforcement } from '../verdict/check.ts';
import type {
  DistinguishedName,
  NotationCheckType,
  NotationLevel,
  NotationRequirement,
  NotationTrustStoreName,
} from '../verdict/identity-requirement.ts';
import { isContainedIn, parseDistinguishedName } from './distinguished-name.ts';
import {
  type Fields,
  type Place,
  readItems,
  readOneOf,
  readText,
  type ReportProblem,
} from './document-reader.ts';
import { enforcementOf, notationLevels, parseOverride } from './notation-level.ts';

const maxItems = 256;
const storeName = /^(?:ca|signingAuthority|tsa):[a-zA-Z0-9_.-]+$/;

/** The keys of a statement, gathered from where a file keeps them. */
export interface StatementFields {
  readonly level: NotationLevel | undefined;
  /** Holds `override`, `verifyTimestamp` and, where it is our own file, `revocationTime`. */
  readonly verification: Fields;
  /** Holds `trustStores` and `trustedIdentities`. */
  readonly trust: Fields;
}

/** Reads one statement by the rules of Notation's Trust Store and Trust Policy specification. */
export function readStatement(
  { level, verification, trust }: StatementFields,
  place: Place,
  report: ReportProblem,
): NotationRequirement | undefined {
  const overrides = readOverrides(verification.get('override'), level, report);
  const timestamp = verification.get('verifyTimestamp');
  const verifyTimestamp =
    timestamp === undefined
      ? 'always'
      : readOneOf(timestamp, ['always', 'afterCertExpiry'], report);
  const judged = verification.get('revocationTime');
  const revocationTime =
    judged === undefined ? 'now' : readOneOf(judged, ['now', 'signing-time'], report);
  const lists = level === 'skip' ? readNoTrust(trust, report) : readTrust(trust, place, report);
  if (level === undefined || overrides === undefined) return undefined;
  if (verifyTimestamp === undefined || revocationTime === undefined) return undefined;
  if (lists === undefined) return undefined;
  const enforcement = enforcementOf(level, overrides);
  return { level, enforcement, verifyTimestamp, revocationTime, ...lists };
}

export function readLevel(place: Place, report: ReportProblem): NotationLevel | undefined {
  return readOneOf(place, notationLevels, report);
}

function readOverrides(
  place: Place | undefined,
  level: NotationLevel | undefined,
  report: ReportProblem,
): Map<NotationCheckType, Enforcement> | undefined {
  const overrides = new Map<NotationCheckType, Enforcement>();
  if (place === undefined) return overrides;
  if (level === 'skip') return report(place, 'is not allowed where level is skip');
  const { node, path } = place;
  if (node.kind !== 'map') return report(place, 'must be a mapping');
  let isSound = true;
  for (const { key, value } of node.entries) {
    const within = { node: value, path: keyPath(path, key) };
    const action = readText(within, report);
    const override = action === undefined ? undefined : parseOverride(key, action);
    if (override === undefined) isSound = false;
    else if ('problem' in override) {
      report(within, override.problem);
      isSound = false;
    } else overrides.set(...override);
  }
  return isSound ? overrides : undefined;
}

type TrustLists = Pick<NotationRequirement, 'trustStores' | 'trustedIdentities'>;

/** Level skip looks at nothing, so naming whom to trust there can only be a mistake. */
function readNoTrust(fields: Fields, report: ReportProblem): TrustLists | undefined {
  for (const key of ['trustStores', 'trustedIdentities']) {
    const place = fields.get(key);
    if (place === undefined) continue;
    if (place.node.kind !== 'list' || place.node.items.length > 0) {
      return report(place, 'must be absent or empty where level is skip');
    }
  }
  return { trustStores: [], trustedIdentities: [] };
}

function readTrust(fields: Fields, place: Place, report: ReportProblem): TrustLists | undefined {
  const stores = fields.get('trustStores');
  const identities = fields.get('trustedIdentities');
  if (stores === undefined) report(place, 'trustStores is missing');
  if (identities === undefined) report(place, 'trustedIdentities is missing');
  const trustStores = stores && readStores(stores, report);
  const trustedIdentities = identities && readIdentities(identities, report);
  if (trustStores === undefined || trustedIdentities === undefined) return undefined;
  return { trustStores, trustedIdentities };
}

function readStores(place: Place, report: ReportProblem): NotationTrustStoreName[] | undefined {
  const names = readItems(place, maxItems, report)?.map((item) => readStore(item, report));
  const known = names?.filter((name) => name !== undefined);
  return known !== undefined && known.length === names?.length ? [...new Set(known)] : undefined;
}

function readStore(place: Place, report: ReportProblem): NotationTrustStoreName | undefined {
  const text = readText(place, report);
  if (text === undefined) return undefined;
  // `.` and `..` fit the specification's grammar and would leave the folder.
  if (storeName.test(text) && !/:\.{1,2}$/.test(text)) return text as NotationTrustStoreName;
  return report(
    place,
    `${quoted(text)} is no trust store: write ca:NAME, signingAuthority:NAME or tsa:NAME, NAME of ` +
      'letters, digits, `_`, `.`, `-`',
  );
}

function readIdentities(
  place: Place,
  report: ReportProblem,
): NotationRequirement['trustedIdentities'] | undefined {
  const items = readItems(place, maxItems, report);
  const texts = items?.map((item) => readText(item, report, 4096));
  if (items === undefined || texts === undefined) return undefined;
  if (texts.includes('*')) {
    return texts.length === 1 ? '*' : report(place, '"*" must stand alone');
  }
  const names = items.map((item, index) => readIdentity(item, texts[index], report));
  const known = names.filter((name) => name !== undefined);
  if (known.length < names.length) return undefined;
  const overlap = known.findIndex((name, index) =>
    known.some((other, at) => at !== index && isContainedIn(other, name)),
  );
  const overlapping = items[overlap];
  if (overlapping === undefined) return known;
  return report(overlapping, 'overlaps with another identity of the list: the shorter one fits it');
}

function readIdentity(
  place: Place,
  text: string | undefined,
  report: ReportProblem,
): DistinguishedName | undefined {
  if (text === undefined) return undefined;
  const prefix = 'x509.subject:';
  if (!text.startsWith(prefix)) {
    return report(place, `${quoted(text)} is no identity: write "${prefix} C=…, ST=…, O=…" or "*"`);
  }
  const name = parseDistinguishedName(text.slice(prefix.length));
  return 'problem' in name ? report(place, `the distinguished name ${name.problem}`) : name;
}
