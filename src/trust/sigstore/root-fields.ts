import type { JsonFields } from '../../crypto/json-fields.ts';
import { parseRfc3339 } from '../../crypto/rfc3339.ts';
import { malformedRoot } from './root-problem.ts';
import type { ValidityPeriod } from './sigstore-root.ts';

/** `validFor` of an entry; it must begin somewhere (Sigstore Client Specification, section 4). */
export function readValidityPeriod(entry: JsonFields): ValidityPeriod {
  const validFor = entry.object('validFor');
  validFor.expectOnly('start', 'end');
  const start = readTime(validFor, 'start');
  if (!validFor.has('end')) return { start };
  const end = readTime(validFor, 'end');
  if (end < start) throw malformedRoot(`${validFor.path} ends before it starts`);
  return { start, end };
}

function readTime(fields: JsonFields, name: string): Date {
  const time = parseRfc3339(fields.text(name));
  if (time === undefined) throw malformedRoot(`${fields.path}.${name} is no time`);
  return time;
}

/** An http or https URL: a name, never dialled. */
export function readUrl(entry: JsonFields, name: string): string {
  const text = entry.text(name);
  const url = URL.parse(text);
  if (url === null || !/^https?:$/.test(url.protocol) || url.username !== '') {
    throw malformedRoot(`${entry.path}.${name} is no http or https URL`);
  }
  return text;
}

/**
 * The operator as the entry names it; where it does not, as version 0.1 could not, the last two
 * labels of its host: two services of one domain are one operator rather than two by mistake.
 */
export function operatorOf(entry: JsonFields, url: string | undefined): string {
  if (entry.has('operator')) return entry.text('operator');
  const host = url === undefined ? '' : new URL(url).hostname;
  const isAddress = /^(?:[\d.]+|\[.*\])$/.test(host);
  return isAddress ? host : host.split('.').slice(-2).join('.');
}
