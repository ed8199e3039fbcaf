import { createHash } from 'node:crypto';
import type { Dirent } from 'node:fs';
import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Certificate } from '../crypto/x509.ts';
import { readFileBounded } from '../files/read-file.ts';
import { messageOf } from '../kernel/tagged-error.ts';
import type { NotationStoreType, NotationTrustStoreName } from '../verdict/identity-requirement.ts';
import { refusalOfAnchor } from './anchor-rules.ts';
import { readCertificateFile } from './certificate-file.ts';
import type { LoadedSigstoreRoot } from './sigstore/load-root.ts';
import { TrustError } from './trust-error.ts';
import type { LoadedTrustMaterial, TrustMaterial } from './trust-material.ts';

const types = ['ca', 'signingAuthority', 'tsa'] as const satisfies readonly NotationStoreType[];
const storeName = /^[a-zA-Z0-9_.-]{1,128}$/;
const certificateFile = /\.(?:pem|crt|cer)$/i;
const maxFileBytes = 1024 * 1024;
const maxStores = 1000;
const maxFiles = 1000;

/**
 * Loads trust anchors in Notation's layout, `x509/{ca,signingAuthority,tsa}/NAME/*.{pem,crt,cer}`,
 * whole or not at all: throws `TrustError` with every problem. A folder that does not exist holds
 * no store, and neither does an empty one. Names that begin with a dot are left out.
 */
export async function loadTrustMaterial(folder: string): Promise<LoadedTrustMaterial> {
  const stores = new Map<NotationTrustStoreName, readonly Certificate[]>();
  const problems: string[] = [];
  for (const type of types) {
    const parent = join(folder, 'x509', type);
    for (const entry of await listFolder(parent, maxStores, problems)) {
      const store = join(parent, entry.name);
      if (!entry.isDirectory() || !storeName.test(entry.name)) {
        problems.push(`${store} is no folder with a name of letters, digits, _ . -`);
        continue;
      }
      const anchors = await loadStore(store, type, problems);
      if (anchors.length > 0) stores.set(`${type}:${entry.name}`, anchors);
    }
  }
  if (problems.length > 0) {
    throw new TrustError('TRUST_STORE_MALFORMED', problems.join('\n'));
  }
  return makeTrustMaterial(stores);
}

/** Stores that are named and not there, or empty: a signature by their signers could not count. */
export function missingStores(
  named: Iterable<NotationTrustStoreName>,
  material: TrustMaterial,
): readonly NotationTrustStoreName[] {
  const missing = [...named].filter((name) => material.notationStore(name) === undefined);
  return [...new Set(missing)].toSorted();
}

export function makeTrustMaterial(
  stores: ReadonlyMap<NotationTrustStoreName, readonly Certificate[]>,
  sigstoreRoots: ReadonlyMap<string, LoadedSigstoreRoot> = new Map(),
): LoadedTrustMaterial {
  const digests = new Map([...stores].map(([name, anchors]) => [name, digestOf(anchors)]));
  return {
    notationStores: stores,
    notationStore: (name) => stores.get(name),
    notationStoreDigest: (name) => digests.get(name) ?? digestOf([]),
    sigstoreRoot: (name) => sigstoreRoots.get(name),
    sigstoreRootDigest: (name) => sigstoreRoots.get(name)?.root.digest ?? 'no root',
  };
}

/** Of the set of anchors: their order and doubles mean nothing. */
function digestOf(anchors: readonly Certificate[]): string {
  const fingerprints = new Set(anchors.map((anchor) => anchor.fingerprint));
  return createHash('sha256')
    .update([...fingerprints].toSorted().join('\n'))
    .digest('hex');
}

async function loadStore(
  store: string,
  type: NotationStoreType,
  problems: string[],
): Promise<readonly Certificate[]> {
  const anchors: Certificate[] = [];
  for (const entry of await listFolder(store, maxFiles, problems)) {
    const file = join(store, entry.name);
    if (!entry.isFile() || !certificateFile.test(entry.name)) {
      problems.push(`${file} is no regular .pem, .crt or .cer file (links are not followed)`);
      continue;
    }
    try {
      anchors.push(...(await loadFile(file, type)));
    } catch (error) {
      problems.push(error instanceof TrustError ? error.message : `${file}: ${messageOf(error)}`);
    }
  }
  return anchors;
}

async function loadFile(file: string, type: NotationStoreType): Promise<readonly Certificate[]> {
  const bytes = await readFileBounded(file, maxFileBytes, { symbolicLinks: 'refused' });
  const certificates = readCertificateFile(bytes, file);
  for (const certificate of certificates) {
    const refusal = refusalOfAnchor(certificate, type);
    if (refusal === undefined) continue;
    const message = `${file}: the certificate of ${certificate.subject.text} ${refusal}`;
    throw new TrustError('TRUST_STORE_MALFORMED', message);
  }
  return certificates;
}

/** Entries in order of their names. A link in place of the folder is refused, its absence is not. */
async function listFolder(
  folder: string,
  maxEntries: number,
  problems: string[],
): Promise<readonly Dirent[]> {
  try {
    if (!(await lstat(folder)).isDirectory()) {
      problems.push(`${folder} is no folder (links are not followed)`);
      return [];
    }
    const entries = await readdir(folder, { withFileTypes: true });
    if (entries.length > maxEntries) {
      problems.push(`${folder} has more than ${maxEntries} entries`);
      return [];
    }
    return entries
      .filter((entry) => !entry.name.startsWith('.'))
      .toSorted((a, b) => (a.name < b.name ? -1 : 1));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw new TrustError('TRUST_STORE_UNREADABLE', messageOf(error), { cause: error });
  }
}
