import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import type { Test } from 'tap';
import { openKeyReader } from '../../src/compose/key-references.ts';
import type { KeyReader } from '../../src/key-references/key-reader.ts';
import { makeServerCertificate } from './server-certificate.ts';

/** What a fake service was asked. */
export interface KeyServiceCall {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

export interface FakeKeyService {
  /** `127.0.0.1:PORT`. */
  readonly host: string;
  readonly port: number;
  readonly ca: string;
  readonly calls: readonly KeyServiceCall[];
}

export interface ScriptedAnswer {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** Text as it is, anything else as JSON. */
  readonly body: unknown;
}

/** One certificate for all: making it takes longer than a test. */
const certificate = makeServerCertificate();

/** A service over TLS on this machine that answers each call as `answer` says. */
export async function startKeyService(
  t: Test,
  answer: (call: KeyServiceCall) => ScriptedAnswer,
): Promise<FakeKeyService> {
  const calls: KeyServiceCall[] = [];
  const respond = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const body = await text(request);
    const { method = '', url: path = '', headers } = request;
    const call = { method, path, headers, body };
    calls.push(call);
    const { status = 200, headers: sent = {}, body: answered } = answer(call);
    response
      .writeHead(status, sent)
      .end(typeof answered === 'string' ? answered : JSON.stringify(answered));
  };
  const { certificate: cert, key, ca } = certificate;
  const server = createServer(
    { cert, key },
    (request, response) => void respond(request, response),
  );
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return { host: `127.0.0.1:${port}`, port, ca, calls };
}

export interface KeyReaderSetting {
  readonly environment?: Readonly<Record<string, string>>;
  /** By path. */
  readonly files?: Readonly<Record<string, string>>;
  readonly trust?: Parameters<typeof openKeyReader>[0];
}

/** The reader that is composed for a policy, over files and variables of the test. */
export function keyReaderOf({ environment = {}, files = {}, trust }: KeyReaderSetting): KeyReader {
  return openKeyReader(trust, {
    environment,
    readFile: async (path) => {
      const text = files[path];
      if (text === undefined) throw new Error(`there is no ${path}`);
      return text;
    },
  });
}
