import { createHash } from 'node:crypto';
import t from 'tap';
import { readTrustedRoot } from '../../../../src/trust/sigstore/trusted-root.ts';
import { makeChain } from '../../../support/test-ca.ts';
import { type KeyKind, spkiOf, testKey } from '../../../support/test-keys.ts';
import {
  authorityEntry,
  logEntry,
  type RootPlan,
  since2021,
  trustedRootJson,
} from '../../../support/trusted-root.ts';

const read = (plan: RootPlan = {}) => readTrustedRoot(trustedRootJson(plan));

/** A log entry with another key; `change` alters what is said of it. */
function keyed(kind: KeyKind, keyDetails: string, rawBytes?: Uint8Array) {
  const bytes = rawBytes ?? spkiOf(testKey(kind, 'root'));
  const publicKey = {
    rawBytes: Buffer.from(bytes).toString('base64'),
    keyDetails,
    validFor: since2021,
  };
  return logEntry('keyed', { publicKey });
}

t.test('a trusted root is read into plain data', async (t) => {
  const root = read();
  const spki = spkiOf(testKey('EC-256', 'log/rekor'));
  t.match(root.logs, [
    {
      name: 'rekor.example.test',
      operator: 'example.test',
      keyHint: createHash('sha256').update(spki).digest('hex').slice(0, 8),
      algorithm: { scheme: 'ecdsa', hash: 'sha256' },
      validFor: { start: new Date(since2021.start) },
    },
  ]);
  t.notOk('end' in (root.logs[0]?.validFor ?? {}));
  t.strictSame(root.certificateLogs[0]?.baseUrl, 'https://ctfe.example.test');
  const [, ...issuers] = makeChain({ authority: 'acme' }).certificates;
  t.match(root.certificateAuthorities, [
    { uri: 'https://fulcio.acme.test', operator: 'acme.test' },
  ]);
  t.strictSame(
    root.certificateAuthorities[0]?.chain.map(({ fingerprint }) => fingerprint),
    issuers.map(({ fingerprint }) => fingerprint),
  );
  t.strictSame(root.timestampAuthorities.length, 1);
  t.strictSame(root.digest, createHash('sha256').update(trustedRootJson()).digest('hex'));
  t.same(root.leftOut, []);
});

t.test('every media type of versions 0.1 and 0.2 is read', async (t) => {
  const base = 'application/vnd.dev.sigstore.trustedroot';
  for (const version of ['+json;version=0.1', '+json;version=0.2', '.v0.1+json', '.v0.2+json']) {
    t.strictSame(read({ mediaType: `${base}${version}` }).logs.length, 1, version);
  }
});

t.test('an operator is what the entry says, or the domain of its service', async (t) => {
  const of = (entry: object): string | undefined =>
    read({ tlogs: [logEntry('rekor', { ...entry })] }).logs[0]?.operator;
  t.strictSame(of({ operator: 'acme' }), 'acme');
  t.strictSame(of({ baseUrl: 'https://log2025-1.rekor.sigstore.dev' }), 'sigstore.dev');
  t.strictSame(of({ baseUrl: 'http://localhost:8000' }), 'localhost');
  t.strictSame(of({ baseUrl: 'http://192.0.2.1:8000' }), '192.0.2.1');
  t.strictSame(of({ baseUrl: 'http://[2001:db8::1]:8000' }), '[2001:db8::1]');
});

t.test('a checkpoint key id is what checkpoints name the key by', async (t) => {
  const checkpointKeyId = { keyId: Buffer.from('01020304', 'hex').toString('base64') };
  const baseUrl = 'https://log.test:8443/path';
  const [log] = read({ tlogs: [logEntry('rekor', { checkpointKeyId, baseUrl })] }).logs;
  t.match(log, { keyHint: '01020304', name: 'log.test:8443' });
});

const kinds: readonly (readonly [details: string, kind: KeyKind, scheme: string, hash: string])[] =
  [
    ['PKIX_ECDSA_P256_SHA_256', 'EC-256', 'ecdsa', 'sha256'],
    ['PKIX_ECDSA_P384_SHA_384', 'EC-384', 'ecdsa', 'sha384'],
    ['PKIX_ECDSA_P384_SHA_256', 'EC-384', 'ecdsa', 'sha256'],
    ['PKIX_ECDSA_P521_SHA_512', 'EC-521', 'ecdsa', 'sha512'],
    ['PKIX_ED25519', 'Ed25519', 'ed25519', 'null'],
    ['PKIX_RSA_PKCS1V15_2048_SHA256', 'RSA-2048', 'rsa-pkcs1', 'sha256'],
    ['PKIX_RSA_PKCS1V15_3072_SHA256', 'RSA-3072', 'rsa-pkcs1', 'sha256'],
    ['PKIX_RSA_PSS_4096_SHA256', 'RSA-4096', 'rsa-pss', 'sha256'],
    ['PKIX_RSA_PKCS1V5', 'RSA-2048', 'rsa-pkcs1', 'sha256'],
  ];

for (const [details, kind, scheme, hash] of kinds) {
  t.test(`a key of kind ${details} signs by ${scheme} with ${hash}`, async (t) => {
    const [log] = read({ tlogs: [keyed(kind, details)] }).logs;
    t.strictSame(log?.algorithm.scheme, scheme);
    t.strictSame(String(log?.algorithm.hash), hash);
  });
}

t.test('a bare RSA key is read as staging has it', async (t) => {
  const spki = spkiOf(testKey('RSA-2048', 'root'));
  const rsaKey = spki.subarray(24);
  const [log] = read({ tlogs: [keyed('RSA-2048', 'PKCS1_RSA_PKCS1V5', rsaKey)] }).logs;
  t.strictSame(Buffer.from(log?.publicKey.der ?? []), spki);
});

for (const [details, kind] of [
  ['PKIX_ED25519_PH', 'Ed25519'],
  ['ML_DSA_65', 'Ed25519'],
  ['PKIX_RSA_PKCS1V5', 'RSA-1024'],
] as const) {
  t.test(`an entry with a key of kind ${details} is left out, not the rest`, async (t) => {
    const root = read({ tlogs: [keyed(kind, details), logEntry('rekor')] });
    t.strictSame(
      root.logs.map(({ name }) => name),
      ['rekor.example.test'],
    );
    t.match(root.leftOut, [/^tlogs\[0\]: .* (?:is|are) not accepted$/]);
  });
}

const ended = { start: '2022-01-01T00:00:00Z', end: '2021-01-01T00:00:00Z' };
const key = logEntry('rekor')['publicKey'] as object;
const tlog = (change: object): RootPlan => ({ tlogs: [logEntry('rekor', { ...change })] });
const authority = (change: object): RootPlan => ({
  certificateAuthorities: [authorityEntry('acme', { ...change })],
});
const certificates = (...rawBytes: readonly string[]) => ({
  certChain: { certificates: rawBytes.map((each) => ({ rawBytes: each })) },
});

const refused: Readonly<Record<string, [plan: RootPlan, why: RegExp]>> = {
  'another media type': [
    { mediaType: 'application/vnd.dev.sigstore.trustedroot.v0.3+json' },
    /is not its mediaType/,
  ],
  // Conformance: trust-root-tlog-missing-validity-start.
  'a log without validity': [
    tlog({ publicKey: { ...key, validFor: undefined } }),
    /tlogs\[0\].publicKey.validFor is missing/,
  ],
  'a log whose validity does not start': [
    tlog({ publicKey: { ...key, validFor: { end: '2031-01-01T00:00:00Z' } } }),
    /validFor.start is missing/,
  ],
  'a log that ends before it starts': [
    tlog({ publicKey: { ...key, validFor: ended } }),
    /ends before it starts/,
  ],
  'a start that does not exist': [
    tlog({ publicKey: { ...key, validFor: { start: '2021-02-30T00:00:00Z' } } }),
    /start is no time/,
  ],
  'an end under another name': [
    tlog({ publicKey: { ...key, validFor: { ...since2021, End: '2031-01-01T00:00:00Z' } } }),
    /"End" is not known/,
  ],
  'a limit on a key that is not known': [
    tlog({ publicKey: { ...key, usage: 'x' } }),
    /"usage" is not known/,
  ],
  'a log without an id': [tlog({ logId: undefined }), /logId is missing/],
  'an id of three bytes': [tlog({ logId: { keyId: 'AAAA' } }), /not of 4 to 32 bytes/],
  'an id that is no base64': [tlog({ logId: { keyId: '?' } }), /no base64/],
  'a certificate log whose id is no SHA-256': [
    { ctlogs: [logEntry('ctfe', { logId: { keyId: 'AAAAAA==' } })] },
    /ctlogs\[0\].logId is no SHA-256/,
  ],
  'another hash': [tlog({ hashAlgorithm: 'SHA2_512' }), /not SHA2_256/],
  'a key that is another than it says': [
    { tlogs: [keyed('EC-384', 'PKIX_ECDSA_P256_SHA_256')] },
    /is not the PKIX_ECDSA_P256_SHA_256/,
  ],
  'an RSA key that says ECDSA': [
    { tlogs: [keyed('RSA-2048', 'PKIX_ECDSA_P256_SHA_256')] },
    /is not the PKIX/,
  ],
  'an RSA key of another size': [
    { tlogs: [keyed('RSA-3072', 'PKIX_RSA_PKCS1V15_2048_SHA256')] },
    /is not the PKIX/,
  ],
  'a key that is none': [
    { tlogs: [keyed('EC-256', 'PKIX_ECDSA_P256_SHA_256', Buffer.from('x'))] },
    /rawBytes/,
  ],
  'a URL that is none': [tlog({ baseUrl: 'rekor' }), /no http or https URL/],
  'a URL of another scheme': [tlog({ baseUrl: 'file:///etc' }), /no http or https URL/],
  'the same log twice': [{ tlogs: [logEntry('rekor'), logEntry('rekor')] }, /same log twice/],
  'the same key under two ids': [
    {
      tlogs: [
        logEntry('rekor'),
        logEntry('rekor', { logId: { keyId: Buffer.alloc(32).toString('base64') } }),
      ],
    },
    /same log twice/,
  ],
  'two keys under one id': [
    { tlogs: [logEntry('rekor'), logEntry('other', { logId: logEntry('rekor')['logId'] })] },
    /same log twice/,
  ],
  'an authority without validity': [
    authority({ validFor: undefined }),
    /certificateAuthorities\[0\].validFor is missing/,
  ],
  'an authority without certificates': [authority(certificates()), /certChain is empty/],
  'an authority with a certificate that is none': [authority(certificates('AAAA')), /certificates/],
  'nine certificates': [authority(certificates(...Array<string>(9).fill('AAAA'))), /more than 8/],
  '65 logs': [{ tlogs: Array.from({ length: 65 }, () => logEntry('rekor')) }, /more than 64/],
};

for (const [what, [plan, why]] of Object.entries(refused)) {
  t.test(`a trusted root with ${what} is refused whole`, async (t) => {
    const error = { name: 'TrustError', code: 'SIGSTORE_ROOT_MALFORMED', message: why };
    t.throws(() => read(plan), error);
  });
}

t.test('what is no JSON, has a name twice or is too large is refused', async (t) => {
  const malformed = (message: RegExp) => ({ code: 'SIGSTORE_ROOT_MALFORMED', message });
  t.throws(() => readTrustedRoot(Buffer.from('[]')), malformed(/no object/));
  t.throws(() => readTrustedRoot(Buffer.from('{"tlogs":[],"tlogs":[]}')), malformed(/twice/));
  t.throws(() => readTrustedRoot(Buffer.alloc(1024 * 1024 + 1, 32)), malformed(/larger than/));
});

t.test('fields that say nothing about trust are passed by', async (t) => {
  const plan: RootPlan & { readonly futureMembers: readonly [] } = {
    ...tlog({ comment: 'x' }),
    futureMembers: [],
  };
  const root = read(plan);
  t.strictSame(root.logs.length, 1);
});
