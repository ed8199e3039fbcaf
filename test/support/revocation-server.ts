import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Test } from 'tap';

/** Bytes, a status, where to go instead, a body that never ends, or nothing ever. */
export type ServedAnswer = Uint8Array | number | { readonly location: string } | 'endless' | 'hang';

/** Answers like OCSP responders and hosts of lists, on loopback. */
export interface RevocationServer {
  readonly port: number;
  readonly url: string;
  /** `METHOD PATH`, without the question that an OCSP request adds to its path. */
  readonly requests: string[];
  /** Headers of each request. */
  readonly headers: IncomingMessage['headers'][];
  serve(path: string, answer: () => ServedAnswer): void;
}

export async function openRevocationServer(t: Test): Promise<RevocationServer> {
  const answers = new Map<string, () => ServedAnswer>();
  const requests: string[] = [];
  const headers: IncomingMessage['headers'][] = [];
  const server = createServer((request, response) => {
    const { url = '', method } = request;
    const path = [...answers.keys()].find((each) => url === each || url.startsWith(`${each}/`));
    requests.push(`${method} ${path ?? url}`);
    headers.push(request.headers);
    send(response, answers.get(path ?? '')?.() ?? 404);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  const serve: RevocationServer['serve'] = (path, answer) => void answers.set(path, answer);
  return { port, url: `http://127.0.0.1:${port}`, requests, headers, serve };
}

function send(response: ServerResponse, answer: ServedAnswer): void {
  if (answer === 'hang') return;
  if (typeof answer === 'number') response.writeHead(answer).end();
  else if (answer === 'endless') pour(response);
  else if ('location' in answer) response.writeHead(302, { location: answer.location }).end();
  else response.writeHead(200, { 'content-length': answer.length }).end(answer);
}

function pour(response: ServerResponse): void {
  const chunk = Buffer.alloc(64 * 1024, 0x30);
  const write = (): void => {
    while (!response.destroyed && response.write(chunk));
  };
  response.on('drain', write);
  write();
}
