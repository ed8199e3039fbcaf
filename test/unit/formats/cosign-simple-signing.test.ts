import t from 'tap';
import { cosignSimpleSigning, legacyTags } from '../../../src/formats/cosign-simple-signing.ts';
import { legacyAnnotations } from '../../../src/formats/sigstore/legacy-annotations.ts';
import type { UntrustedEnvelope } from '../../../src/formats/signature-format.ts';
import { type ImageManifest, readManifest } from '../../../src/oci/manifest.ts';
import { exactly } from '../../../src/policies/text-match.ts';
import type { SigstoreRequirement } from '../../../src/verdict/sigstore-requirement.ts';
import { buildBlob, buildImage, type BuiltBlob } from '../../support/build-image.ts';
import { runSteps } from '../../support/run-steps.ts';
import { contextFor, requirementFor } from '../../support/sigstore-case.ts';
import { makeSigstoreLog } from '../../support/sigstore-log.ts';
import { testKey } from '../../support/test-keys.ts';
import { keylessLayer, type KeylessPlan, keylessSignature } from '../../support/sign-keyless.ts';

const image = buildImage();
const signer = { subject: 'dev@acme.test', issuer: 'https://accounts.acme.test' };
const at = new Date('2030-01-01T00:00:00Z');

function untrustedOf({ bytes, descriptor }: BuiltBlob): UntrustedEnvelope {
  return { bytes, annotations: descriptor.annotations ?? {} };
}

const sign = (plan: Partial<KeylessPlan> = {}): BuiltBlob =>
  keylessLayer({ of: image.descriptor, ...signer, at, ...plan });

const examine = (untrusted: UntrustedEnvelope, requirement: Partial<SigstoreRequirement> = {}) =>
  runSteps(
    cosignSimpleSigning.examine(
      untrusted,
      image.descriptor,
      requirementFor({}, requirement),
      contextFor(),
    ),
  );

t.test('a keyless signature passes every check', async (t) => {
  const run = await examine(untrustedOf(sign()));
  t.strictSame(run.stoppedBy, undefined);
  t.same(new Set(Object.values(run.outcomes)), new Set(['passed']));
  t.match(run.proven, { signer: { kind: 'certificate', ...signer }, trustedTime: { latest: at } });
  t.notOk('statement' in run.proven, 'a signature states nothing more');
});

t.test('a signature by a key is over the payload alone', async (t) => {
  const { bytes, annotations } = untrustedOf(sign());
  const { [legacyAnnotations.signature]: signature = '' } = annotations;
  const byKey = { bytes, annotations: { [legacyAnnotations.signature]: signature } };
  t.match(await examine(byKey), { stoppedBy: 'signer-candidate' }, 'where a certificate is asked');
});

const log = makeSigstoreLog();
const other = sign({ log });
const otherBundle = String(untrustedOf(other).annotations[legacyAnnotations.bundle]);
const strangers = sign({ key: testKey('EC-256', 'a stranger') });
const signatureOf = ({ descriptor }: BuiltBlob): string =>
  descriptor.annotations?.[legacyAnnotations.signature] ?? '';
const edit = (name: string, text: (text: string) => string) => ({
  bytes: untrusted.bytes,
  annotations: { ...untrusted.annotations, [name]: text(untrusted.annotations[name] ?? '') },
});
const untrusted = untrustedOf(sign({ timestamp: true }));
const { annotations } = untrusted;

const broken: Readonly<Record<string, readonly [UntrustedEnvelope, stoppedBy: string]>> = {
  'no signature': [edit(legacyAnnotations.signature, () => ''), 'envelope-readable'],
  'a payload of another image': [
    untrustedOf(sign({ of: buildImage({ name: 'other' }).descriptor })),
    'payload-names-subject',
  ],
  'a payload of another repository': [
    untrustedOf(sign({ reference: 'ghcr.io/acme/other' })),
    'payload-names-subject',
  ],
  'another payload': [
    { annotations, bytes: Buffer.from(`${String(untrusted.bytes)} `) },
    'signature-verifies',
  ],
  'the signature of another key': [
    edit(legacyAnnotations.signature, () => signatureOf(strangers)),
    'signature-verifies',
  ],
  'another certificate': [
    edit(
      legacyAnnotations.certificate,
      () => untrustedOf(sign()).annotations[legacyAnnotations.certificate] ?? '',
    ),
    'log-entries',
  ],
  'the entry of another signature': [
    edit(legacyAnnotations.bundle, () => otherBundle),
    'log-entries',
  ],
  'an entry of another time': [
    edit(legacyAnnotations.bundle, (text) =>
      text.replace(/"integratedTime":\d+/, '"integratedTime":1'),
    ),
    'log-entries',
  ],
  'an entry of another index': [
    edit(legacyAnnotations.bundle, (text) => text.replace(/"logIndex":\d+/, '"logIndex":9')),
    'log-entries',
  ],
  'no entry': [edit(legacyAnnotations.bundle, () => ''), 'log-entries'],
  'the timestamp of another signature': [
    edit(
      legacyAnnotations.timestamp,
      () => untrustedOf(sign({ timestamp: true })).annotations[legacyAnnotations.timestamp] ?? '',
    ),
    'timestamps',
  ],
};
for (const [what, [envelope, stoppedBy]] of Object.entries(broken)) {
  t.test(`${what} stops at ${stoppedBy}`, async (t) => {
    t.match(await examine(envelope, { minTimestamps: 1 }), { stoppedBy });
  });
}

t.test('unbroken it passes with its timestamp', async (t) => {
  t.strictSame((await examine(untrusted, { minTimestamps: 1 })).stoppedBy, undefined);
});

t.test('another identity is not proven', async (t) => {
  const stranger = {
    kind: 'certificate',
    issuer: exactly(signer.issuer),
    subject: exactly('x@y.test'),
    claims: new Map(),
  } as const;
  t.match(await examine(untrusted, { signer: stranger }), { stoppedBy: 'signer-candidate' });
});

t.test('layers of the type are signatures, each; others are not', async (t) => {
  const read = (layers: readonly BuiltBlob[]): ImageManifest =>
    readManifest(keylessSignature(layers).bytes, undefined) as ImageManifest;
  const [one, two] = [sign(), sign()];
  const sbom = buildBlob('text/spdx+json', '{}');
  const found = cosignSimpleSigning.envelopesOf(read([one, sbom, two]));
  t.strictSame(
    found.map(({ digest }) => digest),
    [one.descriptor.digest, two.descriptor.digest],
  );
  t.strictSame(cosignSimpleSigning.envelopesOf(read([sbom])), [], 'under .sbom nobody signs');
});

t.test('a subject by SHA-256 has a tag, and one by SHA-512 none', async (t) => {
  const { digest } = image.descriptor;
  t.strictSame(cosignSimpleSigning.tags?.(digest), [`sha256-${digest.slice(7)}.sig`]);
  t.strictSame(legacyTags(digest, 'att'), [`sha256-${digest.slice(7)}.att`]);
  t.strictSame(legacyTags(buildImage({ algorithm: 'sha512' }).descriptor.digest, 'sig'), []);
});
