import { createHash, randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import type { Test } from 'tap';
import type { S3Address } from '../../src/storage/s3-client.ts';

/** One request, as a fault may ask about it. */
export interface S3Request {
  readonly method: string;
  /** Within the bucket. */
  readonly key: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingMessage['headers'];
  readonly body: Buffer;
}

/** Answers in place of the service, where it says `handled`. */
export type S3Fault = (
  request: S3Request,
  response: ServerResponse,
  /** What the service would do. */
  serve: () => void,
) => 'handled' | undefined;

export interface StoredObject {
  readonly bytes: Buffer;
  readonly etag: string;
  readonly changedAt: Date;
}

/** As much of S3 as is asked for, in memory, over HTTP; ended with the test. */
export interface FakeS3 {
  readonly address: S3Address;
  readonly objects: Map<string, StoredObject>;
  /** Uploads that were begun and not ended, by their id. */
  readonly uploads: Map<string, FakeUpload>;
  /** As `METHOD key`, with `?name` for what a query names. */
  readonly requests: string[];
  count(pattern: RegExp): number;
  put(key: string, bytes: Uint8Array, changedAt?: Date): void;
  setFault(fault: S3Fault | undefined): void;
}

export interface FakeUpload {
  readonly key: string;
  readonly begunAt: Date;
  readonly parts: Map<number, Buffer>;
}

const bucket = 'content';

export async function startFakeS3(t: Test): Promise<FakeS3> {
  const objects = new Map<string, StoredObject>();
  const uploads = new Map<string, FakeUpload>();
  const requests: string[] = [];
  let fault: S3Fault | undefined;
  const put = (key: string, bytes: Uint8Array, changedAt = new Date()): StoredObject => {
    const etag = `"${createHash('md5').update(bytes).digest('hex')}-${changedAt.getTime()}"`;
    const object = { bytes: Buffer.from(bytes), etag, changedAt };
    objects.set(key, object);
    return object;
  };
  const service = { objects, uploads, put };
  const answer = async (incoming: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { method = '', url = '/', headers } = incoming;
    const asked = new URL(url, 'http://s3');
    const key = decodeURIComponent(asked.pathname.slice(`/${bucket}/`.length));
    const query = asked.searchParams;
    const named = ['uploads', 'uploadId', 'list-type'].filter((name) => query.has(name));
    requests.push([`${method} ${key}`, ...named].join('?'));
    const request = { method, key, query, headers, body: await buffer(incoming) };
    const serve = (): void => answerS3(service, request, response);
    if (fault?.(request, response, serve) !== 'handled') serve();
  };
  const server = createServer((request, response) => {
    answer(request, response).catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return {
    address: addressOf(`http://127.0.0.1:${port}`),
    objects,
    uploads,
    requests,
    count: (pattern) => requests.filter((each) => pattern.test(each)).length,
    put: (key, bytes, changedAt) => void put(key, bytes, changedAt),
    setFault: (given) => void (fault = given),
  };
}

export function addressOf(endpoint: string): S3Address {
  const credentials = { accessKeyId: 'tester', secretAccessKey: 'a secret of the tests' };
  return { endpoint, region: 'us-east-1', bucket, addressing: 'path', credentials };
}

/** An answer of S3 that it can't or won't. */
export function refuseS3(response: ServerResponse, status: number, code: string): 'handled' {
  response.writeHead(status, { 'content-type': 'application/xml' });
  response.end(`<Error><Code>${code}</Code><Message>as the test says</Message></Error>`);
  return 'handled';
}

interface Service {
  readonly objects: Map<string, StoredObject>;
  readonly uploads: Map<string, FakeUpload>;
  put(key: string, bytes: Uint8Array): StoredObject;
}

function answerS3(service: Service, request: S3Request, response: ServerResponse): void {
  const { method, query } = request;
  if (method === 'GET' && query.has('uploads')) listUploads(service, request, response);
  else if (method === 'GET' && query.has('list-type')) list(service, request, response);
  else if (method === 'GET' || method === 'HEAD') read(service, request, response);
  else if (method === 'PUT') write(service, request, response);
  else if (method === 'POST') changeUpload(service, request, response);
  else {
    if (query.has('uploadId')) service.uploads.delete(query.get('uploadId') ?? '');
    else service.objects.delete(request.key);
    response.writeHead(204).end();
  }
}

function read({ objects }: Service, request: S3Request, response: ServerResponse): void {
  const object = objects.get(request.key);
  if (object === undefined) return void refuseS3(response, 404, 'NoSuchKey');
  const { bytes, etag } = object;
  const first = Number(/^bytes=(\d+)-/.exec(request.headers.range ?? '')?.[1] ?? 0);
  const part = bytes.subarray(first);
  response.writeHead(first === 0 ? 200 : 206, {
    etag,
    'content-length': part.length,
    ...(first > 0 && { 'content-range': `bytes ${first}-${bytes.length - 1}/${bytes.length}` }),
  });
  response.end(request.method === 'HEAD' ? undefined : part);
}

function write(service: Service, request: S3Request, response: ServerResponse): void {
  const { query, headers } = request;
  const source = headers['x-amz-copy-source'];
  let bytes = request.body;
  if (typeof source === 'string') {
    const object = service.objects.get(decodeURIComponent(source.slice(`${bucket}/`.length)));
    if (object === undefined) return void refuseS3(response, 404, 'NoSuchKey');
    if (headers['x-amz-copy-source-if-match'] !== object.etag) {
      return void refuseS3(response, 412, 'PreconditionFailed');
    }
    const range = /^bytes=(\d+)-(\d+)$/.exec(String(headers['x-amz-copy-source-range'] ?? ''));
    const [, first = 0, last = object.bytes.length - 1] = range ?? [];
    bytes = object.bytes.subarray(Number(first), Number(last) + 1);
  }
  const upload = service.uploads.get(query.get('uploadId') ?? '');
  if (query.has('uploadId') && upload === undefined) {
    return void refuseS3(response, 404, 'NoSuchUpload');
  }
  let etag = `"${createHash('md5').update(bytes).digest('hex')}"`;
  if (upload === undefined) ({ etag } = service.put(request.key, bytes));
  else upload.parts.set(Number(query.get('partNumber')), Buffer.from(bytes));
  if (source === undefined) return void response.writeHead(200, { etag }).end();
  const what = upload === undefined ? 'CopyObjectResult' : 'CopyPartResult';
  sendXml(response, `<${what}><ETag>${etag}</ETag></${what}>`);
}

function changeUpload(service: Service, request: S3Request, response: ServerResponse): void {
  const { key, query } = request;
  const id = query.get('uploadId');
  if (id === null) {
    const begun = randomUUID();
    service.uploads.set(begun, { key, begunAt: new Date(), parts: new Map() });
    const result = `<UploadId>${begun}</UploadId>`;
    return sendXml(
      response,
      `<InitiateMultipartUploadResult>${result}</InitiateMultipartUploadResult>`,
    );
  }
  const upload = service.uploads.get(id);
  if (upload === undefined) return void refuseS3(response, 404, 'NoSuchUpload');
  service.uploads.delete(id);
  const parts = [...upload.parts].toSorted(([one], [other]) => one - other);
  const { etag } = service.put(key, Buffer.concat(parts.map(([, bytes]) => bytes)));
  const result = `<ETag>${etag}</ETag>`;
  sendXml(response, `<CompleteMultipartUploadResult>${result}</CompleteMultipartUploadResult>`);
}

function list({ objects }: Service, { query }: S3Request, response: ServerResponse): void {
  const after = query.get('start-after') ?? '';
  const found = [...objects]
    .filter(([key]) => key.startsWith(query.get('prefix') ?? '') && key > after)
    .toSorted(([one], [other]) => (one < other ? -1 : 1))
    .slice(0, pageSize)
    .map(([key, { bytes, changedAt }]) => {
      const changed = `<LastModified>${changedAt.toISOString()}</LastModified>`;
      return `<Contents><Key>${key}</Key><Size>${bytes.length}</Size>${changed}</Contents>`;
    });
  sendXml(response, `<ListBucketResult>${found.join('')}</ListBucketResult>`);
}

const pageSize = 2;

function listUploads({ uploads }: Service, { query }: S3Request, response: ServerResponse): void {
  const found = [...uploads]
    .filter(([, { key }]) => key.startsWith(query.get('prefix') ?? ''))
    .map(([id, { key, begunAt }]) => {
      const begun = `<Initiated>${begunAt.toISOString()}</Initiated>`;
      return `<Upload><Key>${key}</Key><UploadId>${id}</UploadId>${begun}</Upload>`;
    });
  const result = found.join('');
  sendXml(response, `<ListMultipartUploadsResult>${result}</ListMultipartUploadsResult>`);
}

function sendXml(response: ServerResponse, xml: string): void {
  response.writeHead(200, { 'content-type': 'application/xml' });
  response.end(`<?xml version="1.0" encoding="UTF-8"?>${xml}`);
}
