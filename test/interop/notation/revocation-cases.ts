import { type Chain, makeChain } from '../../support/test-ca.ts';
import { type Case, formats, makeCase, signature } from './case.ts';
import { crlRows } from './revocation-crl-rows.ts';
import { ocspRows } from './revocation-ocsp-rows.ts';
import type { Issued, RevocationRow } from './revocation-row.ts';

export interface RevocationCases {
  readonly cases: readonly Case[];
  /** What lies under which path. */
  readonly served: ReadonlyMap<string, Uint8Array>;
}

/** Cases with a responder and lists that answer under `url`. */
export function makeRevocationCases(url: string): RevocationCases {
  const cases: Case[] = [];
  const served = new Map<string, Uint8Array>();
  for (const [title, row] of Object.entries({ ...ocspRows, ...crlRows })) {
    const place = `/${served.size}-${cases.length}`;
    const chain = chainOf(row, `${url}${place}`);
    const issued = issuedOf(row, chain, `${url}${place}`);
    for (const [path, make] of Object.entries(row.serves)) {
      served.set(`${place}/${path}`, make(issued));
    }
    for (const format of formats) {
      const named = `a ${format} signature by a certificate ${title}`;
      const signatures = [signature(format, { chain, ...row.sign })];
      cases.push(makeCase(named, signatures, row.notation, row.options));
    }
  }
  return { cases, served };
}

function chainOf(row: RevocationRow, base: string): Chain {
  const { serves, ocsp, crl } = row;
  const names = (path: string): readonly string[] => (path in serves ? [path] : []);
  const at = (paths: readonly string[]): readonly string[] =>
    paths.map((path) => `${base}/${path}`);
  const ocspUrls = at(ocsp ?? names('ocsp'));
  const crlUrls = at(crl ?? names('crl'));
  const named = {
    ...(ocspUrls.length > 0 && { ocspUrls }),
    ...(crlUrls.length > 0 && { crlUrls }),
    ...row.leaf,
  };
  return row.of === 'intermediate'
    ? makeChain({ intermediate: { 0: named } })
    : makeChain({ leaf: named });
}

function issuedOf(row: RevocationRow, { leaf, certificates, root }: Chain, url: string): Issued {
  const [, intermediate = root] = certificates;
  return row.of === 'intermediate'
    ? { certificate: intermediate, issuer: root, url }
    : { certificate: leaf, issuer: intermediate, url };
}
