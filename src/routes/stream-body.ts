import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { OpenedRange } from '../gate/trusted-content.ts';
import { cutIfDenied, type SentContent } from './cut-denied.ts';
import { beforeDeadline, type Exchange } from './exchange.ts';
import { exactLength } from './exact-length.ts';
import { recordBrokenStream } from './send-failure.ts';
import { sendPieces } from './send-pieces.ts';
import { cutOffSlowReader } from './slow-reader.ts';

type OpenBody = (signal: AbortSignal) => Promise<OpenedRange>;

/**
 * Opens a blob, lets the headers go (`sendHeaders` says how many bytes they promise), then the
 * bytes as fast as the client takes them. If the stream fails, or what it carries is denied, the
 * connection is destroyed: the client must not take a part for the whole. A client that goes away
 * aborts the stream. Throws `OverLimitError` where the client has too many.
 */
export async function streamBody(
  exchange: Exchange,
  open: OpenBody,
  sent: SentContent,
  sendHeaders: (opened: OpenedRange) => number,
): Promise<void> {
  const { clients } = exchange.services;
  const end = clients.beginStream(clients.nameOf(exchange.request));
  try {
    const opened = await openBeforeDeadline(exchange, open);
    await sendOpened(exchange, opened, sent, sendHeaders);
  } finally {
    end();
  }
}

async function sendOpened(
  exchange: Exchange,
  opened: OpenedRange,
  sent: SentContent,
  sendHeaders: (opened: OpenedRange) => number,
): Promise<void> {
  const { response, services } = exchange;
  const body = opened.stream;
  const stopHeeding = cutIfDenied(exchange, sent);
  if (response.destroyed) {
    stopHeeding();
    body.destroy();
    return;
  }
  const size = sendHeaders(opened);
  // Node would keep them until the first byte, which for a small blob comes with the last one.
  response.flushHeaders();
  const stopWatching = cutOffSlowReader(response, services.limits.slowReader);
  try {
    if (body.pieces === undefined) {
      await pipeThrough(exchange, body, size);
    } else {
      // Whoever gives the bytes may end it while the client takes none: nobody reads then.
      body.once('error', (error) => breakOff(exchange, error));
      await sendPieces(body.pieces, response, size);
    }
    services.metrics.count('assay_bytes_served_total', { kind: 'blob' }, size);
  } catch (error) {
    breakOff(exchange, error);
  } finally {
    stopWatching();
    stopHeeding();
    body.destroy();
  }
}

function breakOff(exchange: Exchange, error: unknown): void {
  const { response } = exchange;
  // A connection that is not gone by now was not the client's to end.
  if (!response.destroyed) recordBrokenStream(exchange, error);
  response.destroy();
}

async function pipeThrough(exchange: Exchange, body: Readable, size: number): Promise<void> {
  const exact = exactLength(size);
  let isNoted = false;
  // Before the connection is destroyed for it, so that it is not taken for the client's leaving.
  const noteFault = (error: unknown): void => {
    if (!isNoted && !exchange.signal.aborted) recordBrokenStream(exchange, error);
    isNoted = true;
  };
  body.once('error', noteFault);
  exact.once('error', noteFault);
  await pipeline(body, exact, exchange.response);
}

/** An opening that comes too late, or for a client that has gone, is closed again. */
async function openBeforeDeadline(exchange: Exchange, open: OpenBody): Promise<OpenedRange> {
  const opening = new AbortController();
  const signal = AbortSignal.any([exchange.signal, opening.signal]);
  const opened = open(signal);
  try {
    return await beforeDeadline(exchange, opened);
  } catch (error) {
    opening.abort(error);
    opened.then(
      ({ stream }) => stream.destroy(),
      () => undefined,
    );
    throw error;
  }
}
