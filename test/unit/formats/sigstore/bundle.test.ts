import t from 'tap';
import { readBundle } from '../../../../src/formats/sigstore/bundle.ts';
import type { SigstoreEnvelope } from '../../../../src/formats/sigstore/sigstore-envelope.ts';
import { type BundlePlan, makeBundle } from '../../../support/sigstore-bundle.ts';
import { readHere } from '../../../support/read-here.ts';
import { makeChain } from '../../../support/test-ca.ts';

const { signal } = new AbortController();
const read = async (plan: BundlePlan): Promise<SigstoreEnvelope> =>
  await readBundle(
    { bytes: makeBundle(plan).bytes, annotations: {} },
    { readApart: readHere, signal },
  );
const inChain = (certificates: readonly unknown[]): BundlePlan => ({
  bundle: (b) => {
    const material = { ...b.verificationMaterial, certificate: undefined };
    return {
      ...b,
      mediaType: 'application/vnd.dev.sigstore.bundle+json;version=0.2',
      verificationMaterial: { ...material, x509CertificateChain: { certificates } },
    };
  },
});

t.test(
  'a bundle is read with its certificate, and timestamps are over its signature',
  async (t) => {
    const envelope = await read({});
    t.match(envelope.verifier, { kind: 'certificate', chain: [{ fingerprint: /^[0-9a-f]{64}$/ }] });
    t.equal(envelope.timestamped, envelope.signature);
  },
);

t.test('a large one is read alike', async (t) => {
  const envelope = await read({ statement: (s) => ({ ...s, predicate: 'x'.repeat(300 * 1024) }) });
  t.match(envelope, { verifier: { kind: 'certificate' }, content: { hashes: {} } });
});

t.test('a bundle by a key has a hint at it', async (t) => {
  t.match((await read({ key: 'EC-256' })).verifier, { kind: 'public-key', hint: /^.{44}$/ });
});

t.test('a chain without a certificate, or of what is none, is refused', async (t) => {
  await t.rejects(read(inChain([])), { code: 'BUNDLE_MALFORMED', message: /chain is empty/ });
  await t.rejects(read(inChain([{ rawBytes: 'AAAA' }])), { code: 'CERTIFICATE_MALFORMED' });
  const rawBytes = Buffer.from(makeChain().leaf.der).toString('base64');
  t.match((await read(inChain([{ rawBytes }]))).verifier, { chain: { length: 1 } });
});
