import t from 'tap';
import { evidenceKind } from '../../../src/airgap/evidence-kind.ts';
import { parseTag } from '../../../src/oci/reference.ts';
import { manifestOf } from '../../support/airgap-kit.ts';

const hash = `sha256-${'ab'.repeat(32)}`;
for (const [artifactType, tag, kind] of [
  ['application/vnd.cncf.notary.signature', undefined, 'notation signature'],
  ['application/vnd.dev.sigstore.bundle.v0.3+json', undefined, 'sigstore bundle'],
  ['application/vnd.in-toto+json', undefined, 'attestation'],
  ['application/spdx+json', undefined, 'SBOM'],
  ['application/vnd.cyclonedx+json', undefined, 'SBOM'],
  [undefined, `${hash}.sig`, 'cosign signature'],
  [undefined, `${hash}.att`, 'cosign attestation'],
  [undefined, `${hash}.sbom`, 'SBOM'],
  ['application/x-report', undefined, 'application/x-report'],
  ['application/x-report', hash, 'application/x-report'],
  [undefined, undefined, 'referrer'],
] as const) {
  t.test(`${artifactType ?? 'no type'} under ${tag ?? 'no tag'} is: ${kind}`, async (t) => {
    const manifest = { ...manifestOf('x'), ...(artifactType && { artifactType }) };
    t.equal(evidenceKind({ manifest, tag: parseTag(tag ?? '') }), kind);
  });
}
