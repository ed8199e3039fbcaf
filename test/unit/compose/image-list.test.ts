import { join } from 'node:path';
import t, { type Test } from 'tap';
import { ImageListError } from '../../../src/compose/image-list-error.ts';
import { readImageList } from '../../../src/compose/image-list.ts';

async function read(t: Test, text: string) {
  const file = join(t.testdir({ 'images.yaml': text }), 'images.yaml');
  return readImageList(file, ['docker.io', 'reg']);
}

async function problemsIn(t: Test, text: string): Promise<string> {
  const error = await read(t, text).catch((thrown: unknown) => thrown);
  if (!(error instanceof ImageListError)) throw new Error('it was read');
  return error.messages.join('\n');
}

t.test('references stand by themselves, or with platforms', async (t) => {
  const images = await read(
    t,
    'images: [docker.io/nginx, { reference: reg/a/b:v1, platforms: [linux/amd64, linux/arm/v7] }]',
  );
  t.match(images, [
    {
      text: 'docker.io/nginx',
      repository: { upstream: 'docker.io', path: 'library/nginx' },
      reference: { tag: 'latest' },
      platforms: undefined,
    },
    {
      text: 'reg/a/b:v1',
      platforms: [
        { os: 'linux', architecture: 'amd64' },
        { os: 'linux', architecture: 'arm', variant: 'v7' },
      ],
    },
  ]);
});

t.test('a repository may have patterns of tags, which match all of a tag', async (t) => {
  const list = 'images: [{ repository: reg/a, tags: ["1.2*", v?, latest, "/rc-[0-9]+/"] }]';
  const [entry] = await read(t, list);
  if (entry === undefined || 'text' in entry) throw new TypeError('it has no patterns');
  const matching = (tag: string): boolean => entry.tags.some(({ matches }) => matches(tag));
  t.same(entry.repository, { upstream: 'reg', path: 'a' });
  for (const tag of ['1.2', '1.27.1', 'v1', 'latest', 'rc-12']) t.ok(matching(tag), tag);
  for (const tag of ['1x2', '11.2', 'v12', 'latest1', 'xrc-12', 'rc-']) t.notOk(matching(tag), tag);
});

const bad = [
  ['', /images.yaml:1:1/],
  ['[]', /must be a mapping/],
  ['images: []', /images: must not be empty/],
  ['images: reg/a:v1', /images: must be a list/],
  ['images: [5]', /images\[0\]: must be text/],
  ['images: [quay.io/a:v1]', /images\[0\]: "quay.io" is no upstream/],
  ['images: ["reg/a:b:c"]', /images\[0\]: /],
  ['images: [{ platforms: [linux/amd64] }]', /images\[0\]: reference is missing/],
  ['images: [{ reference: reg/a, platforms: [] }]', /platforms: must not be empty/],
  ['images: [{ reference: reg/a, platforms: [amd64] }]', /"amd64" is no platform/],
  ['images: [{ reference: reg/a, tags: ["v*"] }]', /reference: is not a known key/],
  ['images: [{ tags: ["v*"] }]', /repository is missing/],
  ['images: [{ repository: reg/a, tags: [] }]', /tags: must not be empty/],
  ['images: [{ repository: "reg/a:v1", tags: ["v*"] }]', /repository: names a repository alone/],
  ['images: [{ repository: quay.io/a, tags: ["v*"] }]', /"quay.io" is no upstream/],
  ['images: [{ repository: reg/a, tags: ["v(1"] }]', /tags\[0\]: "v\(1" is no pattern of tags/],
  ['images: [{ repository: reg/a, tags: ["/v(1/"] }]', /tags\[0\]: is no pattern of RE2/],
  ['images: [{ reference: reg/a, verify: no }]', /verify: is not a known key/],
  ['images: [reg/a]\nextra: 1', /extra: is not a known key/],
] as const;

for (const [text, message] of bad) {
  t.test(`refused: ${JSON.stringify(text)}`, async (t) => {
    t.match(await problemsIn(t, text), message);
  });
}

t.test('all mistakes come at once, with their lines', async (t) => {
  const problems = await problemsIn(t, 'images:\n  - quay.io/a\n  - reg/b\n  - reg/C\n');
  t.match(problems, /images.yaml:2:5: images\[0\]: [^]*images.yaml:4:5: images\[2\]: /);
});

t.test('a file that is not there is told', async (t) => {
  const asked = readImageList(join(t.testdir({}), 'none.yaml'), ['reg']);
  await t.rejects(asked, {
    code: 'IMAGE_LIST_UNUSABLE',
    message: /none.yaml .* it does not exist/,
  });
});
