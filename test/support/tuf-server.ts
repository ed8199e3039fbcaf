import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Test } from 'tap';
import { type BuiltTuf, serveTuf } from './tuf-repository.ts';

/** The same over HTTP, until the test ends; below `/sigstore`. */
export async function startTufServer(t: Test): Promise<{
  readonly url: string;
  /** Paths that were asked for, or `connected`, which comes first. */
  readonly asked: readonly string[];
  serve(...layers: readonly BuiltTuf[]): void;
}> {
  const files = serveTuf('');
  const asked: string[] = [];
  const answer = async (path: string, response: ServerResponse): Promise<void> => {
    const { signal } = new AbortController();
    const bytes = await files.fetch(path.replace('/sigstore', ''), Infinity, signal);
    response.writeHead(bytes === undefined ? 404 : 200).end(bytes);
  };
  const server = createServer((request, response) => {
    asked.push(request.url ?? '');
    void answer(request.url ?? '', response);
  });
  server.on('connection', () => asked.push('connected'));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}/sigstore`, asked, serve: files.serve };
}
