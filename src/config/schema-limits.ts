import { Type } from 'typebox';
import { defaults } from './defaults.ts';
import * as leaf from './schema-leaf.ts';

const closed = { additionalProperties: false } as const;
const { client, coldRequests } = defaults.limits;

/** `limits`: what one client may have of us, and all of them together. */
export const LimitsSchema = Type.Object(
  {
    client: Type.Object(
      {
        requests: leaf.integer(1, 100_000, {
          description:
            'Requests at a time that wait for something to be found out: verified, or asked of an ' +
            'upstream. What is at hand is not counted.',
          default: client.requests,
        }),
        streams: leaf.integer(1, 100_000, {
          description: 'Blobs at a time that are being sent.',
          default: client.streams,
        }),
        misses: Type.Object(
          {
            burst: leaf.integer(1, 1_000_000, {
              description: 'So many at once, after a while without any.',
              default: client.misses.burst,
            }),
            perMinute: leaf.integer(1, 1_000_000, {
              description: 'So many for as long as one likes.',
              default: client.misses.perMinute,
            }),
          },
          {
            ...closed,
            default: {},
            description:
              'Requests that ask an upstream for what does not exist or is denied. What is served ' +
              'is not counted, nor what was answered from memory. As many again are for what was ' +
              'asked for in vain before: who pulls what is denied over and over can still pull what ' +
              'is new.',
          },
        ),
      },
      {
        ...closed,
        default: {},
        description:
          'For each client: an IPv4 address or an IPv6 network of 64 bits. More is answered with ' +
          '429 and `Retry-After`. Behind a proxy see `listen.trustedProxies`.',
      },
    ),
    coldRequests: leaf.integer(1, 1_000_000, {
      description:
        'Requests of all clients at a time that wait for something to be found out. More is ' +
        'answered with 503 and `Retry-After`.',
      default: coldRequests,
    }),
  },
  { ...closed, default: {}, description: 'How much is done at a time, and for whom.' },
);
