import { X509Certificate } from 'node:crypto';
import t from 'tap';
import { readCertificate } from '../../src/crypto/certificate.ts';
import { refusalOfDelegate } from '../../src/crypto/ocsp-answer.ts';
import type { Certificate } from '../../src/crypto/x509.ts';
import {
  type CertificateChain,
  checkCertificateChain,
} from '../../src/formats/notation/certificate-chain.ts';
import { checkRevocation } from '../../src/formats/notation/revocation.ts';
import { makeFakeClock } from '../support/fake-clock.ts';
import { makeRevocationWorld, type RevocationWorld } from '../support/revocation-answers.ts';
import { type ReadVector, requireVectors } from '../support/vectors.ts';

const leafUrl = 'http://localhost:10086/leaf.crl';
const intermediateUrl = 'http://localhost:10086/intermediate.crl';
const responder = 'http://localhost.test';
const folder = 'notation/revocation';

interface Row {
  /** Which file answers for the leaf, and for the intermediate. */
  readonly leaf: string;
  readonly intermediate: string;
  readonly finding: object;
  readonly why: string;
}

const passed = { outcome: 'passed' };
const revoked = { outcome: 'failed', reason: 'certificate-revoked' };
const unknown = { outcome: 'inconclusive', reason: 'revocation-unknown' };

/** Every list of the published vectors, against the chain that names where they are. */
const rows: readonly Row[] = [
  {
    leaf: 'leaf.crl',
    intermediate: 'intermediate.crl',
    finding: { ...passed, evidence: { sources: /leaf\.crl.*intermediate\.crl/ } },
    why: 'both are signed by whom they name, hold until 2124 and list nobody',
  },
  {
    leaf: 'leaf_revoked.crl',
    intermediate: 'intermediate.crl',
    finding: { ...revoked, because: /LeafCert.*2024-11-11T05:30:52/ },
    why: 'it lists the leaf',
  },
  {
    leaf: 'leaf.crl',
    intermediate: 'intermediate_revoked.crl',
    finding: { ...revoked, because: /IntermediateCA.*2024-11-11T05:30:51/ },
    why: 'it lists the intermediate',
  },
  {
    leaf: 'leaf_expired.crl',
    intermediate: 'intermediate.crl',
    finding: { ...unknown, because: /leaf\.crl.*ended at 2023-12-25/ },
    why: 'it ended in 2023; it is of an earlier key of that name too',
  },
  {
    leaf: 'intermediate.crl',
    intermediate: 'intermediate.crl',
    finding: { ...unknown, because: /another issuer/ },
    why: 'the list of the root says nothing of what the intermediate issued',
  },
  {
    leaf: 'leaf.crl',
    intermediate: 'leaf.crl',
    finding: { ...unknown, because: /another issuer/ },
    why: 'and the other way round',
  },
];

const read = requireVectors(t);
if (read !== undefined) checkVectors(read);

function readChain(pem: string): CertificateChain {
  const blocks = pem.match(/-----BEGIN[^]*?END CERTIFICATE-----/g) ?? [];
  const chain = blocks.map((block) => readCertificate(new X509Certificate(block).raw));
  return chain as unknown as CertificateChain;
}

function checkVectors(read: ReadVector): void {
  const chain = readChain(read(`${folder}/crl/certchain_with_crl.pem`).toString());
  const { signal } = new AbortController();
  const clock = makeFakeClock('2026-06-01T00:00:00Z');
  const serve = (row: Pick<Row, 'leaf' | 'intermediate'>): RevocationWorld => {
    const world = makeRevocationWorld({ clock });
    world.answers.set(leafUrl, () => read(`${folder}/crl/${row.leaf}`));
    world.answers.set(intermediateUrl, () => read(`${folder}/crl/${row.intermediate}`));
    return world;
  };

  t.test('the chain is whole, and its root is the one beside it', (t) => {
    t.match(checkCertificateChain(chain), { outcome: 'passed' });
    const [root] = readChain(read(`${folder}/crl/root.crt`).toString());
    t.equal(chain.at(-1)?.fingerprint, root.fingerprint);
    t.end();
  });

  for (const row of rows) {
    t.test(`${row.leaf} and ${row.intermediate}: ${row.why}`, async (t) => {
      const world = serve(row);
      t.match(await checkRevocation(chain, world, signal), { finding: row.finding });
      t.ok(world.asked.includes(leafUrl) && world.asked.includes(intermediateUrl));
      t.ok(world.asked.includes(responder), 'the intermediate names a responder too: it is away');
    });
  }

  t.test('the responder of the OCSP vectors is a delegate of their root', (t) => {
    const certificate = (name: string): Certificate =>
      readChain(read(`${folder}/ocsp/${name}`).toString())[0];
    const [root, leaf, delegate] = ['root.crt', 'leaf.crt', 'ocsp.crt'].map(certificate);
    const now = clock.now();
    t.equal(delegate && root && refusalOfDelegate(delegate, root, now), undefined);
    t.match(leaf && root && refusalOfDelegate(leaf, root, now), /not for signing OCSP responses/);
    t.match(delegate && leaf && refusalOfDelegate(delegate, leaf, now), /did not issue/);
    t.end();
  });

  t.test('the chain of the OCSP vectors is open where its responder is away', async (t) => {
    const named = readChain(read(`${folder}/ocsp/certchain_with_ocsp.pem`).toString());
    t.match(checkCertificateChain(named), { outcome: 'passed' });
    const world = makeRevocationWorld({ clock });
    t.match(await checkRevocation(named, world, signal), { finding: unknown });
    t.strictSame(world.asked, ['http://localhost:10087']);
  });
}
