import t from 'tap';
import { readCertificate } from '../../src/crypto/certificate.ts';
import { isCheckpointSignedBy, readCheckpoint } from '../../src/crypto/checkpoint.ts';
import { preAuthEncoding, readDsseEnvelope } from '../../src/crypto/dsse.ts';
import { readFulcioIdentity } from '../../src/crypto/fulcio-extensions.ts';
import { readLogEntry } from '../../src/crypto/log-entry.ts';
import { leafHash, rootOfProof } from '../../src/crypto/merkle.ts';
import {
  isEmbeddedTimestampOf,
  readEmbeddedTimestamps,
} from '../../src/crypto/signed-certificate-timestamp.ts';
import { signedEntryTimestampInput } from '../../src/crypto/signed-entry-timestamp.ts';
import { verifyWithAny, verifyWithKey } from '../../src/crypto/sigstore-key.ts';
import { findFulcioPath } from '../../src/trust/sigstore/fulcio-path.ts';
import { publicGood } from '../../src/trust/sigstore/root-source.ts';
import type { SigstoreRoot, TransparencyLog } from '../../src/trust/sigstore/sigstore-root.ts';
import { readTrustedRoot } from '../../src/trust/sigstore/trusted-root.ts';
import { type ReadVector, requireVectors } from '../support/vectors.ts';

interface Entry {
  readonly canonicalizedBody: string;
  readonly logId: { readonly keyId: string };
  readonly logIndex: string;
  readonly integratedTime?: string;
  readonly inclusionPromise?: { readonly signedEntryTimestamp: string };
  readonly inclusionProof?: {
    readonly logIndex: string;
    readonly treeSize: string;
    readonly rootHash: string;
    readonly hashes: readonly string[];
    readonly checkpoint?: { readonly envelope: string };
  };
}

interface Bundle {
  readonly dsseEnvelope?: object;
  readonly verificationMaterial: {
    readonly certificate?: { readonly rawBytes: string };
    readonly x509CertificateChain?: { readonly certificates: readonly { rawBytes: string }[] };
    readonly tlogEntries: readonly Entry[];
  };
}

interface Case {
  readonly root: SigstoreRoot;
  readonly bundle: Bundle;
  readonly entry: Entry;
  readonly log: TransparencyLog;
}

const decode = (text = ''): Buffer => Buffer.from(text, 'base64');

/** A bundle with the root that it is held against: its own, or the public good's that we ship. */
function open(read: ReadVector, name: string): Case {
  const file = (path: string): Buffer => read(`sigstore/${name}/${path}`);
  const bundle = JSON.parse(file('bundle.sigstore.json').toString()) as Bundle;
  const root = readTrustedRoot(ownRoot(file) ?? publicGood('').seed ?? Buffer.alloc(0));
  const [entry] = bundle.verificationMaterial.tlogEntries;
  if (entry === undefined) throw new TypeError(`${name} has no log entry`);
  const log = root.logs.find(({ logId }) => decode(entry.logId.keyId).equals(logId));
  if (log === undefined) throw new TypeError(`${name} is in a log that is not known`);
  return { root, bundle, entry, log };
}

function ownRoot(file: (path: string) => Buffer): Buffer | undefined {
  try {
    return file('trusted_root.json');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

function isPromised({ entry, log }: Case): boolean {
  const input = signedEntryTimestampInput({
    body: decode(entry.canonicalizedBody),
    integratedTimeSeconds: Number(entry.integratedTime),
    logId: log.logId,
    logIndex: Number(entry.logIndex),
  });
  const promise = decode(entry.inclusionPromise?.signedEntryTimestamp);
  return verifyWithKey(log.publicKey.key, log.algorithm, input, promise);
}

function isIncluded({ entry }: Case): boolean {
  const { logIndex, treeSize, hashes = [], rootHash } = entry.inclusionProof ?? {};
  const proof = {
    index: Number(logIndex),
    treeSize: Number(treeSize),
    hashes: hashes.map((each) => decode(each)),
  };
  const root = rootOfProof(leafHash(decode(entry.canonicalizedBody)), proof);
  return root !== undefined && decode(rootHash).equals(root);
}

function isCheckpointed({ entry, log }: Case): boolean {
  const checkpoint = readCheckpoint(entry.inclusionProof?.checkpoint?.envelope ?? '');
  const isRoot = decode(entry.inclusionProof?.rootHash).equals(checkpoint.rootHash);
  return isRoot && isCheckpointSignedBy(checkpoint, { ...log, publicKey: log.publicKey.key });
}

function leafOf({ bundle: { verificationMaterial: material } }: Case) {
  const { certificate, x509CertificateChain } = material;
  const { rawBytes } = certificate ?? x509CertificateChain?.certificates[0] ?? {};
  return rawBytes === undefined ? undefined : readCertificate(decode(rawBytes));
}

/** Each case, and what of its ground must fail: the rest must hold. */
const cases: Readonly<Record<string, readonly ('promise' | 'inclusion' | 'checkpoint' | 'path')[]>> = {
  'happy-path-v0.1': [],
  'happy-path-v0.2': [],
  'happy-path-v0.3': [],
  'happy-path-v0.3-new-mediaType': [],
  'happy-path-intoto-in-dsse-v3': [],
  'managed-key-happy-path': [],
  'intoto-with-custom-trust-root': [],
  'rekor2-happy-path': ['promise'],
  'rekor2-dsse-happy-path': ['promise'],
  'set-invalid-signature_fail': ['promise'],
  'incorrect-public-key_fail': ['promise', 'inclusion'],
  'intoto-expired-certificate_fail': ['path'],
};

for (const [name, failing] of Object.entries(cases)) {
  t.test(`${name}: ${failing.join(', ') || 'everything'} ${failing.length > 0 ? 'fails' : 'holds'}`, async (t) => {
    const read = requireVectors(t);
    if (read === undefined) return;
    const opened = open(read, name);
    const { entry, root } = opened;
    t.ok(readLogEntry(decode(entry.canonicalizedBody)).signatures.length > 0);
    if (entry.inclusionPromise !== undefined) {
      t.strictSame(isPromised(opened), !failing.includes('promise'), 'promise');
    } else t.ok(failing.includes('promise'), 'no promise');
    if (entry.inclusionProof?.checkpoint !== undefined) {
      t.strictSame(isIncluded(opened), !failing.includes('inclusion'), 'inclusion');
      t.strictSame(isCheckpointed(opened), !failing.includes('checkpoint'), 'checkpoint');
    } else t.ok(failing.includes('inclusion'), 'no proof');
    const leaf = leafOf(opened);
    if (leaf === undefined) return;
    const path = findFulcioPath(leaf, root.certificateAuthorities, [leaf.notBefore]);
    t.strictSame(path.kind === 'found', !failing.includes('path'), 'path');
    if (path.kind === 'none') return;
    const [, issuer = leaf] = path.path;
    const [timestamp] = readEmbeddedTimestamps(leaf);
    if (timestamp === undefined) throw new TypeError('a leaf of Fulcio has a timestamp');
    const isOurs = root.certificateLogs.some(({ logId, publicKey }) =>
      isEmbeddedTimestampOf(timestamp, leaf, issuer, { id: logId, publicKey: publicKey.key }),
    );
    t.ok(isOurs, 'certificate transparency');
    t.match(readFulcioIdentity(leaf), { issuer: /^https:/, subject: { kind: /^(?:uri|email)$/ } });
  });
}

t.test('DSSE signatures are verified over their encoding, and a wrong one is not', async (t) => {
  const read = requireVectors(t);
  if (read === undefined) return;
  for (const name of ['happy-path-intoto-in-dsse-v3', 'dsse-invalid-sig_fail', 'rekor2-dsse-happy-path']) {
    const opened = open(read, name);
    const bytes = Buffer.from(JSON.stringify(opened.bundle.dsseEnvelope));
    const envelope = readDsseEnvelope(bytes, 1024 * 1024);
    const [first] = envelope.signatures;
    const leaf = leafOf(opened);
    if (first === undefined || leaf === undefined) throw new TypeError('it is signed');
    const isSigned = verifyWithAny(leaf.publicKey, preAuthEncoding(envelope), first.signature);
    t.strictSame(isSigned, !name.endsWith('_fail'), name);
  }
});

t.test('the public good root that we ship is read whole, also with its ended entries', async (t) => {
  const root = readTrustedRoot(publicGood('').seed ?? Buffer.alloc(0));
  t.same(root.leftOut, []);
  t.match(root.logs, [{ name: 'rekor.sigstore.dev' }, { name: 'log2025-1.rekor.sigstore.dev' }]);
  t.strictSame(new Set(root.logs.map(({ operator }) => operator)).size, 1);
  t.ok(root.certificateLogs.length >= 2);
  t.ok(root.certificateAuthorities.length >= 2);
  t.ok(root.timestampAuthorities.length >= 1);
});
