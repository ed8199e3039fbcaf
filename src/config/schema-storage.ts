import { Type } from 'typebox';
import { defaults } from './defaults.ts';
import * as leaf from './schema-leaf.ts';
import { S3Schema } from './schema-s3.ts';

const closed = { additionalProperties: false } as const;

/** `storage`: content and state on disk. */
export const StorageSchema = Type.Object(
  {
    path: leaf.path({
      description: 'The folder for content and state. Made if it is not there.',
      default: defaults.storagePath,
    }),
    maxBytes: Type.Optional(
      leaf.size({
        description:
          'The most that stored content may take: blobs, unfinished ones, and manifests, which ' +
          'get a tenth (512 MiB at most). What was not used for longest is let go. Unset: the ' +
          'disk alone bounds it.',
      }),
    ),
    verifyOnRead: leaf.choice(['always', 'never'], {
      description:
        '`always`: stored blobs are hashed each time that they are sent, with their last bytes ' +
        'withheld until the hash matches; a part of one is sent as the whole is hashed.',
      default: defaults.verifyOnRead,
    }),
    quarantine: Type.Object(
      {
        maxBytes: leaf.size({
          description: 'What would be more is deleted, the oldest first.',
          default: defaults.quarantine.maxBytes,
        }),
        maxAge: leaf.duration({
          description: 'What has been there for so long is deleted.',
          default: defaults.quarantine.maxAge,
        }),
      },
      {
        ...closed,
        default: {},
        description:
          'Stored files that were not what their digests name, put aside for you to look at. ' +
          'They do not count as stored content.',
      },
    ),
    scrub: Type.Object(
      {
        rate: leaf.size({
          description:
            'So much a second is read for it in the background, from everything once a week; ' +
            '`0 B`: none.',
          default: defaults.scrubRate,
        }),
      },
      {
        ...closed,
        default: {},
        description: 'Hashing stored content again, to find what the disk damaged.',
      },
    ),
    accelLocation: Type.Optional(
      leaf.text('^/(?:[A-Za-z0-9_-]+/)+$', 'a location of nginx with slashes around it', {
        description:
          'An internal location of the nginx in front, which has the folder `blobs` under ' +
          '`path`: stored blobs of 64 KiB or more are sent by nginx itself (X-Accel-Redirect). ' +
          'It says so itself (`X-Assay-Stored-At`), from an address in `listen.trustedProxies`. ' +
          'See [storage](storage.md).',
      }),
    ),
    s3: Type.Optional(S3Schema),
  },
  { ...closed, default: {}, description: 'What is kept between requests.' },
);
