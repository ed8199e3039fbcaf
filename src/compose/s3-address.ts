import type { Config } from '../config/schema.ts';
import { readTextFileBounded } from '../files/read-file.ts';
import type { S3Address } from '../storage/s3-client.ts';
import { readFailure } from './read-failure.ts';
import { StartupError } from './startup-error.ts';
import { maxPemBytes } from './limits.ts';

type S3Config = NonNullable<Config['storage']['s3']>;

/** As the configuration has it. Throws `StartupError`. */
export async function s3AddressOf(s3: S3Config): Promise<S3Address> {
  const { endpoint, publicEndpoint, region, bucket, addressing, credentials, ca } = s3;
  return {
    endpoint,
    publicEndpoint,
    region,
    bucket,
    addressing,
    credentials:
      credentials === 'search'
        ? credentials
        : {
            accessKeyId: credentials.accessKeyId.reveal(),
            secretAccessKey: credentials.secretAccessKey.reveal(),
            sessionToken: credentials.sessionToken?.reveal(),
          },
    ca: ca && (await readCa(ca)),
  };
}

function readCa(file: string): Promise<string> {
  return readTextFileBounded(file, maxPemBytes).catch((cause: unknown) => {
    const message = `storage.s3.ca: ${file} can not be read: ${readFailure(cause)}`;
    throw new StartupError('STATE_UNUSABLE', message, { cause });
  });
}
