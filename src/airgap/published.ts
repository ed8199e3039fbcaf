import type { Seal } from '../gate/sealed.ts';
import { isObject, JsonError, readJson } from '../kernel/json.ts';
import type { Digest } from '../oci/digest.ts';
import { makeDurableFile } from '../storage/durable-file.ts';
import type { FileSystem } from '../storage/file-system.ts';
import { StorageError } from '../storage/storage-error.ts';
import { AirgapError } from './airgap-error.ts';
import type { Sequence } from './bundle.ts';
import { intoStore } from './file-failure.ts';
import type { StoreFiles } from './store-files.ts';

/** What is in force in a zone: `published.json`, renamed into place. */
export interface Published {
  /** From 1; one more with each that is published. */
  readonly generation: number;
  readonly stream: string;
  readonly sequence: Sequence;
  /** Names the bundle. */
  readonly snapshot: Digest;
  /** The count of the state that it was published under. */
  readonly stateCount: number;
  /** RFC 3339, like all times here: when the bundle was made. */
  readonly created: string;
  readonly importedAt: string;
  /** How old what it knows of revocations is; undefined: the bundle has nothing of the kind. */
  readonly revocationAsOf?: string;
  /** Keys of the upstreams that it has something of. */
  readonly upstreams: readonly string[];
  readonly images: number;
  /** Images of the bundle that were left out, as the policy here does not admit them. */
  readonly leftOut: number;
  /** Of the document that says what is in it: the same for the same images of the same bundle. */
  readonly document: Digest;
  /** Of what came by plain layouts; undefined: nothing did. */
  readonly layouts?: Digest;
  readonly trustFiles: number;
}

const maxBytes = 4 * 1024 * 1024;
const sealName = 'airgap published';

/**
 * Undefined before the first. What a person reads in it is a copy: what counts is under the seal.
 * Throws `AirgapError` (STORE_DAMAGED, READ_FAILED).
 */
export async function readPublished(
  { published }: Pick<StoreFiles, 'published'>,
  seal: Seal,
  files: FileSystem,
): Promise<Published | undefined> {
  const bytes = await makeDurableFile(published, maxBytes, files)
    .read()
    .catch((cause: unknown) => {
      if (!(cause instanceof StorageError)) throw cause;
      throw new AirgapError('READ_FAILED', cause.message, { cause });
    });
  if (bytes === undefined) return undefined;
  const opened = seal.open(sealName, Buffer.from(sealedIn(bytes) ?? '', 'base64'));
  if (opened !== undefined) return opened as Published;
  const message = `${published} does not open: it was altered, or sealed with another key`;
  throw new AirgapError('STORE_DAMAGED', message);
}

export async function writePublished(
  { published }: Pick<StoreFiles, 'published'>,
  seal: Seal,
  files: FileSystem,
  next: Published,
): Promise<void> {
  const sealed = Buffer.from(seal.close(sealName, next)).toString('base64');
  const text = `${JSON.stringify({ ...next, sealed }, null, 2)}\n`;
  const file = makeDurableFile(published, maxBytes, files);
  await intoStore(published, () => file.write(Buffer.from(text)));
}

function sealedIn(bytes: Uint8Array): string | undefined {
  try {
    const json = readJson(bytes);
    const sealed = isObject(json) ? json['sealed'] : undefined;
    return typeof sealed === 'string' ? sealed : undefined;
  } catch (error) {
    if (error instanceof JsonError) return undefined;
    throw error;
  }
}
