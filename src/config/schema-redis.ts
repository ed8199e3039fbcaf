import { Type } from 'typebox';
import { defaults } from './defaults.ts';
import * as leaf from './schema-leaf.ts';

const closed = { additionalProperties: false } as const;

const host = '(?:[0-9A-Za-z.-]+|\\[[0-9A-Fa-f:.]+\\])';
const addresses = (port: number) =>
  Type.Array(
    leaf.text(`^${host}(?::[0-9]{1,5})?$`, 'HOST or HOST:PORT', {
      description: 'One of them.',
    }),
    { minItems: 1, maxItems: 100, description: `Some of them; the port is ${port} unless said.` },
  );

const password = (of: string) =>
  Type.Optional(leaf.secret({ description: `The password for ${of}.` }));
const username = (of: string) =>
  Type.Optional(
    leaf.text('^[^\\s]+$', 'a user name', {
      description: `The user (ACL) for ${of}; unset, the default user.`,
    }),
  );

const shared = {
  username: username('Redis'),
  password: password('Redis'),
  tls: Type.Optional(
    Type.Object(
      {
        ca: Type.Optional(
          leaf.path({
            description: "PEM file of the CAs that vouch for its certificate, in place of Node's.",
          }),
        ),
        clientCertificate: Type.Optional(
          Type.Object(
            {
              certificate: leaf.path({ description: 'PEM file of the certificate and its chain.' }),
              key: leaf.path({ description: 'PEM file of its private key.' }),
            },
            { ...closed, description: 'What we show when it asks for one.' },
          ),
        ),
      },
      {
        ...closed,
        description:
          'Connect over TLS, to sentinels too. May be empty. A `url` says so by `rediss:`.',
      },
    ),
  ),
  keyPrefix: leaf.text('^[A-Za-z0-9._:-]{1,64}$', '1 to 64 letters, digits, `.`, `_`, `:`, `-`', {
    description: 'What every key begins with. Replicas that share state have the same.',
    default: defaults.redisKeyPrefix,
  }),
};

const database = Type.Optional(
  leaf.integer(0, 1023, { description: 'The number of the database.' }),
);

const Standalone = Type.Object(
  {
    url: leaf.text(
      `^rediss?://${host}(?::[0-9]{1,5})?(?:/[0-9]{1,3})?$`,
      'rediss://HOST[:PORT][/DATABASE], or redis:// without TLS; user and password have keys of their own',
      { description: 'One server, or a name that leads to the one that takes writes.' },
    ),
    ...shared,
  },
  closed,
);

const Sentinel = Type.Object(
  {
    sentinel: Type.Object(
      {
        name: leaf.text('^[^\\s]+$', 'a name', {
          description: 'What the sentinels call the master.',
        }),
        addresses: addresses(26379),
        username: username('the sentinels'),
        password: password('the sentinels'),
        database,
      },
      { ...closed, description: 'Sentinels, who know which server takes writes.' },
    ),
    ...shared,
  },
  closed,
);

const ClusterNodes = Type.Object(
  {
    cluster: Type.Object(
      { addresses: addresses(6379) },
      { ...closed, description: 'Nodes of a Redis Cluster.' },
    ),
    ...shared,
  },
  closed,
);

export const RedisSchema = Type.Union([Standalone, Sentinel, ClusterNodes], {
  description:
    'State that replicas share, in Redis 6.2 or newer. `state.keys` is needed with it. ' +
    'See [replicas](replicas.md).',
});
