import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import { failureBody } from './send-failure.ts';

/** What goes on on each connection. */
export interface Connections {
  /** One more request is answered; false if that is more at once than allowed. */
  begin(socket: object): boolean;
  end(socket: object): void;
  isAnswering(socket: object): boolean;
  /** The answer under way is the connection's last: what else was sent ahead is not for us. */
  markLast(socket: object): void;
  isLast(socket: object): boolean;
}

export function makeConnections(maxPipelinedRequests: number): Connections {
  const counts = new WeakMap<object, number>();
  const last = new WeakSet<object>();
  return {
    begin(socket) {
      const count = (counts.get(socket) ?? 0) + 1;
      counts.set(socket, count);
      return count <= maxPipelinedRequests;
    },
    end(socket) {
      counts.set(socket, (counts.get(socket) ?? 1) - 1);
    },
    isAnswering: (socket) => (counts.get(socket) ?? 0) > 0,
    markLast: (socket) => void last.add(socket),
    isLast: (socket) => last.has(socket),
  };
}

const statusOfParseError: Readonly<Record<string, number>> = {
  HPE_HEADER_OVERFLOW: 431,
  HPE_CHUNK_EXTENSIONS_OVERFLOW: 413,
  ERR_HTTP_REQUEST_TIMEOUT: 408,
};

const messageOfStatus: Readonly<Record<number, string>> = {
  408: 'the request took too long',
  413: 'the extensions of a chunk are too large',
  431: 'the request line and headers are too large',
};

/**
 * Answers what was no HTTP request, and ends the connection: where its bytes would go on can't be
 * known. In the middle of an answer nothing is written, since it would become part of that answer.
 */
export function refuseConnection(
  error: NodeJS.ErrnoException,
  socket: Socket,
  connections: Connections,
): void {
  if (!socket.writable || connections.isAnswering(socket)) {
    socket.destroy();
    return;
  }
  const status = statusOfParseError[error.code ?? ''] ?? 400;
  const message = messageOfStatus[status] ?? 'this is no valid HTTP request';
  const body = failureBody({ status, code: 'UNSUPPORTED', message });
  socket.write(
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nConnection: close\r\n` +
      `Content-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
  socket.destroySoon();
}
