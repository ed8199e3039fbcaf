import { createServer, type IncomingMessage, type RequestListener } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { type PeerCertificate, TLSSocket } from 'node:tls';
import { play, type Step } from './scripted-step.ts';

export type { Step } from './scripted-step.ts';

/** A request as it came in. */
export interface SeenRequest {
  readonly method: string;
  /** As on the wire, with its query. */
  readonly target: string;
  /** The target without its query. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
  /** The common name in the TLS client certificate, if one was shown. */
  readonly clientName: string | undefined;
}

/** One step, or one that is made for the request. */
export type Script = Step | ((request: SeenRequest) => Step);

/** A server that answers each request by the next step of a script and remembers what was asked. */
export interface ScriptedUpstream {
  /** `http://127.0.0.1:PORT`, or https. */
  readonly origin: string;
  readonly port: number;
  /** Every request in the order of arrival. */
  readonly requests: readonly SeenRequest[];
  /** Connections accepted so far. */
  readonly connections: number;
  /** Connections that are open now. */
  readonly open: number;
  /**
   * Answers `METHOD /path` (any query; `* /path` for any method) with one step a request; the
   * last one repeats. A later call for the same key replaces the script.
   */
  on(key: string, ...steps: readonly [Script, ...Script[]]): void;
  /** The answer to everything else; 404 unless told. */
  otherwise(script: Script): void;
  /** The requests to a path. */
  seen(path: string): readonly SeenRequest[];
  close(): Promise<void>;
}

export interface ScriptedOptions {
  /** PEM: serve https. */
  readonly tls?: { readonly key: string; readonly cert: string };
  /** `127.0.0.1` unless told. */
  readonly host?: string;
}

/** Any certificate will do: a test looks at what was shown. */
const askForCertificate = { requestCert: true, rejectUnauthorized: false } as const;

export async function openScriptedUpstream(
  options: ScriptedOptions = {},
): Promise<ScriptedUpstream> {
  const { host = '127.0.0.1', tls } = options;
  const scripts = new Map<string, Script[]>();
  const requests: SeenRequest[] = [];
  const sockets = new Set<Socket>();
  let connections = 0;
  let fallback: Script = { status: 404 };

  const scriptFor = (request: SeenRequest): Script => {
    const steps = [request.method, '*'].map((method) => scripts.get(`${method} ${request.path}`));
    const script = steps.find((found) => found !== undefined);
    if (script === undefined) return fallback;
    return (script.length > 1 ? script.shift() : script[0]) ?? fallback;
  };
  const listener: RequestListener = (incoming, response) => {
    void readRequest(incoming).then((request) => {
      requests.push(request);
      const script = scriptFor(request);
      return play(typeof script === 'function' ? script(request) : script, request, response);
    });
  };
  const server =
    tls === undefined
      ? createServer(listener)
      : createTlsServer({ ...tls, ...askForCertificate }, listener);
  server.on('connection', (socket: Socket) => {
    connections += 1;
    sockets.add(socket);
    socket.on('error', () => socket.destroy());
    socket.once('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, host, resolve));
  const { port } = server.address() as AddressInfo;
  return {
    origin: `${tls === undefined ? 'http' : 'https'}://${host}:${port}`,
    port,
    requests,
    get connections() {
      return connections;
    },
    get open() {
      return sockets.size;
    },
    on: (key, ...steps) => void scripts.set(key, [...steps]),
    otherwise(script) {
      fallback = script;
    },
    seen: (path) => requests.filter((request) => request.path === path),
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function readRequest(incoming: IncomingMessage): Promise<SeenRequest> {
  const chunks: Buffer[] = [];
  const clientName = clientNameOf(incoming);
  try {
    for await (const chunk of incoming) chunks.push(chunk as Buffer);
  } catch {
    // The client went away while it spoke: what came is what was asked.
  }
  const target = incoming.url ?? '/';
  const [path = '/', query = ''] = target.split('?', 2);
  return {
    method: incoming.method ?? '',
    target,
    path,
    query: new URLSearchParams(query),
    headers: incoming.headers,
    body: Buffer.concat(chunks).toString(),
    clientName,
  };
}

function clientNameOf({ socket }: IncomingMessage): string | undefined {
  if (!(socket instanceof TLSSocket)) return undefined;
  const { subject } = socket.getPeerCertificate() as Partial<PeerCertificate>;
  return subject === undefined ? undefined : String(subject.CN);
}
