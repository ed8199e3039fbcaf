import { X509Certificate } from 'node:crypto';
import t from 'tap';
import { signatureFormats } from '../../src/formats/index.ts';
import { type Descriptor, readDescriptor } from '../../src/oci/descriptor.ts';
import { digestOf } from '../../src/oci/digest.ts';
import { type ImageManifest, readManifest } from '../../src/oci/manifest.ts';
import { enforcementOf, makeContext, makeTrust } from '../support/notation-case.ts';
import { runSteps, type StepsRun } from '../support/run-steps.ts';
import { type ReadVector, requireVectors } from '../support/vectors.ts';

const image = 'sha256:b8479de3f88fb259a0a9ea82a5b2a052a1ef3c4ebbcfc61482d5ae4c831f8af9';

const read = requireVectors(t);
if (read !== undefined) checkLayouts(read);

interface Layout {
  readonly subject: Descriptor;
  /** Every manifest that refers to the image, by the index under its fallback tag. */
  readonly referrers: readonly ImageManifest[];
  readonly blob: (digest: string) => Buffer;
}

function openLayout(read: ReadVector, name: string): Layout {
  const folder = `notation/oci-layout/${name}`;
  const blob = (digest: string): Buffer => {
    const bytes = read(`${folder}/blobs/${digest.replace(':', '/')}`);
    t.equal(digestOf(bytes), digest, `${name} holds ${digest}`);
    return bytes;
  };
  const index = JSON.parse(read(`${folder}/index.json`).toString()) as IndexDocument;
  const subject = index.manifests.find(({ digest }) => digest === image);
  const tag = image.replace(':', '-');
  const fallback = index.manifests.find(
    ({ annotations }) => annotations?.['org.opencontainers.image.ref.name'] === tag,
  );
  const listed =
    fallback === undefined
      ? []
      : (JSON.parse(blob(fallback.digest).toString()) as IndexDocument).manifests;
  const referrers = listed.map(
    ({ digest, mediaType }) => readManifest(blob(digest), mediaType) as ImageManifest,
  );
  return { subject: readDescriptor(subject, 'the image'), referrers, blob };
}

interface IndexDocument {
  readonly manifests: {
    readonly mediaType: string;
    readonly digest: string;
    readonly size: number;
    readonly annotations?: Record<string, string>;
  }[];
}

function checkLayouts(read: ReadVector): void {
  const pem = read('notation/truststore/e2e.crt').toString();
  const trust = makeTrust({ 'ca:e2e': [new X509Certificate(pem).raw] });

  const examine = async (name: string, now: string): Promise<StepsRun | undefined> => {
    const { subject, referrers, blob } = openLayout(read, name);
    const [manifest] = referrers;
    const format = signatureFormats.find(
      (each) => manifest !== undefined && each.envelopesOf(manifest).length > 0,
    );
    const layer = manifest?.layers[0];
    if (format === undefined || layer === undefined) return undefined;
    t.equal(format.id, 'notation-jws');
    const identity = new Map(Object.entries({ C: 'US', ST: 'WA', O: 'Notary', L: 'Seattle' }));
    const requirement = {
      family: 'notation',
      name: 'e2e',
      notation: {
        level: 'strict',
        enforcement: enforcementOf.strict,
        verifyTimestamp: 'always',
        revocationTime: 'now',
        trustStores: ['ca:e2e'],
        trustedIdentities: [identity],
      },
    } as const;
    const context = { ...makeContext(trust), now: new Date(now) };
    const untrusted = { bytes: blob(layer.digest), annotations: {} };
    return runSteps(format.examine(untrusted, subject, requirement, context));
  };

  t.test('the valid signature passes every check', async (t) => {
    const run = await examine('e2e-valid-signature', '2023-06-28T00:00:00Z');
    t.equal(run?.stoppedBy, undefined);
    t.match(run?.proven.signer, { subject: 'CN=e2e,O=Notary,L=Seattle,ST=WA,C=US' });
    t.match(run?.findings['signed-attributes'], {
      evidence: { claimedSigningTime: '2023-06-27T05:30:33.000Z' },
    });
  });

  t.test('the expired signature was good until the second before its expiry', async (t) => {
    const good = await examine('e2e-expired-signature', '2023-06-27T05:21:20Z');
    t.ok(good !== undefined);
    t.equal(good?.stoppedBy, undefined);
    t.same(good?.proven.validUntil, new Date('2023-06-27T05:21:21Z'));
    const expired = await examine('e2e-expired-signature', '2023-06-27T05:21:21Z');
    t.equal(expired?.stoppedBy, 'expiry');
  });

  t.test('the invalid signature has no envelope and is none', async (t) => {
    const { referrers } = openLayout(read, 'e2e-invalid-signature');
    t.equal(referrers.length, 1);
    t.equal(await examine('e2e-invalid-signature', '2023-06-28T00:00:00Z'), undefined);
  });

  t.test('the unsigned image has no referrers', async (t) => {
    t.strictSame(openLayout(read, 'e2e').referrers, []);
  });
}
