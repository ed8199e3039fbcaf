import { type Static, Type } from 'typebox';
import { defaults } from './defaults.ts';
import type { Secret } from './redact.ts';
import { AirgapSchema } from './schema-airgap.ts';
import * as leaf from './schema-leaf.ts';
import { LimitsSchema } from './schema-limits.ts';
import { RedisSchema } from './schema-redis.ts';
import { StorageSchema } from './schema-storage.ts';
import { TrustSchema } from './schema-trust.ts';
import { LayoutUpstreamSchema, RemoteUpstreamSchema } from './schema-upstream.ts';

const closed = { additionalProperties: false } as const;

const address = (port: number) => ({
  host: leaf.text('^[0-9A-Za-z.:-]+$', 'an IP address or host name', {
    description: 'The address to listen on. `0.0.0.0` or `::` for all.',
    default: defaults.host,
  }),
  port: leaf.port({ description: 'The port. 0 takes any free one.', default: port }),
});

const Tls = Type.Object(
  {
    certificate: leaf.path({ description: 'PEM file of the certificate and its chain.' }),
    key: leaf.path({ description: 'PEM file of its private key.' }),
    clientCa: Type.Optional(
      leaf.path({
        description: 'PEM file of the CAs that clients need a certificate of. Unset: none asked.',
      }),
    ),
  },
  { ...closed, description: 'Serve over TLS.' },
);

/** The configuration file: what a person may write, and what the program gets of it. */
export const ConfigSchema = Type.Object(
  {
    listen: Type.Object(
      {
        ...address(defaults.listenPort),
        tls: Type.Optional(Tls),
        trustedProxies: Type.Array(leaf.cidr({ description: 'An address block.' }), {
          default: [],
          description:
            'Where our own load balancers are: of what comes from there, `X-Forwarded-For` says ' +
            'who the client is, whom `limits.client` counts. Unset: whoever connects is the client.',
        }),
      },
      { ...closed, default: {}, description: 'Where clients pull: the OCI distribution API.' },
    ),
    admin: Type.Object(
      {
        ...address(defaults.adminPort),
        token: Type.Optional(
          leaf.secret({
            description:
              'Who sends it (`Authorization: Bearer …`) may change the deny list over the admin API: ' +
              'at least 32 characters. Unset: nobody may.',
          }),
        ),
      },
      {
        ...closed,
        default: {},
        description: 'Where health, metrics and verdicts are: for operators, not for clients.',
      },
    ),
    publicUrl: Type.Optional(
      leaf.baseUrl({
        description:
          'The URL under which people reach the admin listener, for explain links in denials. ' +
          'Unset: denials end with `assay explain REF`.',
      }),
    ),
    workers: leaf.integerOr('auto', 1, 256, {
      description:
        'Processes that serve. `auto`: as many as the machine has processors for us. With more ' +
        'than one, another one watches over them and has the admin listener.',
      default: 1,
    }),
    upstreams: Type.Record(
      Type.String(),
      Type.Union([RemoteUpstreamSchema, LayoutUpstreamSchema], {
        description: 'One upstream.',
      }),
      {
        minProperties: 1,
        default: {},
        description:
          'Where content comes from. The key is the canonical name of the registry, such as ' +
          '`docker.io`: the first segment of the names that clients use and that policies match. ' +
          'None are needed beside `airgap.store`.',
      },
    ),
    hosts: Type.Record(
      Type.String(),
      leaf.text('^.+$', 'the key of an upstream', { description: 'The key of an upstream.' }),
      {
        default: {},
        description: 'Host names of ours (the `Host` header) that lead to one upstream each.',
      },
    ),
    defaultUpstream: Type.Optional(
      leaf.text('^.+$', 'the key of an upstream', {
        description: 'The upstream for names that say none.',
      }),
    ),
    trustPolicy: leaf.path({ description: 'The trust policy: who must have signed what.' }),
    trust: TrustSchema,
    storage: StorageSchema,
    airgap: Type.Optional(AirgapSchema),
    redis: Type.Optional(RedisSchema),
    state: Type.Optional(
      Type.Object(
        {
          keys: Type.Array(
            leaf.secret({
              description: 'At least 32 characters, such as `openssl rand -hex 32` prints.',
            }),
            {
              minItems: 1,
              maxItems: 2,
              description:
                'Keys that seal stored verdicts. The first seals; a second one still opens what ' +
                'it sealed, while keys are changed.',
            },
          ),
        },
        {
          ...closed,
          description:
            'Unset: a key is made under `storage.path` at the first start; with `redis` keys are ' +
            'needed, the same for all replicas.',
        },
      ),
    ),
    lifetimes: Type.Object(
      {
        tag: leaf.duration({
          description: 'How long a tag is taken to point where it did.',
          default: defaults.lifetimes.tag,
        }),
        trusted: leaf.duration({
          description: 'How long a trusted verdict holds.',
          default: defaults.lifetimes.trusted,
        }),
        untrusted: leaf.duration({
          description: 'How long an untrusted verdict holds.',
          default: defaults.lifetimes.untrusted,
        }),
        staleTag: leaf.duration({
          description: 'How long a tag may be served as it last pointed while upstream is away.',
          default: defaults.lifetimes.staleTag,
        }),
      },
      {
        ...closed,
        default: {},
        description: 'Upper bounds: what a verdict rests on may end sooner, and ends it with it.',
      },
    ),
    limits: LimitsSchema,
    egress: Type.Object(
      {
        allowPrivate: Type.Array(leaf.cidr({ description: 'An address block.' }), {
          default: [],
          description:
            'Private networks that fetches which others name (redirects, foreign realms) may ' +
            "reach. An upstream's own origin needs none.",
        }),
      },
      { ...closed, default: {}, description: 'Where we may connect to.' },
    ),
    access: Type.Object(
      {
        anonymous: leaf.only('pull', 'pull', {
          description: 'Everybody who reaches the listener may pull what the policy admits.',
          default: 'pull',
        }),
      },
      {
        ...closed,
        default: {},
        later: ['htpasswd', 'oidc', 'jwt', 'clientCertificates', 'rules'],
        description: 'Which clients may pull. `listen.tls.clientCa` narrows it to known clients.',
      },
    ),
  },
  closed,
);

/** A configuration as loaded: defaults in place, paths absolute, secrets read, units resolved. */
export type Config = DeepReadonly<Static<typeof ConfigSchema>>;
export type UpstreamConfig = Config['upstreams'][string];
export type RemoteUpstreamConfig = Extract<UpstreamConfig, { readonly url: string }>;
export type SigstoreRootConfig = NonNullable<NonNullable<Config['trust']['sigstore']>['root']>;
export type CredentialsConfig = NonNullable<RemoteUpstreamConfig['credentials']>;

type DeepReadonly<T> = T extends Secret
  ? T
  : T extends readonly (infer Item)[]
    ? readonly DeepReadonly<Item>[]
    : T extends object
      ? { readonly [Key in keyof T]: DeepReadonly<T[Key]> }
      : T;
