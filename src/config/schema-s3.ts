import { Type } from 'typebox';
import { defaults } from './defaults.ts';
import * as leaf from './schema-leaf.ts';

const closed = { additionalProperties: false } as const;

const Credentials = Type.Union(
  [
    Type.Object(
      {
        accessKeyId: leaf.secret({ description: 'The id of the access key.' }),
        secretAccessKey: leaf.secret({ description: 'The access key.' }),
        sessionToken: Type.Optional(
          leaf.secret({ description: 'What goes with temporary credentials.' }),
        ),
      },
      { ...closed, description: 'An access key.' },
    ),
    leaf.only('search', 'search, or accessKeyId and secretAccessKey', {
      description:
        '`search`: wherever the AWS SDK looks, which is the environment, shared files, web ' +
        'identity, and the metadata services of containers and instances.',
    }),
  ],
  { description: 'Who we are there.' },
);

/** `storage.s3`: content that replicas share. */
export const S3Schema = Type.Object(
  {
    endpoint: leaf.origin({
      description: 'The service, such as `https://s3.eu-central-1.amazonaws.com`.',
    }),
    plainHttp: Type.Optional(
      leaf.only('allowed', 'allowed', { description: 'Needed for an http endpoint.' }),
    ),
    ca: Type.Optional(
      leaf.path({
        description: "PEM file of the CAs that vouch for its certificate, in place of Node's.",
      }),
    ),
    region: leaf.text('^[A-Za-z0-9-]{1,64}$', 'a region', {
      description: 'Part of each signature; what others than AWS call it, often `us-east-1`.',
    }),
    bucket: leaf.text('^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$', 'the name of a bucket', {
      description: 'It must be there. What nobody asks for is for its lifecycle rules to delete.',
    }),
    prefix: leaf.text(
      '^[A-Za-z0-9_-]+(?:/[A-Za-z0-9_-]+){0,7}$',
      'up to eight segments of letters, digits, `_`, `-`',
      {
        description: 'What every key begins with. Replicas that share content have the same.',
        default: defaults.s3Prefix,
      },
    ),
    addressing: leaf.choice(['path', 'host'], {
      description: 'Whether the bucket is in the path of URLs or in their host name.',
      default: defaults.s3Addressing,
    }),
    credentials: Credentials,
    redirects: leaf.choice(['never', 'verified'], {
      description:
        '`verified`: clients that ask for a blob of 64 KiB or more, which is stored here, and ' +
        'which this process has seen to be right in S3, are sent there by a URL that is good for ' +
        'a minute (307). A denial does not reach a URL that was given out.',
      default: defaults.s3Redirects,
    }),
    publicEndpoint: Type.Optional(
      leaf.origin({
        description: 'The service as clients reach it, for these URLs. Unset: `endpoint`.',
      }),
    ),
  },
  {
    ...closed,
    description:
      'Content that replicas share in a bucket, beside what each stores under `path`. ' +
      'See [content in S3](s3.md).',
  },
);
