import { createPublicKey, X509Certificate } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { makeDemo } from '../../config/make-demo/demo.ts';
import { digestOf } from '../../src/oci/digest.ts';
import { repositoryRoot } from '../support/start-starter.ts';

const folder = join(repositoryRoot, 'config', 'demo');
const name = 'org.opencontainers.image.ref.name';
/** What cosign stores under tags of its own is signed anew each time. */
const isImage = (tag: string): boolean => !/:sha256-[0-9a-f]{64}\.(?:sig|att)$/.test(tag);

interface LayoutIndex {
  readonly manifests: readonly { digest: string; annotations?: Record<string, string> }[];
}

t.test('the committed demo has the images that its maker makes', async (t) => {
  const text = await readFile(join(folder, 'index.json'), 'utf8');
  const committed = (JSON.parse(text) as LayoutIndex).manifests
    .map(({ digest, annotations }) => [annotations?.[name], digest] as const)
    .filter(([tag]) => tag !== undefined && isImage(tag));
  const made = makeDemo()
    .entries.filter(({ tag }) => tag !== undefined && isImage(tag))
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

t.test(
  'the demo has a signature and attestations under the tags that cosign 2 gives them',
  async (t) => {
    const { entries } = makeDemo();
    const digestOfTag = new Map(
      entries.map(({ tag, artifact }) => [tag, artifact.descriptor.digest]),
    );
    for (const [image, suffix] of [
      ['cosign:signed-tag', 'sig'],
      ['service:attested-tags', 'sig'],
      ['service:attested-tags', 'att'],
    ] as const) {
      const [repository = ''] = image.split(':');
      const tag = `${repository}:${digestOfTag.get(image)?.replace(':', '-')}.${suffix}`;
      t.ok(digestOfTag.has(tag), tag);
    }
  },
);

t.test('the committed key is a public one', async (t) => {
  const pem = await readFile(join(repositoryRoot, 'config/keys/demo.pub'), 'utf8');
  t.match(pem, /^-----BEGIN PUBLIC KEY-----\n/);
  t.equal(createPublicKey(pem).asymmetricKeyDetails?.namedCurve, 'prime256v1');
});

t.test('the certificate of the demo lasts', async (t) => {
  const file = join(repositoryRoot, 'config/trust/x509/ca/demo/demo-root.pem');
  const { validFromDate, validToDate } = new X509Certificate(await readFile(file));
  t.equal(validFromDate.toISOString(), '2026-01-01T00:00:00.000Z');
  t.equal(validToDate.toISOString(), '2046-01-01T00:00:00.000Z');
});
