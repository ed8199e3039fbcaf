import type { Config } from '../config/schema.ts';
import { readTextFileBounded } from '../files/read-file.ts';
import { type KeyReader, makeKeyReader } from '../key-references/key-reader.ts';
import type { AskKeyService } from '../key-references/key-service.ts';
import type { VaultSettings } from '../key-references/vault-key.ts';
import { type Clock, systemClock } from '../kernel/clock.ts';
import { openOriginFetch } from '../upstream/origin-fetch.ts';

export interface KeyReferenceOptions {
  readonly clock?: Clock;
  readonly environment?: Readonly<Record<string, string | undefined>>;
  readonly readFile?: (path: string) => Promise<string>;
}

/** A secret of Kubernetes has 1 MiB at most, in base64. */
const maxAnswerBytes = 2 * 1024 * 1024;
const maxFileBytes = 1024 * 1024;
/** For all keys of one load together. */
const deadlineMs = 30_000;

/** Reads the keys that one load of a policy names by URI. Nothing is asked before one is read. */
export function openKeyReader(
  trust: Pick<Config['trust'], 'keyReferences' | 'offline'> | undefined,
  options: KeyReferenceOptions = {},
): KeyReader {
  const { clock = systemClock, environment = process.env } = options;
  const readFile = options.readFile ?? ((path) => readTextFileBounded(path, maxFileBytes));
  const signal = AbortSignal.timeout(deadlineMs);
  const ask: AskKeyService = async ({ ca, ...request }) => {
    const { origin } = new URL(request.url);
    const service = openOriginFetch({ origin, ca, ownListeners: () => [] });
    try {
      return await service.ask(request, maxAnswerBytes, signal);
    } finally {
      await service.close();
    }
  };
  return makeKeyReader({
    ask,
    clock,
    environment,
    readFile,
    vault: trust?.keyReferences?.vault && vaultSettings(trust.keyReferences.vault),
    isOffline: trust?.offline ?? false,
  });
}

type VaultConfig = NonNullable<NonNullable<Config['trust']['keyReferences']>['vault']>;

function vaultSettings({ url, token, mount, ca, plainHttp }: VaultConfig): VaultSettings {
  return { url, token: token && (() => token.reveal()), mount, caFile: ca, plainHttp };
}
