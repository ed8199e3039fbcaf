import { Type } from 'typebox';
import { defaults } from './defaults.ts';
import * as leaf from './schema-leaf.ts';
import { SigstoreSchema } from './schema-sigstore.ts';

const closed = { additionalProperties: false } as const;

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

const KeyReferences = Type.Object(
  {
    vault: Type.Optional(
      Type.Object(
        {
          url: Type.Optional(
            leaf.baseUrl({
              description: 'Where it is; unset, the environment variable `VAULT_ADDR`.',
            }),
          ),
          token: Type.Optional(
            leaf.secret({
              description:
                'A token that may read the keys; unset, the environment variable `VAULT_TOKEN`.',
            }),
          ),
          mount: Type.Optional(
            leaf.text('^[\\w-][\\w.-]*(?:/[\\w-][\\w.-]*)*$', 'a path such as transit', {
              description:
                'The path of the transit engine, after its namespace if it has one; unset, the ' +
                'environment variable `TRANSIT_SECRET_ENGINE_PATH`, or `transit`.',
            }),
          ),
          plainHttp: Type.Optional(
            leaf.only('allowed', 'allowed, or be absent', {
              description:
                'Permits `http://` in its URL: for a Vault on the same machine. Who can read ' +
                'along has the token, and who can write can put a key of his own in place.',
            }),
          ),
          ca: Type.Optional(
            leaf.path({
              description:
                "PEM file of the CAs that vouch for its TLS certificate, in place of Node's.",
            }),
          ),
        },
        { ...closed, description: 'HashiCorp Vault or OpenBao, for `hashivault://KEY`.' },
      ),
    ),
  },
  {
    ...closed,
    description:
      'How keys are fetched that a policy names by [URI](sigstore.md#keys-in-key-services). Keys ' +
      'of AWS and of Kubernetes need nothing here.',
  },
);

/** `trust`: what is held true before any signature is read. */
export const TrustSchema = Type.Object(
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
    keyReferences: Type.Optional(KeyReferences),
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
);
