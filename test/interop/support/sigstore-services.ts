import { createPublicKey, type KeyObject } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { childrenOf, readDer } from '../../../src/crypto/der.ts';
import { leafHash } from '../../../src/crypto/merkle.ts';
import { systemClock } from '../../../src/kernel/clock.ts';
import { issueLeaf } from '../../support/sigstore-leaf.ts';
import { type LoggedEntry, makeSigstoreLog, type SigstoreLog } from '../../support/sigstore-log.ts';
import { timestampResponse, timestampToken } from '../../support/sign-timestamp.ts';
import { makeChain, toPem } from '../../support/test-ca.ts';
import type { Owner } from './process.ts';
import { toEntryBody } from './rekor-bodies.ts';

/** A Fulcio, a Rekor (v1) and a timestamp authority of this machine, over plain HTTP. */
export interface SigstoreServices {
  readonly url: string;
  readonly log: SigstoreLog;
  /** What was asked for, such as `POST /api/v1/log/entries`. */
  readonly asked: readonly string[];
}

interface Answer {
  readonly status?: number;
  readonly type?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: string | Uint8Array;
}

type Handler = (body: Buffer, request: IncomingMessage) => Answer;

const maxRequestBytes = 4 * 1024 * 1024;
const [, ...issuers] = makeChain().certificates;
const issuersPem = issuers.map(({ pem }) => pem);

/** Everything under one URL; the trusted root of it is `trustedRootJson()` of our makers. */
export async function startSigstoreServices(owner: Owner): Promise<SigstoreServices> {
  const log = makeSigstoreLog();
  const asked: string[] = [];
  const handlers: Readonly<Record<string, Handler>> = {
    'POST /api/v1/signingCert': (body, { headers }) => {
      const request = JSON.parse(body.toString()) as { publicKey: { content: string } };
      const content = Buffer.from(request.publicKey.content, 'base64');
      const key = createPublicKey(content.toString());
      const chain = [leafFor(key, tokenOf(headers)), ...issuersPem].join('');
      return { status: 201, type: 'application/pem-certificate-chain', body: chain };
    },
    'POST /api/v2/signingCert': (body, { headers }) => {
      const request = JSON.parse(body.toString()) as SigningRequest;
      const key = createPublicKey(request.publicKeyRequest.publicKey.content);
      const leaf = leafFor(key, tokenOf(headers));
      const chain = { certificates: [leaf, ...issuersPem] };
      return json({ signedCertificateEmbeddedSct: { chain } });
    },
    'POST /api/v1/log/entries': (body) => {
      const entry = log.append(toEntryBody(JSON.parse(body.toString())), systemClock.now());
      const id = entryId(entry);
      // Clients find the entry in the answer by this header.
      const headers = { etag: id, location: `/api/v1/log/entries/${id}` };
      return { ...json({ [id]: toRekorAnswer(log, entry) }), status: 201, headers };
    },
    'GET /api/v1/log/publicKey': () => ({
      type: 'application/x-pem-file',
      body: createPublicKey(log.privateKey).export({ type: 'spki', format: 'pem' }),
    }),
    'POST /api/v1/timestamp': (query) => ({
      status: 201,
      type: 'application/timestamp-reply',
      body: stamp(query),
    }),
  };
  const server = createServer((request, response) => {
    void (async () => {
      const name = `${request.method} ${request.url}`;
      asked.push(name);
      const body = await readAll(request);
      const answer = handlers[name]?.(body, request) ?? { status: 404, body: 'nothing is here' };
      const { status = 200, type = 'text/plain', headers } = answer;
      response.writeHead(status, { 'content-type': type, ...headers });
      response.end(answer.body);
    })().catch((error: unknown) => {
      response.writeHead(500).end(String(error));
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  owner.teardown(async () => {
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  });
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, log, asked };
}

/** An identity token that nobody checks but the tools for its form. */
export function identityToken(subject: string, issuer: string): string {
  const now = Math.floor(systemClock.now().getTime() / 1000);
  const isEmail = !subject.includes('://');
  const claims = {
    iss: issuer,
    sub: subject,
    aud: 'sigstore',
    iat: now,
    exp: now + 3600,
    ...(isEmail && { email: subject, email_verified: true }),
  };
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  return `${part({ alg: 'RS256', typ: 'JWT' })}.${part(claims)}.${part({ signed: 'by nobody' })}`;
}

interface SigningRequest {
  readonly publicKeyRequest: { readonly publicKey: { readonly content: string } };
}

function tokenOf({ authorization = '' }: IncomingMessage['headers']): string {
  return authorization.replace(/^Bearer /, '');
}

function leafFor(key: KeyObject, token: string): string {
  const [, claims = ''] = token.split('.');
  const { iss, sub } = JSON.parse(Buffer.from(claims, 'base64url').toString()) as {
    readonly iss: string;
    readonly sub: string;
  };
  return toPem(issueLeaf({ key, subject: sub, issuer: iss, at: systemClock.now() }));
}

function entryId({ body }: LoggedEntry): string {
  return Buffer.from(leafHash(body)).toString('hex');
}

/** As Rekor's API has it (`LogEntry`), but for the entry's id, which is its name. */
function toRekorAnswer({ logId }: SigstoreLog, entry: LoggedEntry): object {
  const { body, logIndex, integratedTimeSeconds, promise, proof } = entry;
  const hex = (bytes: Buffer): string => bytes.toString('hex');
  return {
    body: body.toString('base64'),
    integratedTime: integratedTimeSeconds,
    logID: hex(logId),
    logIndex,
    verification: {
      signedEntryTimestamp: promise.toString('base64'),
      inclusionProof: {
        logIndex,
        treeSize: proof.treeSize,
        rootHash: hex(proof.rootHash),
        hashes: proof.hashes.map(hex),
        checkpoint: proof.checkpoint,
      },
    },
  };
}

/** Answers a query (RFC 3161, 2.4.1) with its imprint and its nonce, at this moment. */
function stamp(query: Buffer): Uint8Array {
  const [, imprint, ...others] = childrenOf(readDer(query));
  if (imprint === undefined) throw new TypeError('a query has an imprint');
  const nonce = others.find(({ tag }) => tag === 0x02);
  const genTime = systemClock
    .now()
    .toISOString()
    .replace(/\.\d+|[-:T]/g, '');
  const token = timestampToken(new Uint8Array(), {
    genTime,
    info: (parts) => [
      ...parts.map((part, index) => (index === 2 ? Buffer.from(imprint.bytes) : part)),
      ...(nonce === undefined ? [] : [Buffer.from(nonce.bytes)]),
    ],
  });
  return timestampResponse(token);
}

function json(value: object): Answer {
  return { type: 'application/json', body: JSON.stringify(value) };
}

async function readAll(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > maxRequestBytes) throw new TypeError('the request is too large');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
