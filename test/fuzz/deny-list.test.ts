import * as fc from 'fast-check';
import t from 'tap';
import { mergeDenials } from '../../src/gate/denial-set.ts';
import { TaggedError } from '../../src/kernel/tagged-error.ts';
import type { Digest } from '../../src/oci/digest.ts';
import type { Denial, DenyTarget } from '../../src/verdict/denial.ts';
import { type Artifact, buildImage, buildIndex, closureOf } from '../support/build-image.ts';
import { denialOf } from '../support/deny-kit.ts';
import { app, by, type GateKit, makeGateKit, never } from '../support/gate-kit.ts';
import { holds } from '../support/holds.ts';
import { toySignature } from '../support/toy-format.ts';

const arm = { os: 'linux', architecture: 'arm64' };
const amd = { os: 'linux', architecture: 'amd64' };
const [one, two, three] = ['one', 'two', 'three'].map((name) => buildImage({ name }));
if (one === undefined || two === undefined || three === undefined) throw new TypeError('no image');
const left = buildIndex({ name: 'left', children: [one, two], platforms: [arm, amd] });
const right = buildIndex({ name: 'right', children: [two, three], platforms: [arm, amd] });
const single = buildImage({ name: 'single' });

interface Signed {
  readonly root: Artifact;
  readonly tag: string;
  readonly signatures: readonly { readonly artifact: Artifact; readonly key: string }[];
}

const sign = (root: Artifact, tag: string, ...keys: readonly string[]): Signed => ({
  root,
  tag,
  signatures: keys.map((key) => ({
    key,
    artifact: toySignature(root.descriptor, { by: 'alice', key }),
  })),
});
const signed = [
  sign(left, 'left', 'k1'),
  sign(right, 'right', 'k2'),
  sign(single, 'single', 'k1', 'k2'),
];

const digestsIn = (artifact: Artifact): readonly Digest[] => {
  const { manifests, blobs } = closureOf(artifact);
  return [...manifests, ...blobs].map(({ descriptor }) => descriptor.digest);
};
const all = [
  ...new Set(
    signed.flatMap(({ root, signatures }) =>
      [root, ...signatures.map(({ artifact }) => artifact)].flatMap(digestsIn),
    ),
  ),
];

const target: fc.Arbitrary<DenyTarget> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.constantFrom(...all).map((digest) => ({ kind: 'digest', digest }) as const),
  },
  {
    weight: 2,
    arbitrary: fc
      .constantFrom('k1', 'k2')
      .map((fingerprint) => ({ kind: 'key', fingerprint }) as const),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom<DenyTarget>(
      { kind: 'identity', identity: { subject: 'CN=alice' } },
      { kind: 'repository', repository: 'reg/app' },
    ),
  },
);

type Step =
  | { readonly does: 'deny'; readonly target: DenyTarget }
  | { readonly does: 'take back'; readonly which: number }
  | { readonly does: 'ask'; readonly what: Ask; readonly meanwhile: DenyTarget | undefined }
  | { readonly does: 'restart' }
  | { readonly does: 'wait'; readonly ms: number };
type Ask = { readonly kind: 'tag' | 'manifest' | 'blob' | 'referrers'; readonly name: string };

const ask: fc.Arbitrary<Ask> = fc.oneof(
  fc.constantFrom('left', 'right', 'single').map((name) => ({ kind: 'tag', name }) as const),
  fc
    .tuple(fc.constantFrom('manifest', 'blob', 'referrers'), fc.constantFrom(...all))
    .map(([kind, name]) => ({ kind, name }) as const),
);

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 2, arbitrary: target.map((of) => ({ does: 'deny', target: of }) as const) },
  { weight: 1, arbitrary: fc.nat().map((which) => ({ does: 'take back', which }) as const) },
  {
    weight: 8,
    arbitrary: fc
      .tuple(ask, fc.option(target, { nil: undefined, freq: 8 }))
      .map(([what, meanwhile]) => ({ does: 'ask', what, meanwhile }) as const),
  },
  { weight: 1, arbitrary: fc.constant({ does: 'restart' } as const) },
  { weight: 1, arbitrary: fc.nat(20_000).map((ms) => ({ does: 'wait', ms }) as const) },
);

/** What may be served, found from the artifacts and the list alone. */
function servable(denied: readonly DenyTarget[]): ReadonlySet<Digest> {
  const has = (test: (each: DenyTarget) => boolean): boolean => denied.some(test);
  if (has(({ kind }) => kind === 'repository' || kind === 'identity')) return new Set();
  const isOpen = (digest: Digest): boolean =>
    !has((each) => each.kind === 'digest' && each.digest === digest);
  const counts = ({ artifact, key }: Signed['signatures'][number]): boolean =>
    !has((each) => each.kind === 'key' && each.fingerprint === key) &&
    isOpen(artifact.descriptor.digest);
  const found = new Set<Digest>();
  const visit = (artifact: Artifact): void => {
    if (!isOpen(artifact.descriptor.digest)) return;
    found.add(artifact.descriptor.digest);
    artifact.children.forEach(visit);
    for (const { descriptor } of artifact.blobs) {
      if (isOpen(descriptor.digest)) found.add(descriptor.digest);
    }
  };
  for (const { root, signatures } of signed) {
    if (!isOpen(root.descriptor.digest) || !signatures.some(counts)) continue;
    visit(root);
    // Also those that no longer count: they are words about what is served.
    for (const { artifact } of signatures) visit(artifact);
  }
  return found;
}

/** The digests that came back; none where it was denied, or is not there. */
async function served({ gate }: GateKit, { kind, name }: Ask): Promise<readonly Digest[]> {
  try {
    if (kind === 'blob')
      return [(await gate.admitBlob(app, name as Digest, never())).descriptor.digest];
    if (kind === 'referrers') {
      const { descriptors } = await gate.admitReferrers(app, name as Digest, never());
      return descriptors.map(({ digest }) => digest);
    }
    const hot = gate.manifestAtHand(app, by(name));
    const content = hot ?? (await gate.admitManifest(app, by(name), never()));
    return [content.descriptor.digest];
  } catch (error) {
    if (error instanceof TaggedError) return [];
    throw error;
  }
}

/** Denies something in the middle of the next decision that asks the upstream. */
function denyDuring({ source }: GateKit, deny: () => void): void {
  const fetch = source.fetchManifest.bind(source);
  source.fetchManifest = async (...given) => {
    const found = await fetch(...given);
    source.fetchManifest = fetch;
    deny();
    return found;
  };
}

let servedInAll = 0;

async function neverServesDenied(steps: readonly Step[]): Promise<boolean> {
  let kit = await makeGateKit();
  for (const { root, tag, signatures } of signed) {
    kit.source.put(root, tag);
    for (const { artifact } of signatures) kit.source.put(artifact);
  }
  const { denyList } = kit;
  const put = (...changed: readonly Denial[]): void => {
    denyList.replace(mergeDenials(denyList.all().values(), changed), denyList.epoch() + 1);
  };
  for (const each of steps) {
    if (each.does === 'deny') put(denialOf(each.target));
    else if (each.does === 'wait') kit.clock.advanceMs(each.ms);
    else if (each.does === 'restart') kit = await kit.restarted();
    else if (each.does === 'take back') {
      const denial = denyList.entries()[each.which % Math.max(1, denyList.entries().length)];
      const removed = { epoch: denyList.epoch() + 1, at: kit.clock.now() };
      if (denial !== undefined) put({ ...denial, removed });
    } else {
      const { meanwhile } = each;
      if (meanwhile !== undefined) denyDuring(kit, () => put(denialOf(meanwhile)));
      const got = await served(kit, each.what);
      const allowed = servable(denyList.entries().map((denial) => denial.target));
      servedInAll += got.length;
      if (!got.every((digest) => allowed.has(digest))) return false;
    }
  }
  return true;
}

t.test('nothing that is denied is ever served', async (t) => {
  const property = fc.asyncProperty(
    fc.array(step, { minLength: 1, maxLength: 25 }),
    neverServesDenied,
  );
  await holds(t, 'whatever is denied, taken back and asked for, in any order', property);
  t.ok(servedInAll > 0, 'and what is not denied is served now and then');
});
