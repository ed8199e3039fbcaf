import { RequestError } from './request-error.ts';

/** The parameters of a request by name, each with its values in the order given. */
export type Query = ReadonlyMap<string, readonly string[]>;

const emptyQuery: Query = new Map();
const maxParameters = 64;

/**
 * Reads a query string. A `+` stays a plus: no parameter of this API has spaces, and media types
 * such as `…+json` come unescaped from some clients.
 */
export function parseQuery(text: string): Query {
  if (text === '') return emptyQuery;
  const query = new Map<string, string[]>();
  const parts = text.split('&', maxParameters + 1);
  if (parts.length > maxParameters) throw malformed('has too many parameters');
  for (const part of parts) {
    if (part === '') continue;
    const equals = part.indexOf('=');
    const name = decode(equals === -1 ? part : part.slice(0, equals));
    const value = equals === -1 ? '' : decode(part.slice(equals + 1));
    const values = query.get(name);
    if (values === undefined) query.set(name, [value]);
    else values.push(value);
  }
  return query;
}

/** The value of a parameter that may be given once. */
export function singleValue(query: Query, name: string): string | undefined {
  const values = query.get(name);
  if (values !== undefined && values.length > 1) throw malformed(`has ${name} more than once`);
  return values?.[0];
}

function decode(text: string): string {
  if (!text.includes('%')) return text;
  try {
    return decodeURIComponent(text);
  } catch {
    throw malformed('is not percent-encoded UTF-8');
  }
}

function malformed(how: string): RequestError {
  return new RequestError(400, 'UNSUPPORTED', `the query ${how}`);
}
