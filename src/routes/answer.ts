import { answerBlob } from './blobs.ts';
import { type Exchange, sendWhole } from './exchange.ts';
import { answerManifest } from './manifests.ts';
import { type NamedRepository, resolveName } from './names.ts';
import { parseTarget, splitTarget, type Target } from './path.ts';
import { parseQuery, type Query, singleValue } from './query.ts';
import { answerReferrers } from './referrers.ts';
import { sendFailure } from './send-failure.ts';
import { answerTags } from './tags.ts';

/** Answers one request; whatever goes wrong becomes an answer too, and nothing is thrown. */
export async function answer(exchange: Exchange): Promise<void> {
  try {
    const { path, query: queryText } = splitTarget(exchange.rawUrl);
    const target = parseTarget(path);
    exchange.route = target.route;
    if (target.route === 'version') answerVersion(exchange);
    else await answerRepository(exchange, target, parseQuery(queryText));
  } catch (error) {
    sendFailure(exchange, error);
  }
}

/** distribution-spec, end-1: that this is a registry. Depends on no upstream. */
function answerVersion(exchange: Exchange): void {
  sendWhole(exchange, 200, { 'Content-Type': 'application/json' }, '{}');
}

async function answerRepository(
  exchange: Exchange,
  target: Exclude<Target, { readonly route: 'version' }>,
  query: Query,
): Promise<void> {
  const named = nameOf(exchange, target.name, query);
  exchange.named = named;
  switch (target.route) {
    case 'manifests':
      exchange.reference = target.reference;
      await answerManifest(exchange, named, target.reference);
      break;
    case 'blobs':
      exchange.reference = { digest: target.digest };
      await answerBlob(exchange, named, target.digest);
      break;
    case 'referrers':
      exchange.reference = { digest: target.digest };
      await answerReferrers(exchange, named, target.digest, query);
      break;
    case 'tags':
      await answerTags(exchange, named, query);
      break;
  }
}

function nameOf({ services, request }: Exchange, name: string, query: Query): NamedRepository {
  const namespace = singleValue(query, 'ns');
  return resolveName({ name, namespace, host: request.headers.host }, services.names);
}
