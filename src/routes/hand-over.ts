import type { OutgoingHttpHeaders } from 'node:http';
import type { TrustedBlob } from '../gate/trusted-content.ts';
import type { Handover } from '../storage/handover.ts';
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
  // From before we ask for it: what is denied meanwhile is not handed over.
  const stopHeeding = cutIfDenied(exchange, sent);
  try {
    const asked = content.handOver(exchange.signal);
    const handover = await beforeDeadline(exchange, asked);
    if (handover === undefined) return false;
    if (!exchange.response.destroyed) answer(exchange, handover, headers);
    return true;
  } finally {
    stopHeeding();
  }
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
