import { Type } from 'typebox';
import { RemoteUpstreamSchema } from './schema-upstream.ts';
import * as leaf from './schema-leaf.ts';

const closed = { additionalProperties: false } as const;

/** `airgap`: bundles for sites without a network, on either side. */
export const AirgapSchema = Type.Object(
  {
    keys: Type.Optional(
      leaf.path({
        description:
          'Of a connected site: the folder of keys that `assay airgap init` made, with which ' +
          '`assay airgap export` signs. `--keys` goes before it.',
      }),
    ),
    validity: Type.Optional(
      Type.Object(
        {
          targets: Type.Optional(
            leaf.duration({ description: 'Of what says what is in a bundle. 365d unless told.' }),
          ),
          snapshot: Type.Optional(
            leaf.duration({ description: 'Of what names the targets metadata. 90d unless told.' }),
          ),
          timestamp: Type.Optional(
            leaf.duration({ description: 'Of what names the snapshot. 90d unless told.' }),
          ),
        },
        {
          ...closed,
          description:
            'Of a connected site: how long the metadata of a bundle count from when it is made, ' +
            '1h to 3650d each. When the first of them ends nobody imports the bundle any more; what ' +
            'was imported stays. The root lasts as long as `assay airgap init --days` says.',
        },
      ),
    ),
    store: Type.Optional(
      leaf.path({
        description:
          'Of a site without a network: the folder into which `assay airgap import` brings ' +
          'bundles, and from which `serve` serves them. What is published there needs no ' +
          'upstream of its own, and goes before one of the same name.',
      }),
    ),
    drop: Type.Optional(
      Type.Array(leaf.path({ description: 'A folder.' }), {
        description:
          'Folders in which `serve` looks for bundles that are finished and stay as they are, in ' +
          'the folder itself or one right below it, and imports them as `assay airgap import` does. ' +
          'None unless told.',
      }),
    ),
    dropUntrusted: leaf.choice(['refuse-all', 'keep-trusted'], {
      default: 'refuse-all',
      description:
        'What becomes of a bundle of a drop folder that has images which the policy here does not ' +
        'admit: nothing of it is published, or the rest is, without them.',
    }),
    generations: leaf.integer(2, 1000, {
      default: 3,
      description:
        'How many generations of the store stay, with the one in force. Content that none of them ' +
        'names is taken away at the end of an import: a delta can not build upon it any more.',
    }),
    root: Type.Optional(
      leaf.path({
        description:
          'The root metadata (`root.json`) that the first import begins with, which came another ' +
          'way than the bundles. From then on the store knows its own.',
      }),
    ),
    publish: Type.Optional(
      Type.Object(
        {
          url: RemoteUpstreamSchema.properties.url,
          plainHttp: RemoteUpstreamSchema.properties.plainHttp,
          credentials: RemoteUpstreamSchema.properties.credentials,
          ca: RemoteUpstreamSchema.properties.ca,
          clientCertificate: RemoteUpstreamSchema.properties.clientCertificate,
          httpProxy: RemoteUpstreamSchema.properties.httpProxy,
          realmAllow: RemoteUpstreamSchema.properties.realmAllow,
        },
        {
          ...closed,
          description:
            'The registry into which `assay airgap publish` pushes what is published here, and how ' +
            'we log in there. `--to` adds a prefix, or names another one, to which nothing of this ' +
            'goes.',
        },
      ),
    ),
    revocationMaxAge: Type.Object(
      {
        warn: Type.Optional(
          leaf.duration({
            description: 'From this age on answers carry a `Warning` header. Unset: never.',
          }),
        ),
        deny: Type.Optional(
          leaf.duration({
            description:
              'From this age on what was imported is refused (`revocation-stale`). Unset: never.',
          }),
        ),
      },
      {
        ...closed,
        default: {},
        description:
          'How old what came along on revocations may be: the oldest of the revocation lists and ' +
          'OCSP answers of the bundle in force, or the bundle itself where it has none.',
      },
    ),
  },
  {
    ...closed,
    later: ['expired'],
    description: 'Signed [bundles](air-gap.md) for sites without a network.',
  },
);
