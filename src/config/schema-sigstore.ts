import { Type } from 'typebox';
import * as leaf from './schema-leaf.ts';

const closed = { additionalProperties: false } as const;

const TufRepository = Type.Object(
  {
    url: leaf.baseUrl({
      description: 'The repository: its metadata; targets are below `targets/`.',
    }),
    root: leaf.path({
      description: 'The `root.json` that trust begins with. Another file begins anew.',
    }),
    plainHttp: Type.Optional(
      leaf.only('allowed', 'allowed, or be absent', {
        description: 'Permits `http://` in `url`. What is fetched is signed all the same.',
      }),
    ),
    ca: Type.Optional(
      leaf.path({
        description: "PEM file of the CAs that vouch for its TLS certificate, in place of Node's.",
      }),
    ),
    httpProxy: Type.Optional(
      leaf.origin({ description: 'The HTTP proxy through which it is reached.' }),
    ),
  },
  { ...closed, description: 'A TUF repository whose target `trusted_root.json` is the root.' },
);

const RootSource = (description: string) =>
  Type.Union(
    [
      leaf.only('public-good', 'public-good, { file: PATH } or { tuf: { url, root } }', {
        description: "Sigstore's public instance.",
      }),
      Type.Object(
        { file: leaf.path({ description: 'A `trusted_root.json`. Read again when it changes.' }) },
        closed,
      ),
      Type.Object({ tuf: TufRepository }, closed),
    ],
    { description },
  );

/** `trust.sigstore`: whom Sigstore signatures are held against. */
export const SigstoreSchema = Type.Object(
  {
    root: Type.Optional(
      RootSource(
        'The root of every identity that names none: `public-good` (by TUF, begun with what came ' +
          'with this version), or one of those below.',
      ),
    ),
    roots: Type.Record(Type.String(), RootSource('As `root`.'), {
      default: {},
      description:
        'More roots, by the names that identities have in `sigstore.root`. Without `root`, a ' +
        'single one here is that of identities that name none.',
    }),
  },
  { ...closed, description: 'Sigstore roots. Unset: no network of Sigstore is ever touched.' },
);
