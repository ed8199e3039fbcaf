import { X509Certificate } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { makeDemo } from '../../config/make-demo/demo.ts';
import { digestOf } from '../../src/oci/digest.ts';
import { repositoryRoot } from '../support/start-starter.ts';

const folder = join(repositoryRoot, 'config', 'demo');
const name = 'org.opencontainers.image.ref.name';

interface LayoutIndex {
  readonly manifests: readonly { digest: string; annotations?: Record<string, string> }[];
}

t.test('the committed demo has the images that its maker makes', async (t) => {
  const text = await readFile(join(folder, 'index.json'), 'utf8');
  const committed = (JSON.parse(text) as LayoutIndex).manifests
    .filter(({ annotations }) => annotations?.[name] !== undefined)
    .map(({ digest, annotations }) => [annotations?.[name], digest]);
  const made = makeDemo()
    .entries.filter(({ tag }) => tag !== undefined)
    .map(({ tag, artifact }) => [tag, artifact.descriptor.digest]);
  t.same(committed, made);
});

t.test(
  'every blob of the demo has the digest that names it, and none is a private key',
  async (t) => {
    const blobs = join(folder, 'blobs', 'sha256');
    const names = await readdir(blobs);
    t.ok(names.length > 20);
    for (const file of names) {
      const bytes = await readFile(join(blobs, file));
      t.equal(digestOf(bytes), `sha256:${file}`);
      t.notOk(bytes.includes('PRIVATE KEY'));
    }
  },
);

t.test('the digest that the starter exempts is that of the exempted image', async (t) => {
  const policy = await readFile(join(repositoryRoot, 'config', 'trust-policy.yaml'), 'utf8');
  const exempted = makeDemo().entries.find(({ tag }) => tag === 'app:exempted');
  t.match(policy, String(exempted?.artifact.descriptor.digest));
});

t.test('the certificate of the demo lasts', async (t) => {
  const file = join(repositoryRoot, 'config/trust/x509/ca/demo/demo-root.pem');
  const { validFromDate, validToDate } = new X509Certificate(await readFile(file));
  t.equal(validFromDate.toISOString(), '2026-01-01T00:00:00.000Z');
  t.equal(validToDate.toISOString(), '2046-01-01T00:00:00.000Z');
});
