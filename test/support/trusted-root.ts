import { createHash } from 'node:crypto';
import { spkiOf, testKey } from './test-keys.ts';
import { makeChain } from './test-ca.ts';

type Entry = Readonly<Record<string, unknown>>;

export interface RootPlan {
  readonly mediaType?: string;
  readonly tlogs?: readonly Entry[];
  readonly ctlogs?: readonly Entry[];
  readonly certificateAuthorities?: readonly Entry[];
  readonly timestampAuthorities?: readonly Entry[];
}

export const since2021 = { start: '2021-01-01T00:00:00Z' };

/** An entry of a log whose key has that name. */
export function logEntry(name: string, overrides: Entry = {}): Entry {
  const spki = spkiOf(testKey('EC-256', `log/${name}`));
  return {
    baseUrl: `https://${name}.example.test`,
    hashAlgorithm: 'SHA2_256',
    publicKey: {
      rawBytes: spki.toString('base64'),
      keyDetails: 'PKIX_ECDSA_P256_SHA_256',
      validFor: since2021,
    },
    logId: { keyId: createHash('sha256').update(spki).digest('base64') },
    ...overrides,
  };
}

/** An entry of the authority that `makeChain` builds by that name: intermediate, then root. */
export function authorityEntry(authority: string, overrides: Entry = {}): Entry {
  const [, ...issuers] = makeChain({ authority }).ders;
  return {
    uri: `https://fulcio.${authority}.test`,
    certChain: {
      certificates: issuers.map((der) => ({ rawBytes: Buffer.from(der).toString('base64') })),
    },
    validFor: since2021,
    ...overrides,
  };
}

/** A `trusted_root.json` with one entry of each kind, but for those that the plan has. */
export function trustedRootJson(plan: RootPlan = {}): Buffer {
  return Buffer.from(
    JSON.stringify({
      mediaType: 'application/vnd.dev.sigstore.trustedroot.v0.2+json',
      tlogs: [logEntry('rekor')],
      ctlogs: [logEntry('ctfe')],
      certificateAuthorities: [authorityEntry('acme')],
      timestampAuthorities: [authorityEntry('clock')],
      ...plan,
    }),
  );
}
