import { sign } from 'node:crypto';
import t from 'tap';
import { dsseAttestation } from '../../../src/formats/dsse-attestation.ts';
import type { UntrustedEnvelope } from '../../../src/formats/signature-format.ts';
import { type ImageManifest, readManifest } from '../../../src/oci/manifest.ts';
import { buildBlob, buildImage, buildManifest } from '../../support/build-image.ts';
import { runSteps } from '../../support/run-steps.ts';
import { preAuth, signType } from '../../support/sigstore-bundle.ts';
import { contextFor, requirementFor } from '../../support/sigstore-case.ts';
import { testKey } from '../../support/test-keys.ts';

const image = buildImage();
const provenance = 'https://slsa.dev/provenance/v1';
const statementType = 'application/vnd.in-toto+json';

interface Plan {
  readonly payloadType?: string;
  readonly statement?: Readonly<Record<string, unknown>>;
  readonly payload?: string;
  /** What is in the envelope in place of the payload that was signed. */
  readonly shown?: string;
}

/** A layer as `cosign attest --key` writes it. */
function attest(plan: Plan = {}): UntrustedEnvelope {
  const { payloadType = statementType, statement = {} } = plan;
  const sha256 = image.descriptor.digest.slice(7);
  const document = {
    _type: 'https://in-toto.io/Statement/v0.1',
    predicateType: provenance,
    subject: [{ name: 'ghcr.io/acme/app', digest: { sha256 } }],
    predicate: {},
    ...statement,
  };
  const payload = Buffer.from(plan.payload ?? JSON.stringify(document));
  const sig = sign('sha256', preAuth(payloadType, payload), testKey('EC-256', 'sigstore'));
  const shown = plan.shown === undefined ? payload : Buffer.from(plan.shown);
  const envelope = {
    payloadType,
    payload: shown.toString('base64'),
    signatures: [{ keyid: '', sig: sig.toString('base64') }],
  };
  const annotations = { 'dev.cosignproject.cosign/signature': '', predicateType: provenance };
  return { bytes: Buffer.from(JSON.stringify(envelope)), annotations };
}

const examine = (untrusted: UntrustedEnvelope) => {
  const requirement = requirementFor({ key: 'EC-256' }, { minLogs: 0, root: undefined });
  return runSteps(dsseAttestation.examine(untrusted, image.descriptor, requirement, contextFor()));
};

t.test('an attestation by the key states what it says', async (t) => {
  const { stoppedBy, proven } = await examine(attest());
  t.strictSame(stoppedBy, undefined);
  t.match(proven, { signer: { kind: 'key' }, statement: { predicateType: provenance } });
});

t.test("a statement with the type of cosign's signatures is one", async (t) => {
  const { stoppedBy, proven } = await examine(attest({ statement: { predicateType: signType } }));
  t.strictSame(stoppedBy, undefined);
  t.notOk('statement' in proven);
});

const elsewhere = { subject: [{ name: 'ghcr.io/acme/app', digest: { sha256: 'ab'.repeat(32) } }] };
const broken: Readonly<Record<string, readonly [UntrustedEnvelope, stoppedBy: string]>> = {
  'of another image': [attest({ statement: elsewhere }), 'payload-names-subject'],
  'of another payload type': [attest({ payloadType: 'text/plain' }), 'payload-names-subject'],
  // CVE-2026-39395
  'over something else than JSON': [attest({ payload: 'x' }), 'payload-names-subject'],
  'that was changed': [
    attest({
      shown: String(Buffer.from(JSON.parse(String(attest().bytes)).payload, 'base64')).replace(
        '{}',
        '{"a":1}',
      ),
    }),
    'signature-verifies',
  ],
  'that is no envelope': [{ bytes: Buffer.from('{}'), annotations: {} }, 'envelope-readable'],
};
for (const [what, [untrusted, stoppedBy]] of Object.entries(broken)) {
  t.test(`an attestation ${what} stops at ${stoppedBy}`, async (t) => {
    const run = await examine(untrusted);
    t.match(run, { stoppedBy });
    t.notOk('statement' in run.proven && run.proven.signer, 'nothing is proven');
  });
}

t.test('it lies under the tag .att, in layers that are envelopes', async (t) => {
  const { digest } = image.descriptor;
  t.strictSame(dsseAttestation.tags?.(digest), [`sha256-${digest.slice(7)}.att`]);
  const layer = buildBlob('application/vnd.dsse.envelope.v1+json', attest().bytes);
  const others = buildBlob('application/vnd.dev.cosign.simplesigning.v1+json', '{}');
  const { bytes } = buildManifest({ layers: [layer, others] });
  const found = dsseAttestation.envelopesOf(readManifest(bytes, undefined) as ImageManifest);
  t.strictSame(
    found.map(({ digest: each }) => each),
    [layer.descriptor.digest],
  );
});
