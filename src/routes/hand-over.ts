import type { OutgoingHttpHeaders } from 'node:http';
import type { TrustedBlob } from '../gate/trusted-content.ts';
import type { Handover, HandoverTakers } from '../storage/handover.ts';
import { cutIfDenied, type SentContent } from './cut-denied.ts';
import { beforeDeadline, type Exchange, isHead, sendWhole } from './exchange.ts';

/**
 * Answers by naming who sends the blob, where somebody can. They see to ranges and to how much a
 * client takes; a denial that comes once they were named does not reach them.
 */
export async function isHandedOver(
  exchange: Exchange,
  sent: SentContent & { readonly content: TrustedBlob },
  headers: OutgoingHttpHeaders,
): Promise<boolean> {
  const { content } = sent;
  // HEAD is answered by what we know already.
  if (content.handOver === undefined || isHead(exchange)) return false;
  const { clients } = exchange.services;
  // Each costs somebody a question, and most of them a client: as much as if it were sent here.
  const end = clients.beginStream(clients.nameOf(exchange.request));
  // From before we ask for it: what is denied meanwhile is not handed over.
  const stopHeeding = cutIfDenied(exchange, sent);
  try {
    const asked = content.handOver(takersOf(exchange), exchange.signal);
    const handover = await beforeDeadline(exchange, asked);
    if (handover === undefined) return false;
    if (!exchange.response.destroyed) answer(exchange, handover, headers);
    return true;
  } finally {
    stopHeeding();
    end();
  }
}

/** In a request of our own nginx: where it has the folder of stored content. */
const locationHeader = 'x-assay-stored-at';

function takersOf({ request, services }: Exchange): HandoverTakers {
  const location = request.headers[locationHeader];
  // Nobody else is believed: the file would be the whole of an answer that has no bytes.
  const isBelieved = typeof location === 'string' && services.isProxy(request.socket.remoteAddress);
  return { proxyLocation: isBelieved ? location : undefined };
}

function answer(exchange: Exchange, handover: Handover, headers: OutgoingHttpHeaders): void {
  if (handover.to === 'nginx') {
    sendWhole(exchange, 200, { ...headers, 'X-Accel-Redirect': handover.path }, '');
    return;
  }
  // Another resource with headers of its own; the next request is decided on anew.
  const { ETag: _, 'Accept-Ranges': _ranges, 'Content-Type': _type, ...told } = headers;
  const toClient = { ...told, Location: handover.url, 'Cache-Control': 'no-store' };
  sendWhole(exchange, 307, toClient, '');
}
