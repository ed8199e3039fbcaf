import { join } from 'node:path';
import t, { type Test } from 'tap';
import {
  type AppKit,
  reasonOf,
  signatureOf,
  startAt,
  writeConfiguration,
} from '../support/app-kit.ts';
import { type Artifact, buildIndex } from '../support/build-image.ts';
import { writeLayout } from '../support/write-layout.ts';

// An image as BuildKit pushes it: two platforms and what was attested of the first.
const index = buildIndex({ attestation: 'with' });
const [amd64, arm64, attestation] = index.children as [Artifact, Artifact, Artifact];
const nested = buildIndex({
  name: 'nested',
  children: [index],
  platforms: [{ os: 'linux', architecture: 'amd64' }],
});

interface Walk {
  readonly covers: 'index' | 'platforms';
  /** Those with a signature of their own. */
  readonly signed: readonly Artifact[];
}

/** The whole app over a layout, with a real Notation signature of each that is signed. */
function start(t: Test, { covers, signed }: Walk): Promise<AppKit> {
  const require = { signedBy: 'acme' };
  const file = writeConfiguration(t, {
    upstreams: { reg: { layout: '.' } },
    rules: [{ repositories: ['reg/**'], require, covers }],
  });
  writeLayout(join(file, '..'), [
    { artifact: index, tag: 'app:1' },
    { artifact: nested, tag: 'app:nested' },
    ...signed.map(({ descriptor }) => ({ artifact: signatureOf(descriptor) })),
  ]);
  return startAt(t, file);
}

const manifestOf = ({ descriptor }: Artifact): string => `reg/app/manifests/${descriptor.digest}`;
const tagged = 'reg/app/manifests/1';

/** Status by HEAD and by GET, which are one decision. */
async function statusOf(t: Test, { ask }: AppKit, path: string): Promise<number> {
  const head = await ask(path, { method: 'HEAD' });
  const { status } = await ask(path);
  t.equal(head.status, status, `HEAD and GET of ${path}`);
  return status;
}

async function blobStatuses({ ask }: AppKit, { blobs }: Artifact): Promise<readonly number[]> {
  const asked = blobs.map(({ descriptor }) => ask(`reg/app/blobs/${descriptor.digest}`));
  return (await Promise.all(asked)).map(({ status }) => status);
}

const all = (status: number, { blobs }: Artifact): readonly number[] => blobs.map(() => status);

t.test(
  'where the index counts, signed children alone are served by digest, and the index is not',
  async (t) => {
    const app = await start(t, { covers: 'index', signed: [amd64] });
    t.equal(await statusOf(t, app, tagged), 403);
    t.equal(reasonOf(await app.ask(tagged)), 'unsigned');
    t.equal(await statusOf(t, app, manifestOf(amd64)), 200);
    t.same(await blobStatuses(app, amd64), all(200, amd64));
    t.equal(await statusOf(t, app, manifestOf(arm64)), 403);
    t.equal(reasonOf(await app.ask(manifestOf(arm64))), 'not-reachable');
    t.same(await blobStatuses(app, arm64), all(403, arm64));
    t.equal(await statusOf(t, app, manifestOf(attestation)), 403, 'nobody vouches for its index');
    t.same(await blobStatuses(app, attestation), all(403, attestation));
  },
);

t.test(
  'where platforms count, an unsigned index of signed children is pulled as containerd and podman do',
  async (t) => {
    const app = await start(t, { covers: 'platforms', signed: [amd64, arm64] });
    const head = await app.ask(tagged, { method: 'HEAD' });
    t.equal(head.status, 200);
    const digest = head.headers.get('docker-content-digest');
    t.equal(digest, index.descriptor.digest);
    const answer = await app.ask(`reg/app/manifests/${digest}`);
    t.ok(answer.body.equals(index.bytes), 'the very index, attestation and all');
    t.equal((await app.ask(manifestOf(arm64))).status, 200);
    t.same(await blobStatuses(app, arm64), all(200, arm64));
  },
);

t.test(
  'all of it is copied as skopeo copy --all does, what BuildKit attests included',
  async (t) => {
    const app = await start(t, { covers: 'platforms', signed: [amd64, arm64] });
    t.equal(await statusOf(t, app, tagged), 200);
    for (const child of [amd64, arm64, attestation]) {
      t.equal(await statusOf(t, app, manifestOf(child)), 200);
      t.same(await blobStatuses(app, child), all(200, child));
    }
  },
);

t.test('each child is verified once, with its index or by itself', async (t) => {
  const app = await start(t, { covers: 'platforms', signed: [amd64, arm64] });
  const verdicts = () => app.lines.filter(({ message }) => message === 'verdict').length;
  t.equal((await app.ask(tagged)).status, 200);
  const before = verdicts();
  for (const child of [amd64, arm64]) t.equal((await app.ask(manifestOf(child))).status, 200);
  t.equal(verdicts(), before, 'the verdict that the index rests upon is the one of the child');
  const next = await app.restarted();
  t.equal((await next.ask(manifestOf(arm64))).status, 200);
  t.notOk(
    next.lines.some(({ message }) => message === 'verdict'),
    'over a restart too',
  );
});

t.test('a child by its digest needs no index to be asked for first', async (t) => {
  const app = await start(t, { covers: 'platforms', signed: [amd64] });
  t.equal(await statusOf(t, app, manifestOf(amd64)), 200);
  t.same(await blobStatuses(app, amd64), all(200, amd64));
  t.equal(await statusOf(t, app, manifestOf(attestation)), 403, 'which is no part of that child');
});

t.test('a client that has the manifests already gets the layers, and no others', async (t) => {
  const app = await start(t, { covers: 'platforms', signed: [amd64, arm64] });
  t.equal((await app.ask(tagged)).status, 200);
  t.same(await blobStatuses(app, arm64), all(200, arm64));
  t.same(await blobStatuses(app, attestation), all(200, attestation));
});

t.test(
  'one unsigned child keeps the index back and is named; the signed one is still served',
  async (t) => {
    const app = await start(t, { covers: 'platforms', signed: [amd64] });
    t.equal(await statusOf(t, app, tagged), 403);
    const denied = await app.ask(tagged);
    t.equal(reasonOf(denied), 'unsigned');
    t.match(denied.body.toString(), arm64.descriptor.digest.slice(0, 19));
    t.equal(await statusOf(t, app, manifestOf(amd64)), 200);
    t.equal(await statusOf(t, app, manifestOf(arm64)), 403);
    t.same(await blobStatuses(app, arm64), all(403, arm64));
  },
);

t.test('a signed index counts for itself, and not for a child without a signature', async (t) => {
  const app = await start(t, { covers: 'platforms', signed: [index, amd64] });
  t.equal(await statusOf(t, app, tagged), 200);
  t.equal(await statusOf(t, app, manifestOf(amd64)), 200);
  t.equal(await statusOf(t, app, manifestOf(arm64)), 403);
  t.equal(await statusOf(t, app, manifestOf(attestation)), 200);
});

t.test('children of children are not looked for', async (t) => {
  const app = await start(t, { covers: 'platforms', signed: [amd64, arm64] });
  const denied = await app.ask('reg/app/manifests/nested');
  t.equal(denied.status, 403);
  t.match(denied.body.toString(), /is an index itself/);
});

t.test('signatures of children can be listed and read through the proxy', async (t) => {
  const app = await start(t, { covers: 'platforms', signed: [amd64, arm64] });
  t.equal((await app.ask(tagged)).status, 200);
  for (const child of [amd64, arm64]) {
    const list = await app.ask(`reg/app/referrers/${child.descriptor.digest}`);
    const { manifests } = JSON.parse(list.body.toString()) as { manifests: { digest: string }[] };
    const { descriptor } = signatureOf(child.descriptor);
    t.match(manifests, [{ size: descriptor.size }]);
    const [{ digest } = { digest: '' }] = manifests;
    t.equal(await statusOf(t, app, `reg/app/manifests/${digest}`), 200);
  }
});
