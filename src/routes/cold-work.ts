import { scopeOf } from '../oci/repository.ts';
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
  const payment = { client, name: nameOf(exchange), waiting: exchange.signal };
  const paid = misses.payFor(payment, work).finally(end);
  return beforeDeadline(exchange, paid);
}

/** What is asked for, whatever host or letters it was asked by. */
function nameOf({ route, named, reference }: Exchange): string {
  const scope = named === undefined ? '' : scopeOf(named.repository);
  if (reference === undefined) return `${route} ${scope}`;
  return `${route} ${scope} ${'tag' in reference ? reference.tag : reference.digest}`;
}
