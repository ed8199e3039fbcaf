import { Type } from 'typebox';
import { defaults } from './defaults.ts';
import * as leaf from './schema-leaf.ts';

const closed = { additionalProperties: false } as const;

const UsernameAndPassword = Type.Object(
  {
    username: leaf.text('^[^\\s:][^:]*$', 'a user name without a colon', {
      description: 'The user name, or the name that goes with a token.',
    }),
    password: leaf.secret({ description: 'The password or token.' }),
  },
  closed,
);

const DockerConfig = Type.Object(
  {
    dockerConfig: leaf.path({
      description:
        'A docker `config.json`. Its `auths`, `credHelpers` and `credsStore` are asked for the ' +
        'host of `url`.',
    }),
  },
  closed,
);

const CredentialHelper = Type.Object(
  {
    credentialHelper: leaf.text('^[a-z0-9][a-z0-9-]{0,63}$', 'the NAME in docker-credential-NAME', {
      description: 'Runs `docker-credential-NAME get` for the host of `url`.',
    }),
  },
  closed,
);

const ClientCertificate = Type.Object(
  {
    certificate: leaf.path({ description: 'PEM file of the certificate and its chain.' }),
    key: leaf.path({ description: 'PEM file of its private key.' }),
  },
  closed,
);

const SignatureRepository = Type.Optional(
  leaf.text(
    '^(?:[a-z0-9._/-]|\\{repository\\})+$',
    'a repository path, in which {repository} may stand for that of the image',
    {
      description:
        "Another repository of this upstream in which cosign's signatures may lie (what its " +
        '`COSIGN_REPOSITORY` names), as `signatures` or `signatures/{repository}`: the path of the ' +
        'image stands for `{repository}`. It is searched beside the own one, for rules that name ' +
        'Sigstore identities.',
    },
  ),
);

export const RemoteUpstreamSchema = Type.Object(
  {
    url: leaf.origin({ description: 'The registry: `https://HOST[:PORT]`.' }),
    plainHttp: Type.Optional(
      leaf.only('allowed', 'allowed, or be absent', {
        description:
          'Permits `http://` in `url`: whoever is on the path sees and changes what is sent. ' +
          'Signatures still decide what is served.',
      }),
    ),
    credentials: Type.Optional(
      Type.Union([UsernameAndPassword, DockerConfig, CredentialHelper], {
        description: 'How we log in there. Never sent to any other origin but its token realm.',
      }),
    ),
    ca: Type.Optional(
      leaf.path({
        description: "PEM file of the CAs that vouch for its TLS certificate, in place of Node's.",
      }),
    ),
    clientCertificate: Type.Optional(
      Type.Object(ClientCertificate.properties, {
        ...closed,
        description: 'What we show when it asks for a TLS client certificate.',
      }),
    ),
    httpProxy: Type.Optional(
      leaf.origin({ description: 'The HTTP proxy through which it is reached.' }),
    ),
    realmAllow: Type.Optional(
      Type.Array(
        leaf.text('^[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?(?::[0-9]{1,5})?$', 'HOST or HOST:PORT', {
          description: 'A host, in lower case.',
        }),
        {
          description:
            'Hosts that may issue tokens for it, beside its own and those below or above that in ' +
            'the DNS. Docker Hub needs none.',
        },
      ),
    ),
    rateLimitReserve: Type.Optional(
      leaf.integer(0, 1_000_000, {
        description:
          'Where it states how many more requests it allows (`ratelimit-remaining`), the last so ' +
          'many are for what is not known yet: with no more left, tags are served as they last ' +
          'pointed, within `lifetimes.staleTag` and with a warning. Unset: ' +
          `${defaults.rateLimitReserve}. 0: tags are asked for to the end.`,
      }),
    ),
    signatureRepository: SignatureRepository,
  },
  { ...closed, description: 'A registry that speaks the OCI distribution API.' },
);

export const LayoutUpstreamSchema = Type.Object(
  {
    layout: leaf.path({ description: 'The folder of the OCI image layout.' }),
    signatureRepository: SignatureRepository,
  },
  { ...closed, description: 'An OCI image layout in a folder.' },
);
