import t from 'tap';
import {
  maxDocumentBytes,
  readBundleDocument,
  writeBundleDocument,
} from '../../../src/airgap/bundle-document.ts';
import { digestOf } from '../../../src/oci/digest.ts';
import { parseTag, type Tag } from '../../../src/oci/reference.ts';
import { parseRepositoryPath, type RepositoryPath } from '../../../src/oci/repository.ts';
import { documentOf, imageOf, manifestOf, stream } from '../../support/airgap-kit.ts';

const digest = digestOf(Buffer.from('denied'));
const since = new Date('2030-01-01T00:00:00Z');
const full = documentOf({
  images: [
    imageOf(),
    imageOf({ tag: undefined, tagVersion: undefined }),
    imageOf({
      repository: {
        upstream: 'lab:5000',
        path: parseRepositoryPath('team/app') as RepositoryPath,
      },
      evidence: [
        {
          manifest: {
            ...manifestOf('sig'),
            artifactType: 'application/x.sig',
            annotations: { a: 'b' },
          },
          tag: parseTag(`sha256-${'ab'.repeat(32)}.sig`),
          path: parseRepositoryPath('team/signatures'),
        },
      ],
    }),
  ],
  rollbacks: [
    {
      repository: imageOf().repository,
      tag: parseTag('1.0') as Tag,
      to: digest,
      owner: 'ops@acme.example',
      until: new Date('2030-02-01T00:00:00Z'),
    },
  ],
  denials: [
    { target: { kind: 'digest', digest }, because: 'CVE', since },
    { target: { kind: 'key', fingerprint: 'ab'.repeat(32) }, because: 'leaked', since },
    { target: { kind: 'repository', repository: 'docker.io/library/app' }, because: 'x', since },
    {
      target: { kind: 'identity', identity: { subject: 'ci@acme.example', issuer: 'https://i' } },
      because: 'left',
      since,
    },
    { target: { kind: 'identity', identity: { issuer: 'https://i' } }, because: 'left', since },
  ],
});

t.test('what is written is read again', async (t) => {
  const bytes = writeBundleDocument(full);
  t.same(readBundleDocument(bytes), full);
  t.strictSame(writeBundleDocument(readBundleDocument(bytes)), bytes);
});

t.test('the first bundle of a stream has nothing before it', async (t) => {
  const first = documentOf({ sequence: 1, base: undefined, previous: undefined });
  t.strictSame(readBundleDocument(writeBundleDocument(first)), first);
});

t.test('one of revocations alone has no images', async (t) => {
  const revocation = documentOf({ kind: 'revocation', images: [], base: undefined });
  t.strictSame(readBundleDocument(writeBundleDocument(revocation)), revocation);
});

const text = writeBundleDocument(full).toString();
type Members = Record<string, unknown>;
const broken: Readonly<Record<string, readonly [(document: Members) => void, RegExp]>> = {
  'another format': [(document) => (document['format'] = 2), /its format is not 1/],
  'a field that is not known': [(document) => (document['more'] = 1), /"more" is not known/],
  'another kind': [(document) => (document['kind'] = 'all'), /kind is not known: "all"/],
  'a stream of capitals': [
    (document) => (document['stream'] = stream.toUpperCase()),
    /its stream is not 32 hex digits/,
  ],
  'sequence 0': [(document) => (document['sequence'] = 0), /its sequence is below 1/],
  'a base that is itself': [(document) => (document['base'] = 2), /its base is not before it/],
  'base 0': [(document) => (document['base'] = 0), /its base is not before it/],
  'nothing before the second': [
    (document) => delete document['previous'],
    /it has a base and no previous/,
  ],
  'itself before it': [
    (document) => (document['previous'] = { ...(document['previous'] as object), sequence: 2 }),
    /its previous bundle is not before it/,
  ],
  'a time without a zone': [
    (document) => (document['created'] = '2030-01-01T00:00:00'),
    /created is no time/,
  ],
  'no exporter': [(document) => delete document['exporter'], /exporter is missing/],
  'a text that does not end': [
    (document) => (document['exporter'] = 'x'.repeat(1101)),
    /a text of more than 1100 characters/,
  ],
  'a text that writes over what stands before it': [
    (document) => ((document['denials'] as Members[])[0]!['because'] = 'x\u001b[2K'),
    /a text that is no line/,
  ],
  'more denials than a list may have': [
    (document) => {
      const denials = document['denials'] as Members[];
      document['denials'] = Array.from({ length: 10_001 }, () => denials[0]);
    },
    /denials has more than 10000 items/,
  ],
  'an image twice': [
    (document) => (document['images'] as unknown[]).push((document['images'] as unknown[])[0]),
    /"docker.io\/library\/app:1.0" stands twice/,
  ],
  'a digest twice': [
    (document) => (document['images'] as unknown[]).push((document['images'] as unknown[])[1]),
    /"docker.io\/library\/app@sha256:[a-f0-9]+.*stands twice/,
  ],
  'a tag without its version': [
    (document) => delete imageAt(document, 0)['tagVersion'],
    /has a tag or its version alone/,
  ],
  'tag version 0': [
    (document) => (imageAt(document, 0)['tagVersion'] = 0),
    /has a tag version below 1/,
  ],
  'no tag': [(document) => (imageAt(document, 0)['tag'] = '-'), /images\[0\].tag is no tag/],
  'a repository outside': [
    (document) => (imageAt(document, 0)['repository'] = '../library/app'),
    /images\[0\].repository is no repository: "..\/library\/app"/,
  ],
  'a repository without an upstream': [
    (document) => (imageAt(document, 0)['repository'] = 'app'),
    /images\[0\].repository is no repository/,
  ],
  'a root without a size': [
    (document) => delete (imageAt(document, 0)['root'] as Members)['size'],
    /images\[0\].root has no valid size/,
  ],
  'a child that is no descriptor': [
    (document) => (imageAt(document, 0)['children'] = [{}]),
    /images\[0\].children\[0\] has no valid mediaType/,
  ],
  'evidence outside': [
    (document) => {
      const [evidence] = imageAt(document, 2)['evidence'] as Members[];
      if (evidence !== undefined) evidence['path'] = '../x';
    },
    /images\[2\].evidence\[0\].path is no repository's/,
  ],
  'a rollback of no tag': [
    (document) => delete (document['rollbacks'] as Members[])[0]?.['tag'],
    /rollbacks\[0\].tag is missing/,
  ],
  'a rollback to no digest': [
    (document) => ((document['rollbacks'] as Members[])[0]!['to'] = '1.0'),
    /rollbacks\[0\].to is no digest: "1.0"/,
  ],
  'a denial of nothing': [
    (document) => delete (document['denials'] as Members[])[0]?.['digest'],
    /denials\[0\]: name one thing/,
  ],
  'a denial of two things': [
    (document) => ((document['denials'] as Members[])[0]!['key'] = 'ab'.repeat(32)),
    /denials\[0\]: name one thing/,
  ],
  'trust material outside': [
    (document) => (document['trust'] = [{ path: 'trust/../policy.yaml', kind: 'policy' }]),
    /"trust\/..\/policy.yaml" is no path for trust material/,
  ],
  'trust material that is hidden': [
    (document) => (document['trust'] = [{ path: 'trust/.policy', kind: 'policy' }]),
    /is no path for trust material/,
  ],
  'two names that Windows takes for one': [
    (document) =>
      (document['trust'] = ['trust/a', 'trust/A'].map((path) => ({ path, kind: 'policy' }))),
    /two files of trust material have one path/,
  ],
  'trust material in a file': [
    (document) =>
      (document['trust'] = ['trust/A', 'trust/a/b/c'].map((path) => ({ path, kind: 'policy' }))),
    /"trust\/a\/b\/c" lies in another file/,
  ],
  'an upstream that is called as the document is': [
    (document) => (imageAt(document, 0)['repository'] = 'bundle.json/app'),
    /upstream that none may be called/,
  ],
  'evidence that moves a tag': [
    (document) => {
      imageAt(document, 1)['evidence'] = [{ manifest: imageAt(document, 0)['root'], tag: '2.0' }];
    },
    /has evidence under "2.0", which names no digest/,
  ],
  'a tag of two manifests': [
    (document) => {
      const tag = `sha256-${'a'.repeat(64)}.sig`;
      const [one, other] = [0, 2].map((index) => {
        return (imageAt(document, index)['evidence'] as Members[])[0]?.['manifest'] as Members;
      });
      const changed = { ...other, digest: `sha256:${'b'.repeat(64)}` };
      imageAt(document, 0)['evidence'] = [one, changed].map((manifest) => ({ manifest, tag }));
    },
    /sha256-a+.* is two manifests/,
  ],
  'a number that is too large': [
    (document) => (document['sequence'] = 2 ** 48),
    /its sequence does not fit/,
  ],
  'images beside revocations': [
    (document) => (document['kind'] = 'revocation'),
    /a bundle of revocations alone has images/,
  ],
};

function imageAt(document: Members, index: number): Members {
  return (document['images'] as Members[])[index] ?? {};
}

for (const [name, [breakIt, why]] of Object.entries(broken)) {
  t.test(`${name} is refused`, async (t) => {
    const document = JSON.parse(text) as Members;
    breakIt(document);
    const bytes = Buffer.from(JSON.stringify(document));
    t.throws(() => readBundleDocument(bytes), { code: 'DOCUMENT_MALFORMED', message: why });
  });
}

t.test('a name that stands twice is refused', async (t) => {
  const twice = Buffer.from(text.replace('"sequence":2', '"sequence":2,"sequence":3'));
  t.throws(() => readBundleDocument(twice), { code: 'DOCUMENT_MALFORMED', message: /twice/ });
});

t.test('what is too large is not looked at', async (t) => {
  t.throws(() => readBundleDocument(Buffer.alloc(maxDocumentBytes + 1)), {
    code: 'DOCUMENT_MALFORMED',
    message: /larger than/,
  });
});

t.test('what would not be read is not written', async (t) => {
  t.throws(() => writeBundleDocument(documentOf({ sequence: 0 })), { code: 'DOCUMENT_MALFORMED' });
});

t.test('many values in few bytes are not made', async (t) => {
  const lists = `[${'[],'.repeat(2 ** 20)}[]]`;
  t.throws(() => readBundleDocument(Buffer.from(`{"format":1,"images":${lists}}`)), {
    code: 'DOCUMENT_MALFORMED',
    message: /more than 2097152 values/,
  });
});
