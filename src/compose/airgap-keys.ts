import { resolve } from 'node:path';
import { type OpenedKeys, type OpenKey, openKeys } from '../airgap/keys.ts';
import { openSigner } from '../signers/index.ts';

/** The keys that sign a stream's bundles, from the folder that `airgap init` made. */
export function openBundleKeys(folder: string): Promise<OpenedKeys> {
  return openKeys(resolve(folder), keyOpener(resolve(folder)));
}

/** Opens keys of any kind; paths in their URIs are relative to the folder. */
export function keyOpener(base: string): OpenKey {
  return (uri) => openSigner(uri, { base, environment: process.env });
}
