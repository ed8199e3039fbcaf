import { mkdirSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { Chain } from '../../support/test-ca.ts';
import { mustRun, type Owner } from './process.ts';

/** A timestamp authority of this machine, over plain HTTP (RFC 3161, 3.4). */
export interface TimestampAuthority {
  readonly url: string;
  /** PEM file of its root. */
  readonly root: string;
  /** How many tokens it has issued. */
  readonly issued: () => number;
}

export interface AuthorityOptions {
  readonly openssl: string;
  readonly chain: Chain;
  readonly folder: string;
}

const maxQueryBytes = 4096;

/** Real tokens by `openssl ts`, at the real time. */
export async function startOpensslAuthority(
  owner: Owner,
  { openssl, chain, folder }: AuthorityOptions,
): Promise<TimestampAuthority> {
  mkdirSync(folder, { recursive: true });
  const path = (name: string): string => join(folder, name);
  const key = chain.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  writeFileSync(path('signer.pem'), chain.leaf.pem);
  writeFileSync(path('key.pem'), key, { mode: 0o600 });
  writeFileSync(path('chain.pem'), chain.pem);
  writeFileSync(path('root.pem'), chain.root.pem);
  writeFileSync(path('serial'), '01\n');
  writeFileSync(path('ts.cnf'), configuration(path('serial')));
  let issued = 0;
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const number = (issued += 1);
    const query = path(`${number}.tsq`);
    const reply = path(`${number}.tsr`);
    writeFileSync(query, await readAll(request));
    const files = ['-signer', path('signer.pem'), '-inkey', path('key.pem')];
    const words = ['-config', path('ts.cnf'), '-section', 'clock', '-chain', path('chain.pem')];
    await mustRun(openssl, [
      'ts',
      '-reply',
      '-queryfile',
      query,
      '-out',
      reply,
      ...files,
      ...words,
    ]);
    response.setHeader('content-type', 'application/timestamp-reply');
    response.end(await readFile(reply));
  };
  const server = createServer((request, response) => {
    answer(request, response).catch((error: unknown) => response.writeHead(500).end(String(error)));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  owner.teardown(async () => {
    server.close();
    server.closeAllConnections();
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  return { url, root: path('root.pem'), issued: () => issued };
}

function configuration(serial: string): string {
  return [
    '[clock]',
    `serial = ${serial}`,
    'signer_digest = sha256',
    'default_policy = 1.3.6.1.4.1.99999.1',
    'digests = sha256, sha384, sha512',
    'accuracy = secs:1, millisecs:500, microsecs:100',
    'ess_cert_id_alg = sha256',
    '',
  ].join('\n');
}

async function readAll(request: IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = [];
  let length = 0;
  for await (const part of request as AsyncIterable<Buffer>) {
    length += part.length;
    if (length > maxQueryBytes) throw new Error('the query is too large');
    parts.push(part);
  }
  return Buffer.concat(parts);
}
