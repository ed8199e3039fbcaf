import { type Static, Type } from 'typebox';
import { defaults } from './defaults.ts';
import type { Secret } from './redact.ts';
import * as leaf from './schema-leaf.ts';
import { RedisSchema } from './schema-redis.ts';
import { SigstoreSchema } from './schema-sigstore.ts';
import { LayoutUpstreamSchema, RemoteUpstreamSchema } from './schema-upstream.ts';

const closed = { additionalProperties: false } as const;

const address = (port: number) => ({
  host: leaf.text('^[0-9A-Za-z.:-]+$', 'an IP address or host name', {
    description: 'The address to listen on. `0.0.0.0` or `::` for all.',
    default: defaults.host,
  }),
  port: leaf.port({ description: 'The port. 0 takes any free one.', default: port }),
});

const Plugin = Type.Object(
  {
    path: leaf.path({
      description:
        'Its file: no link, owned by root or by the user that Assay runs as, and writable by ' +
        'nobody else.',
    }),
    sha256: leaf.text('^[0-9a-f]{64}$', 'a SHA-256: 64 hex digits in lower case', {
      description:
        'The SHA-256 of that file, as `sha256sum` prints it; it is checked before each run.',
    }),
    timeout: leaf.duration({
      description: 'How long one run may take, 15s at most.',
      default: defaults.pluginTimeout,
    }),
  },
  { ...closed, description: 'One plugin, by the name that signatures call it.' },
);

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
      { ...address(defaults.listenPort), tls: Type.Optional(Tls) },
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
    workers: leaf.only(1, '1: one process is what this version runs', {
      description: 'Processes that serve. This version runs one.',
      default: 1,
    }),
    upstreams: Type.Record(
      Type.String(),
      Type.Union([RemoteUpstreamSchema, LayoutUpstreamSchema], {
        description: 'One upstream.',
      }),
      {
        minProperties: 1,
        description:
          'Where content comes from. The key is the canonical name of the registry, such as ' +
          '`docker.io`: the first segment of the names that clients use and that policies match.',
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
    trust: Type.Object(
      {
        store: leaf.path({
          description:
            "Trust anchors in Notation's layout: `x509/{ca,signingAuthority,tsa}/NAME/*.pem`. May " +
            'be absent where no rule refers to it.',
          default: defaults.trustStore,
        }),
        offline: leaf.flag({
          description:
            'Verification opens no socket: what needs one (revocation, for example) is ' +
            'inconclusive.',
          default: false,
        }),
        revocation: Type.Optional(
          Type.Object(
            {
              files: leaf.path({
                description:
                  'A folder of revocation lists (`*.crl`) and OCSP responses (`*.ocsp`), DER or PEM, ' +
                  'used before anybody is asked, and alone where `offline` is true. Read again when ' +
                  'it changes. What ended is of no use.',
              }),
            },
            {
              ...closed,
              description:
                'Unset: only the hosts that certificates name are asked whether they are revoked, ' +
                'over plain http; private addresses where `egress.allowPrivate` has them.',
            },
          ),
        ),
        sigstore: Type.Optional(SigstoreSchema),
        plugins: Type.Record(Type.String(), Plugin, {
          default: {},
          description:
            'Notation verification plugins that may be run, by the name that signatures call them. ' +
            'A signature that asks for another one is refused.',
        }),
      },
      {
        ...closed,
        default: {},
        description: 'What is held true before any signature is read.',
      },
    ),
    storage: Type.Object(
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
      },
      { ...closed, default: {}, later: ['s3'], description: 'What is kept between requests.' },
    ),
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
  { ...closed, later: ['airgap'] },
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
