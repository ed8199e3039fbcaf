import { answerBlob } from './blobs.ts';
import { type Exchange, sendWhole } from './exchange.ts';
import { answerManifest } from './manifests.ts';
import { answerReferrers } from './referrers.ts';
import { sendFailure } from './send-failure.ts';
import { answerTags } from './tags.ts';
import type { Asked } from './targets.ts';

/** Answers one request; whatever goes wrong becomes an answer too, and nothing is thrown. */
export function answer(exchange: Exchange): void {
  try {
    // What is at hand is answered before this returns, and makes no promise.
    const work = begin(exchange);
    work?.catch((error: unknown) => sendFailure(exchange, error));
  } catch (error) {
    sendFailure(exchange, error);
  }
}

function begin(exchange: Exchange): Promise<void> | undefined {
  const asked = readTarget(exchange);
  if (asked === undefined) return answerVersion(exchange);
  const { named, reference } = asked;
  exchange.route = asked.route;
  exchange.named = named;
  exchange.reference = reference;
  switch (asked.route) {
    case 'manifests':
      return answerManifest(exchange, named, asked.reference);
    case 'blobs':
      return answerBlob(exchange, named, asked.reference.digest);
    case 'referrers':
      return answerReferrers(exchange, named, asked.reference.digest, asked.query);
    default:
      return answerTags(exchange, named, asked.query);
  }
}

function readTarget(exchange: Exchange): Asked | undefined {
  const { services, request, rawUrl } = exchange;
  const { targets } = services;
  const { host } = request.headers;
  const known = targets.atHand(rawUrl, host);
  if (known !== undefined) return known;
  // A request that names nothing that we have is counted by its route all the same.
  return targets.read(rawUrl, host, (route) => {
    exchange.route = route;
  });
}

/** distribution-spec, end-1: that this is a registry. Depends on no upstream. */
function answerVersion(exchange: Exchange): undefined {
  sendWhole(exchange, 200, { 'Content-Type': 'application/json' }, '{}');
}
