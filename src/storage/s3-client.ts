import { Agent as PlainAgent } from 'node:http';
import { Agent as TlsAgent } from 'node:https';
import type { Readable } from 'node:stream';
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
  UploadPartCommand,
  UploadPartCopyCommand,
} from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import type { FoundObject, ObjectClient, ObjectInfo, UnfinishedUpload } from './object-client.ts';

/** Where the bucket is, and who we are there. */
export interface S3Address {
  readonly endpoint: string;
  /** The same service as clients reach it, for URLs that they get. */
  readonly publicEndpoint?: string | undefined;
  readonly region: string;
  readonly bucket: string;
  readonly addressing: 'path' | 'host';
  /** `search`: wherever the AWS SDK looks, instance metadata included. */
  readonly credentials: S3Credentials | 'search';
  /** PEM text. */
  readonly ca?: string | undefined;
}

export interface S3Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string | undefined;
}

const connectMs = 2_000;
/** Of one process to the service. */
const maxConnections = 64;

/**
 * A client of one bucket. What it is asked is asked once: deadlines, repetition and how its errors
 * are told are its caller's.
 */
export function openS3Client(address: S3Address): ObjectClient {
  const { bucket: Bucket, publicEndpoint = address.endpoint } = address;
  const client = makeClient(address, address.endpoint);
  const signer = publicEndpoint === address.endpoint ? client : makeClient(address, publicEndpoint);
  const place = { client, Bucket };
  return {
    ...makeReads(place),
    ...makeWrites(place),
    ...makeUploads(place),
    presign(Key, expiresIn) {
      const command = new GetObjectCommand({ Bucket, Key, ResponseContentType: ContentType });
      return getSignedUrl(signer, command, { expiresIn });
    },
    close() {
      client.destroy();
      signer.destroy();
    },
  };
}

interface Place {
  readonly client: S3Client;
  readonly Bucket: string;
}

type Reads = Pick<ObjectClient, 'head' | 'get' | 'list' | 'listUploads'>;
type Writes = Pick<ObjectClient, 'put' | 'copy' | 'remove'>;
type Uploads = Pick<
  ObjectClient,
  'beginUpload' | 'uploadPart' | 'copyPart' | 'completeUpload' | 'abortUpload'
>;

function makeReads({ client, Bucket }: Place): Reads {
  return {
    head: async (Key, abortSignal) =>
      toInfo(await client.send(new HeadObjectCommand({ Bucket, Key }), { abortSignal })),
    async get(Key, start, abortSignal) {
      const Range = start === 0 ? undefined : `bytes=${start}-`;
      const answer = await client.send(new GetObjectCommand({ Bucket, Key, Range }), {
        abortSignal,
      });
      const stream = answer.Body as Readable;
      if (beginOf(answer) === start) return { ...toInfo(answer), size: sizeOf(answer), stream };
      stream.on('error', () => undefined).destroy();
      return undefined;
    },
    async listUploads(Prefix, abortSignal) {
      const found = await client.send(new ListMultipartUploadsCommand({ Bucket, Prefix }), {
        abortSignal,
      });
      return (found.Uploads ?? []).flatMap(toUnfinished);
    },
    async list(Prefix, StartAfter, abortSignal) {
      const found = await client.send(new ListObjectsV2Command({ Bucket, Prefix, StartAfter }), {
        abortSignal,
      });
      return (found.Contents ?? []).flatMap(toFound);
    },
  };
}

function makeWrites({ client, Bucket }: Place): Writes {
  return {
    async put(Key, Body, { digest, sha256 }, abortSignal) {
      const command = new PutObjectCommand({
        Bucket,
        Key,
        Body,
        ContentType,
        ContentLength: Body.byteLength,
        Metadata: { digest },
        ...(sha256 !== undefined && { ChecksumSHA256: sha256 }),
      });
      return (await client.send(command, { abortSignal })).ETag;
    },
    async copy({ from, etag, to }, abortSignal) {
      const CopySource = sourceOf(Bucket, from);
      const command = new CopyObjectCommand({
        Bucket,
        Key: to,
        CopySource,
        CopySourceIfMatch: etag,
      });
      return (await client.send(command, { abortSignal })).CopyObjectResult?.ETag;
    },
    remove: async (Key, abortSignal) =>
      void (await client.send(new DeleteObjectCommand({ Bucket, Key }), { abortSignal })),
  };
}

function makeUploads({ client, Bucket }: Place): Uploads {
  return {
    async beginUpload(Key, { digest }, abortSignal) {
      const options = { Bucket, Key, ContentType, Metadata: { digest } };
      const begun = await client.send(new CreateMultipartUploadCommand(options), { abortSignal });
      return begun.UploadId;
    },
    async uploadPart({ key: Key, id: UploadId }, PartNumber, Body, abortSignal) {
      const ContentLength = Body.byteLength;
      const part = { Bucket, Key, UploadId, PartNumber, Body, ContentLength };
      return (await client.send(new UploadPartCommand(part), { abortSignal })).ETag;
    },
    async copyPart(
      { key: Key, id: UploadId },
      PartNumber,
      { from, etag, first, last },
      abortSignal,
    ) {
      const command = new UploadPartCopyCommand({
        Bucket,
        Key,
        UploadId,
        PartNumber,
        CopySource: sourceOf(Bucket, from),
        CopySourceIfMatch: etag,
        CopySourceRange: `bytes=${first}-${last}`,
      });
      return (await client.send(command, { abortSignal })).CopyPartResult?.ETag;
    },
    async completeUpload({ key: Key, id: UploadId }, etags, abortSignal) {
      const Parts = etags.map((ETag, index) => ({ ETag, PartNumber: index + 1 }));
      const options = { Bucket, Key, UploadId, MultipartUpload: { Parts } };
      return (await client.send(new CompleteMultipartUploadCommand(options), { abortSignal })).ETag;
    },
    abortUpload: async ({ key: Key, id: UploadId }, abortSignal) =>
      void (await client.send(new AbortMultipartUploadCommand({ Bucket, Key, UploadId }), {
        abortSignal,
      })),
  };
}

const ContentType = 'application/octet-stream';

function makeClient(address: S3Address, endpoint: string): S3Client {
  const { region, addressing, credentials, ca } = address;
  const agent = { keepAlive: true, maxSockets: maxConnections };
  return new S3Client({
    endpoint,
    region,
    forcePathStyle: addressing === 'path',
    ...(credentials !== 'search' && { credentials: toIdentity(credentials) }),
    maxAttempts: 1,
    followRegionRedirects: false,
    // What others than AWS do not know of: bytes are hashed by ourselves in any case.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    requestHandler: {
      connectionTimeout: connectMs,
      httpAgent: new PlainAgent(agent),
      httpsAgent: new TlsAgent({
        ...agent,
        minVersion: 'TLSv1.2',
        ...(ca !== undefined && { ca }),
      }),
    },
  });
}

function toIdentity({ accessKeyId, secretAccessKey, sessionToken }: S3Credentials) {
  return { accessKeyId, secretAccessKey, ...(sessionToken !== undefined && { sessionToken }) };
}

function sourceOf(bucket: string, key: string): string {
  return `${bucket}/${key.split('/').map(encodeURIComponent).join('/')}`;
}

interface Answered {
  readonly ContentLength?: number | undefined;
  readonly ContentRange?: string | undefined;
  readonly ETag?: string | undefined;
}

function toInfo({ ContentLength, ETag }: Answered): ObjectInfo {
  return { size: ContentLength, etag: ETag };
}

/** Where the bytes begin; some take no notice of ranges. */
function beginOf({ ContentRange }: Answered): number | undefined {
  if (ContentRange === undefined) return 0;
  const [, first] = /^bytes (\d{1,16})-/.exec(ContentRange) ?? [];
  return first === undefined ? undefined : Number(first);
}

/** Of the whole object, where a part of it was asked for. */
function sizeOf({ ContentLength, ContentRange }: Answered): number | undefined {
  if (ContentRange === undefined) return ContentLength;
  const [, total] = /^bytes \d+-\d+\/(\d{1,16})$/.exec(ContentRange) ?? [];
  return total === undefined ? undefined : Number(total);
}

function toUnfinished(upload: {
  readonly Key?: string | undefined;
  readonly UploadId?: string | undefined;
  readonly Initiated?: Date | undefined;
}): readonly UnfinishedUpload[] {
  const { Key: key, UploadId: id, Initiated: begunAt } = upload;
  return key === undefined || id === undefined || begunAt === undefined
    ? []
    : [{ key, id, begunAt }];
}

function toFound(object: {
  readonly Key?: string | undefined;
  readonly Size?: number | undefined;
  readonly LastModified?: Date | undefined;
}): readonly FoundObject[] {
  const { Key: key, Size: size = 0, LastModified: changedAt } = object;
  return key === undefined || changedAt === undefined ? [] : [{ key, size, changedAt }];
}
