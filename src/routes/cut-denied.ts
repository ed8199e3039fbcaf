import type { TrustedBlob, TrustedManifest } from '../gate/trusted-content.ts';
import type { Repository } from '../oci/repository.ts';
import type { Exchange } from './exchange.ts';
import { recordCut } from './send-failure.ts';

/** What an answer sends, and from where: for as long as it does, the gate is to be heard. */
export interface SentContent {
  readonly repository: Repository;
  readonly content: TrustedManifest | TrustedBlob;
}

/**
 * Cuts the connection as soon as what it sends is denied, at once if it is already: the client
 * must not get the rest. The returned function ends that.
 */
export function cutIfDenied(exchange: Exchange, { repository, content }: SentContent): () => void {
  return exchange.services.gate.whileSent(repository, content, (because) => {
    recordCut(exchange, because);
    exchange.response.destroy();
  });
}

/** The same for an answer that was given whole, of which a slow reader has not taken all. */
export function cutRestIfDenied(exchange: Exchange, sent: SentContent): void {
  const { response } = exchange;
  // Nearly always the system has taken all of it by now.
  if (response.writableLength === 0 || response.destroyed) return;
  const stop = cutIfDenied(exchange, sent);
  response.once('close', stop);
}
