import { beforeDeadline, type Exchange } from './exchange.ts';

/**
 * What has to be found out for a request, within the answer's deadline and its client's limits.
 * Throws `OverLimitError` without having begun. It counts until it has ended, whether or not
 * somebody still waits for it.
 */
export async function findOut<T>(exchange: Exchange, work: () => Promise<T>): Promise<T> {
  const { clients, misses } = exchange.services;
  const client = clients.nameOf(exchange.request);
  const end = clients.beginWork(client);
  const paid = misses.payFor(client, exchange.signal, work).finally(end);
  return beforeDeadline(exchange, paid);
}
