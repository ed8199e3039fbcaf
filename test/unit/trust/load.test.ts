import { execFileSync } from 'node:child_process';
import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { readCertificate } from '../../../src/crypto/certificate.ts';
import { loadTrustMaterial, makeTrustMaterial, missingStores } from '../../../src/trust/load.ts';
import { makeChain } from '../../support/test-ca.ts';

const acme = makeChain();
const other = makeChain({ authority: 'other' });
const root = acme.root.pem;

type Content = NonNullable<Parameters<typeof t.testdir>[0]>;

const folderOf = (x509: Content | string): Content => ({ x509 });
const load = (folder: string) => loadTrustMaterial(folder);

t.test("stores are read from Notation's layout, each by type and name", async (t) => {
  const folder = t.testdir(
    folderOf({
      ca: { acme: { 'root.pem': root, 'more.crt': other.pem.slice(other.leaf.pem.length) } },
      signingAuthority: { 'a.b_c-D': { 'root.cer': Buffer.from(acme.root.der) } },
      tsa: { clock: { 'root.PEM': other.root.pem } },
    }),
  );
  const material = await load(folder);
  const prints = (name: Parameters<typeof material.notationStore>[0]) =>
    material.notationStore(name)?.map(({ fingerprint }) => fingerprint);
  t.same(new Set(prints('ca:acme')).size, 3);
  t.same(prints('signingAuthority:a.b_c-D'), [acme.root.fingerprint]);
  t.same(prints('tsa:clock'), [other.root.fingerprint]);
  t.equal(prints('ca:clock'), undefined, 'stores of another type are not mixed in');
});

t.test('a folder that is not there, or empty, holds no store', async (t) => {
  const folder = t.testdir(folderOf({ ca: { empty: {} } }));
  for (const place of [folder, join(folder, 'absent')]) {
    const material = await load(place);
    t.equal(material.notationStore('ca:empty'), undefined);
    t.same(missingStores(['ca:empty', 'tsa:x', 'ca:empty'], material), ['ca:empty', 'tsa:x']);
  }
});

t.test('no store is missing where all are there', async (t) => {
  const material = await load(t.testdir(folderOf({ ca: { acme: { 'root.pem': root } } })));
  t.same(missingStores(['ca:acme'], material), []);
});

t.test('names that begin with a dot are left out', async (t) => {
  const store = { 'root.pem': root, '.gitkeep': '' };
  const material = await load(t.testdir(folderOf({ ca: { acme: store, '.hidden': { x: 'x' } } })));
  t.equal(material.notationStore('ca:acme')?.length, 1);
});

const bad = [
  [
    'a file of another kind',
    { ca: { acme: { 'readme.txt': 'x', 'root.pem': root } } },
    /readme.txt is no/,
  ],
  ['a folder in a store', { ca: { acme: { sub: {}, 'root.pem': root } } }, /sub is no regular/],
  ['a file in place of a store', { ca: { 'acme.pem': root } }, /acme.pem is no folder/],
  ['a file in place of a type', { ca: root }, /x509\/ca is no folder/],
  ['a name that Notation does not allow', { ca: { 'a b': {} } }, /a b is no folder with a name/],
  [
    'a file without a certificate',
    { ca: { acme: { 'root.pem': '' } } },
    /root.pem holds no certificate/,
  ],
  [
    'a leaf of another',
    { ca: { acme: { 'leaf.pem': acme.leaf.pem } } },
    /CN=acme release,\S+ is neither/,
  ],
  [
    'an intermediate for timestamps',
    { tsa: { x: { 'a.pem': acme.certificates[1]?.pem ?? '' } } },
    /no self-signed root/,
  ],
  [
    'a file that is too large',
    { ca: { acme: { 'root.pem': root.padEnd(1024 * 1024 + 1) } } },
    /larger than/,
  ],
] as const;

for (const [what, x509, problem] of bad) {
  t.test(`refused: ${what}`, async (t) => {
    const folder = t.testdir(folderOf(x509));
    await t.rejects(load(folder), { code: 'TRUST_STORE_MALFORMED', message: problem });
  });
}

t.test('symbolic links are not followed, for files, stores and types', async (t) => {
  const real = { acme: { 'root.pem': root } };
  const links = [
    { ca: { acme: { 'root.pem': root, 'link.pem': t.fixture('symlink', 'root.pem') } } },
    { ca: { ...real, link: t.fixture('symlink', 'acme') } },
    { tsa: t.fixture('symlink', 'ca'), ca: real },
  ];
  for (const [index, x509] of links.entries()) {
    const folder = t.testdir({ [index]: folderOf(x509) });
    await t.rejects(load(join(folder, String(index))), { code: 'TRUST_STORE_MALFORMED' });
  }
});

t.test('a folder with more entries than anyone needs is refused', async (t) => {
  const many = Object.fromEntries(Array.from({ length: 1001 }, (_, at) => [`${at}.pem`, '']));
  const folder = t.testdir(folderOf({ ca: { acme: many } }));
  await t.rejects(load(folder), { message: /acme has more than 1000 entries/ });
});

t.test('a pipe in a store is refused at once', async (t) => {
  const folder = t.testdir(folderOf({ ca: { acme: { 'root.pem': root } } }));
  execFileSync('mkfifo', [join(folder, 'x509/ca/acme/pipe.pem')]);
  await t.rejects(load(folder), { message: /pipe.pem is no regular/ });
});

t.test('all problems come in one error', async (t) => {
  const folder = t.testdir(
    folderOf({ ca: { a: { 'x.txt': '' }, b: { 'y.pem': '' } }, tsa: { c: { 'z.pem': 'no' } } }),
  );
  await t.rejects(load(folder), { message: /x\.txt[^\n]*\n[^\n]*y\.pem[^\n]*\n[^\n]*z\.pem/ });
});

t.test('a folder that can not be read is told apart from one that is not there', async (t) => {
  const folder = t.testdir(folderOf({ ca: { acme: {} } }));
  if (process.getuid?.() === 0) {
    // Root reads everything; a name that is too long can't be looked up by anybody.
    await t.rejects(load(join(folder, 'x'.repeat(300))), { code: 'TRUST_STORE_UNREADABLE' });
    return;
  }
  chmodSync(join(folder, 'x509/ca'), 0o000);
  await t.rejects(load(folder), { code: 'TRUST_STORE_UNREADABLE' });
  chmodSync(join(folder, 'x509/ca'), 0o700);
});

t.test('the digest of a store follows the set of its anchors', async (t) => {
  const [one, two] = [acme.root.der, other.root.der].map((der) => readCertificate(der));
  if (one === undefined || two === undefined) throw new TypeError('there are two');
  const digestOf = (...anchors: (typeof one)[]) =>
    makeTrustMaterial(new Map([['ca:x', anchors]])).notationStoreDigest('ca:x');
  t.match(digestOf(one), /^[0-9a-f]{64}$/);
  t.equal(digestOf(one, two), digestOf(two, one, two));
  t.equal(new Set([digestOf(), digestOf(one), digestOf(two), digestOf(one, two)]).size, 4);
});

t.test('a store that is not there has a digest of its own', async (t) => {
  const [anchor] = acme.ders.map((der) => readCertificate(der));
  if (anchor === undefined) throw new TypeError('there is one');
  const material = makeTrustMaterial(new Map([['ca:x', [anchor]]]));
  t.not(material.notationStoreDigest('ca:y'), material.notationStoreDigest('ca:x'));
  t.match(material.notationStoreDigest('ca:y'), /^[0-9a-f]{64}$/);
});
