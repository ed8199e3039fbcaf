import { Agent, createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Owner } from '../interop/support/process.ts';

/** A server in front of another, which answers as much later as a network would. */
export interface SlowFront {
  readonly url: string;
  /** How often each path was asked for with GET. */
  readonly gets: ReadonlyMap<string, number>;
}

/** Each answer begins `delayMs` after it was asked for, at the soonest. */
export async function startSlowFront(
  owner: Owner,
  target: string,
  delayMs: number,
): Promise<SlowFront> {
  const gets = new Map<string, number>();
  const agent = new Agent({ keepAlive: true });
  const server = createServer((asked, answer) => {
    const { method, url = '/', headers } = asked;
    if (method === 'GET') gets.set(url, (gets.get(url) ?? 0) + 1);
    setTimeout(() => {
      const onward = request(new URL(url, target), { method, headers, agent }, (got) => {
        answer.writeHead(got.statusCode ?? 502, got.headers);
        got.pipe(answer);
      });
      onward.on('error', () => answer.destroy());
      asked.pipe(onward);
    }, delayMs);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  owner.teardown(async () => {
    server.closeAllConnections();
    server.close();
    agent.destroy();
  });
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, gets };
}
