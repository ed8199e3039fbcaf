import * as fc from 'fast-check';
import t from 'tap';
import { mergeDenials } from '../../src/gate/denial-set.ts';
import { DeniedError, NotFoundError, UnavailableError } from '../../src/gate/gate-error.ts';
import type { Digest } from '../../src/oci/digest.ts';
import type { KeyValueEntry } from '../../src/storage/key-value.ts';
import { makeMemoryKeyValue } from '../../src/storage/memory-key-value.ts';
import { UpstreamError } from '../../src/upstream/upstream-error.ts';
import { type Artifact, buildImage, buildIndex, closureOf } from '../support/build-image.ts';
import { denialOf } from '../support/deny-kit.ts';
import { app, by, type GateKit, makeGateKit, never } from '../support/gate-kit.ts';
import { holds } from '../support/holds.ts';
import type { MemorySource } from '../support/memory-source.ts';
import { type ToySignature, toySignature } from '../support/toy-format.ts';

/**
 * Two replicas remember in one store what they find out, under policies, trust material and clocks
 * of their own. What either answers is held against a gate that has just been made and remembers
 * nothing: the same answer, or that it can't be found out.
 */

const platforms = [
  { os: 'linux', architecture: 'arm64' },
  { os: 'linux', architecture: 'amd64' },
];
const children = ['arm', 'amd'].map((name) => buildImage({ name }));
const index = buildIndex({ name: 'index', children, platforms });
const images = ['alice', 'bob', 'both', 'anchored', 'ending', 'nobody'].map((name) =>
  buildImage({ name }),
);

const signatures: Readonly<Record<string, readonly ToySignature[]>> = {
  alice: [{ by: 'alice' }],
  bob: [{ by: 'bob' }],
  both: [{ by: 'alice', knownTo: 'two' }, { by: 'bob' }],
  anchored: [{ by: 'alice', knownTo: 'one' }],
  ending: [{ by: 'alice', expires: '2030-01-01T03:00:00Z' }],
  nobody: [],
  index: [{ by: 'alice' }],
};
const named: readonly (readonly [string, Artifact])[] = [
  ...['alice', 'bob', 'both', 'anchored', 'ending', 'nobody'].map(
    (name, at) => [name, images[at] as Artifact] as const,
  ),
  ['index', index],
];

function fill(source: MemorySource): void {
  for (const [name, artifact] of named) {
    source.put(artifact, name);
    for (const each of signatures[name] ?? []) source.put(toySignature(artifact.descriptor, each));
  }
}

const rule = (lines: string): string => `\n  - repositories: ["reg/**"]\n${lines}`;
const policies = [
  rule('    require: { signedBy: alice }'),
  rule('    require: { signedBy: bob }'),
  rule('    require: { allOf: [{ signedBy: alice }, { signedBy: bob }] }'),
  rule('    require: { anyOf: [{ signedBy: alice }, { signedBy: bob }] }'),
  rule('    require: { signedBy: carol }'),
  rule('    require: { signedBy: alice }').replace('reg/**', 'reg/other'),
];

const digests = [
  ...new Set(
    named.flatMap(([, artifact]) => {
      const { manifests, blobs } = closureOf(artifact);
      return [...manifests, ...blobs].map(({ descriptor }) => descriptor.digest);
    }),
  ),
];

type Ask = { readonly kind: 'tag' | 'manifest' | 'blob'; readonly name: string };
type Step =
  | {
      readonly does: 'policy' | 'trust' | 'restart';
      readonly at: number;
      readonly to: number;
    }
  | { readonly does: 'ask'; readonly at: number; readonly what: Ask }
  | { readonly does: 'wait'; readonly ms: number }
  | { readonly does: 'deny'; readonly digest: Digest; readonly forMs: number }
  | { readonly does: 'keep state' | 'put back' | 'upstream fails' | 'upstream heals' }
  | { readonly does: 'lose'; readonly which: number };

const at = fc.constantFrom(0, 1);
const ask: fc.Arbitrary<Ask> = fc.oneof(
  fc.constantFrom(...named.map(([name]) => name)).map((name) => ({ kind: 'tag', name }) as const),
  fc
    .tuple(fc.constantFrom('manifest', 'blob'), fc.constantFrom(...digests))
    .map(([kind, name]) => ({ kind, name }) as const),
);
const changed = (does: 'policy' | 'trust' | 'restart', upTo: number): fc.Arbitrary<Step> =>
  fc.tuple(at, fc.nat(upTo)).map(([which, to]) => ({ does, at: which, to }));
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 12,
    arbitrary: fc
      .tuple(at, ask)
      .map(([which, what]) => ({ does: 'ask', at: which, what }) as const),
  },
  { weight: 2, arbitrary: changed('policy', policies.length - 1) },
  { weight: 2, arbitrary: changed('trust', 1) },
  { weight: 1, arbitrary: changed('restart', 0) },
  {
    weight: 2,
    arbitrary: fc
      .oneof(fc.nat(20_000), fc.nat(5 * 3_600_000), fc.nat(30 * 3_600_000))
      .map((ms) => ({ does: 'wait', ms }) as const),
  },
  {
    weight: 1,
    arbitrary: fc
      .tuple(fc.constantFrom(...digests), fc.nat(7_200_000))
      .map(([digest, forMs]) => ({ does: 'deny', digest, forMs }) as const),
  },
  {
    weight: 2,
    arbitrary: fc
      .constantFrom('keep state', 'put back', 'upstream fails', 'upstream heals')
      .map((does) => ({ does }) as const),
  },
  { weight: 1, arbitrary: fc.nat().map((which) => ({ does: 'lose', which }) as const) },
);

type Answer = 'served' | 'denied' | 'absent' | 'unclear';

async function answerOf({ gate }: GateKit, { kind, name }: Ask): Promise<Answer> {
  try {
    if (kind === 'blob') {
      if (gate.blobAtHand(app, name as Digest) === undefined) {
        await gate.admitBlob(app, name as Digest, never());
      }
    } else if (gate.manifestAtHand(app, by(name)) === undefined) {
      await gate.admitManifest(app, by(name), never());
    }
    return 'served';
  } catch (error) {
    if (error instanceof DeniedError) return 'denied';
    if (error instanceof NotFoundError) return 'absent';
    if (error instanceof UnavailableError) return 'unclear';
    throw error;
  }
}

interface Replica {
  kit: GateKit;
  rules: string;
  trust: string;
}

const seen = { served: 0, denied: 0, absent: 0, unclear: 0 };

interface Scene {
  readonly replicas: readonly [Replica, Replica];
  kept: readonly KeyValueEntry[];
  isBroken: boolean;
}

/**
 * A part of an image is served because of a root that was verified. A gate that has just been made
 * knows of none, so every root is asked for first.
 */
async function freshAnswer({ kit, rules, trust }: Replica, what: Ask): Promise<Answer> {
  const { source, clock, denyList } = kit;
  const fresh = await makeGateKit(rules, { source, clock, denyList, trust });
  const isRoot =
    what.kind === 'tag' || named.some(([, { descriptor }]) => descriptor.digest === what.name);
  if (!isRoot || what.kind === 'blob') {
    for (const [name] of named) await answerOf(fresh, { kind: 'tag', name });
  }
  return answerOf(fresh, what);
}

async function isHeld(scene: Scene, replica: Replica, what: Ask): Promise<boolean> {
  const got = await answerOf(replica.kit, what);
  seen[got] += 1;
  const { source } = replica.kit;
  source.fail('listReferrers', undefined);
  source.fail('resolveTag', undefined);
  const expected = await freshAnswer(replica, what);
  if (scene.isBroken) breakUpstream(source);
  if (got === expected || got === 'unclear') return true;
  // It was never told of the root that a part belongs to: it says no, which is not more trusting.
  return expected === 'served' && got === 'denied' && what.kind !== 'tag' && !isNamed(what);
}

const isNamed = ({ kind, name }: Ask): boolean =>
  kind === 'manifest' && named.some(([, { descriptor }]) => descriptor.digest === name);

function breakUpstream(source: MemorySource): void {
  const error = new UpstreamError('UPSTREAM_UNREACHABLE', 'it is away');
  source.fail('listReferrers', error);
  source.fail('resolveTag', error);
}

async function change(scene: Scene, each: Exclude<Step, { does: 'ask' }>): Promise<void> {
  const [one] = scene.replicas;
  const { store, source, clock, denyList } = one.kit;
  switch (each.does) {
    case 'wait':
      return clock.advanceMs(each.ms);
    case 'deny': {
      const until = new Date(clock.now().getTime() + each.forMs);
      const denial = { ...denialOf({ kind: 'digest', digest: each.digest }), until };
      denyList.replace(mergeDenials(denyList.all().values(), [denial]), denyList.epoch() + 1);
      return;
    }
    case 'keep state':
      scene.kept = await store.entries('', 10_000);
      return;
    case 'put back':
      for (const { key, value } of scene.kept) await store.put(key, value);
      return;
    case 'lose': {
      const keys = await store.keys('', 10_000);
      const key = keys[each.which % Math.max(1, keys.length)];
      if (key !== undefined) await store.delete(key);
      return;
    }
    case 'upstream fails':
      scene.isBroken = true;
      return breakUpstream(source);
    case 'upstream heals':
      scene.isBroken = false;
      source.fail('listReferrers', undefined);
      return source.fail('resolveTag', undefined);
    default:
      return changeReplica(scene.replicas[each.at] as Replica, each.does, each.to);
  }
}

async function changeReplica(replica: Replica, does: string, to: number): Promise<void> {
  if (does === 'restart') {
    const { source, clock, store, denyList } = replica.kit;
    const { rules, trust } = replica;
    replica.kit = await makeGateKit(rules, { source, clock, store, denyList, trust });
  } else if (does === 'policy') {
    replica.rules = policies[to] as string;
    await replica.kit.setPolicy(replica.rules);
  } else {
    replica.trust = ['one', 'two'][to] as string;
    replica.kit.setTrust(replica.trust);
  }
}

async function openScene(): Promise<Scene> {
  const store = makeMemoryKeyValue();
  const rules = policies[0] as string;
  const first = await makeGateKit(rules, { store });
  fill(first.source);
  const { source, clock, denyList } = first;
  const second = await makeGateKit(rules, { store, source, clock, denyList });
  const replicas = [first, second].map((kit) => ({ kit, rules, trust: 'one' }));
  return { replicas: replicas as unknown as Scene['replicas'], kept: [], isBroken: false };
}

async function equalsFresh(steps: readonly Step[]): Promise<boolean> {
  const scene = await openScene();
  for (const each of steps) {
    if (each.does !== 'ask') await change(scene, each);
    else if (!(await isHeld(scene, scene.replicas[each.at] as Replica, each.what))) return false;
  }
  return true;
}

t.test('what is remembered answers as a fresh verification would', async (t) => {
  const property = fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 30 }), equalsFresh);
  await holds(t, 'whatever changes, is lost or is put back', property);
  t.ok(seen.served > 0 && seen.denied > 0, `both answers are met: ${JSON.stringify(seen)}`);
});
